package udp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// packets are what the kernel makes of the messages, by address.
func (o *outbox) packets(t *rapid.T, gso bool) map[netip.AddrPort][]string {
	got := map[netip.AddrPort][]string{}
	for i := range o.n {
		p, h := o.parcels[i], &o.room[i].hdr
		var b []byte
		for _, v := range p.iov[:h.Iovlen] {
			b = append(b, unsafe.Slice(v.Base, v.Len)...)
		}
		seg, _ := parseSegment(p.oob[:h.Controllen])
		switch {
		case seg == 0:
			seg = len(b)
		case !gso:
			t.Fatal("GSO was not asked for")
		}
		if n := (len(b) + seg - 1) / seg; n > 1 && (n > maxSegments || len(b) > maxGSO) {
			t.Fatalf("%d packets, %d bytes in one send", n, len(b))
		}
		to := parseName(&p.name)
		for ; len(b) > 0; b = b[min(seg, len(b)):] {
			got[to] = append(got[to], string(b[:min(seg, len(b))]))
		}
	}
	return got
}

func parseSegment(oob []byte) (int, error) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0, err
		}
		if h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_SEGMENT {
			return int(binary.NativeEndian.Uint16(data)), nil
		}
		oob = rest
	}
	return 0, nil
}

// Whatever joins whatever, every packet goes as it is, and those to one address in their order.
func TestJoinedPacketsStayWholeAndInOrder(t *testing.T) {
	o := newOutbox()
	rapid.Check(t, func(t *rapid.T) {
		gso := rapid.Bool().Draw(t, "gso")
		want := map[netip.AddrPort][]string{}
		var ds []Datagram
		number := 0
		for range rapid.IntRange(1, 40).Draw(t, "datagrams") {
			to := netip.MustParseAddrPort(rapid.SampledFrom([]string{"192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1"}).Draw(t, "to"))
			seg := rapid.SampledFrom([]int{30, 31, 1211, 9000}).Draw(t, "seg")
			var b []byte
			n := rapid.IntRange(1, 20).Draw(t, "packets")
			for i := range n {
				number++
				packet := append([]byte(fmt.Sprintf("%06d", number)), bytes.Repeat([]byte{'.'}, seg-6)...)
				if i == n-1 {
					packet = packet[:rapid.IntRange(6, seg).Draw(t, "last")]
				}
				b = append(b, packet...)
				want[to] = append(want[to], string(packet))
			}
			if n == 1 {
				seg = len(b)
			}
			ds = append(ds, Datagram{B: b, Seg: seg, Addr: Addr{AddrPort: to}})
		}
		o.n = 0
		for _, d := range ds {
			o.add(d, gso)
		}
		for i := range o.n {
			o.seal(i)
		}
		got := o.packets(t, gso)
		for to := range want {
			if !slices.Equal(got[to], want[to]) {
				t.Fatalf("%s gets %d packets, not the %d that were sent, or in another order", to, len(got[to]), len(want[to]))
			}
		}
		if !gso && o.n != number {
			t.Fatalf("%d messages for %d packets", o.n, number)
		}
	})
}

func TestFullBuffersJoin(t *testing.T) {
	o := newOutbox()
	for range 3 { // what three reads with GRO bring, and a shorter end
		o.add(Datagram{B: make([]byte, 16*1211), Seg: 1211}, true)
	}
	o.add(Datagram{B: make([]byte, 700), Seg: 700}, true)
	if o.n != 1 || o.parcels[0].size != 48*1211+700 || o.parcels[0].parts != 4 {
		t.Errorf("%d messages, the first of %d bytes", o.n, o.parcels[0].size)
	}
	o.add(Datagram{B: make([]byte, 1211), Seg: 1211}, true)
	if o.n != 2 {
		t.Error("a packet joined one that had ended shorter")
	}
}

func TestNamesOfTheKernel(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo here")
	}
	for in, want := range map[string]string{
		"192.0.2.1:8443": "192.0.2.1:8443", "[2001:db8::1]:1": "[2001:db8::1]:1", "[::ffff:192.0.2.1]:2": "192.0.2.1:2",
		"[fe80::1%lo]:3": "[fe80::1%lo]:3", fmt.Sprintf("[fe80::1%%%d]:4", lo.Index): "[fe80::1%lo]:4",
	} {
		var name unix.RawSockaddrInet6
		setName(&name, netip.MustParseAddrPort(in))
		if got := parseName(&name); got.String() != want {
			t.Errorf("%s becomes %s", in, got)
		}
	}
}
