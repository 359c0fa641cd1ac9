//go:build lab && linux

package main

import (
	"bytes"
	"net/netip"
	"testing"
)

// The address of RFC 5769, 2.2, as its XOR-MAPPED-ADDRESS has it.
func TestTurnAddress(t *testing.T) {
	got := turnAddr(netip.MustParseAddrPort("192.0.2.1:32853"))
	if want := []byte{0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43}; !bytes.Equal(got, want) {
		t.Fatalf("%x, want %x", got, want)
	}
}
