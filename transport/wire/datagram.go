package wire

import (
	"encoding/binary"
	"fmt"
)

// DatagramKind is the first byte of every QUIC DATAGRAM (RFC 9221) inside the end-to-end link. What travels so may be lost,
// doubled or overtaken: it is state that is sent again until it is acknowledged.
type DatagramKind byte

// The datagrams of a link. Retired numbers stay reserved.
const (
	DatagramInput DatagramKind = 1 // from the console: input events that are not acknowledged
	DatagramTaken DatagramKind = 2 // from the host: up to which event it has them
	DatagramPath  DatagramKind = 3 // both ways, within package transport: where this end may be reached directly
	DatagramNudge DatagramKind = 4 // from who misses a heartbeat: says nothing, but QUIC acknowledges it
)

// MaxDatagram is the longest datagram in bytes with its kind: what fits a packet of 1200 bytes with all that QUIC adds.
const MaxDatagram = 1100

// AppendTaken adds the payload of a DatagramTaken: every event up to seq has arrived.
func AppendTaken(b []byte, seq uint64) []byte { return binary.AppendUvarint(b, seq) }

// ParseTaken reads what AppendTaken makes.
func ParseTaken(b []byte) (seq uint64, err error) {
	seq, n := binary.Uvarint(b)
	if n <= 0 || n != len(b) {
		return 0, fmt.Errorf("taken: %w", ErrPacket)
	}
	return seq, nil
}
