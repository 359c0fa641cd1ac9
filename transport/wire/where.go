package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Where asks a relay, on any of its ports, where this packet came from; Here is the answer. Both travel without a channel,
// from whoever wants to know what the network does to addresses and to long packets.
//
//	where  18 | nonce 8 | zero, at least 18
//	here   19 | nonce 8 | address 16 | port 2
const (
	TypeWhere = 0x18
	TypeHere  = 0x19

	hereLen = 1 + 8 + 16 + 2
)

// AppendWhere adds a question of n bytes, which is at least as long as its answer.
func AppendWhere(b []byte, nonce uint64, n int) []byte {
	b = binary.BigEndian.AppendUint64(append(b, TypeWhere), nonce)
	return append(b, make([]byte, max(n, hereLen)-1-8)...)
}

// ParseWhere reads the nonce of a question.
func ParseWhere(b []byte) (nonce uint64, err error) {
	if len(b) < hereLen || b[0] != TypeWhere {
		return 0, fmt.Errorf("where: %w", ErrPacket)
	}
	return binary.BigEndian.Uint64(b[1:]), nil
}

// AppendHere adds the answer to a question that came from at.
func AppendHere(b []byte, nonce uint64, at netip.AddrPort) []byte {
	return appendAddr(binary.BigEndian.AppendUint64(append(b, TypeHere), nonce), at)
}

// ParseHere reads an answer.
func ParseHere(b []byte) (nonce uint64, at netip.AddrPort, err error) {
	if len(b) != hereLen || b[0] != TypeHere {
		return 0, at, fmt.Errorf("here: %w", ErrPacket)
	}
	return binary.BigEndian.Uint64(b[1:]), parseAddr(b[9:]), nil
}
