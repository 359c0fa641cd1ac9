package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Packets between two ends of a link that look for a direct path, and travel it, have the same first bytes as those beside
// the outer connection; in place of the channel is the tag of the end that they go to, which only the two ends know.
//
//	probe      16 | tag 8 | counter 8 | zero 18 | mac 16              are you there?
//	probe ack  17 | tag 8 | counter 8 | address 16 | port 2 | mac 16  yes, and this is where you are seen
//	forward    10 | tag 8 | zero 2 | QUIC packet of the end-to-end connection
//
// The MACs are under a secret that only the two ends of the link can make. An ack is as long as its probe.
const (
	TypeProbe    = 0x16
	TypeProbeAck = 0x17

	probeLen = 1 + 8 + 8 + 16 + 2 + macLen
)

// Probe asks whether an address leads to the other end. Counter grows strictly with every probe of a link.
type Probe struct {
	Tag     uint64
	Counter uint64
}

// Append appends the packet to b, with a MAC under the link's secret.
func (p Probe) Append(b, secret []byte) []byte {
	start := len(b)
	b = appendHead(b, TypeProbe, p.Tag, p.Counter)
	b = append(b, make([]byte, 16+2)...)
	return appendMAC(b, start, secret)
}

// ParseProbe reads a Probe; whether it is authentic is Authentic's answer.
func ParseProbe(b []byte) (Probe, error) {
	if len(b) != probeLen || b[0] != TypeProbe || [18]byte(b[17:]) != ([18]byte{}) {
		return Probe{}, fmt.Errorf("probe: %w", ErrPacket)
	}
	return Probe{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])}, nil
}

// ProbeAck answers the Probe of the same counter, which came from Observed.
type ProbeAck struct {
	Tag      uint64
	Counter  uint64
	Observed netip.AddrPort
}

// Append appends the packet to b, with a MAC under the link's secret.
func (p ProbeAck) Append(b, secret []byte) []byte {
	start := len(b)
	b = appendHead(b, TypeProbeAck, p.Tag, p.Counter)
	return appendMAC(appendAddr(b, p.Observed), start, secret)
}

// ParseProbeAck reads a ProbeAck; whether it is authentic is Authentic's answer.
func ParseProbeAck(b []byte) (ProbeAck, error) {
	if len(b) != probeLen || b[0] != TypeProbeAck {
		return ProbeAck{}, fmt.Errorf("probe ack: %w", ErrPacket)
	}
	return ProbeAck{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), parseAddr(b[17:])}, nil
}

// MaxAddresses is how many an end may be reached at.
const MaxAddresses = 8

// Whereabouts is the payload of a DatagramPath: where an end may be reached directly. Seq grows with each change; Heard is
// the newest Seq of the other end, so that both know when to stop saying it.
//
//	seq uvarint | heard uvarint | tag 8 | addresses, each address 16 | port 2
type Whereabouts struct {
	Seq, Heard uint64
	Tag        uint64 // of this end: what packets to it bear
	At         []netip.AddrPort
}

// Append appends the payload to b; of At the first MaxAddresses.
func (w Whereabouts) Append(b []byte) []byte {
	b = binary.AppendUvarint(binary.AppendUvarint(b, w.Seq), w.Heard)
	b = binary.BigEndian.AppendUint64(b, w.Tag)
	for _, at := range w.At[:min(len(w.At), MaxAddresses)] {
		b = appendAddr(b, at)
	}
	return b
}

// ParseWhereabouts reads what Append makes.
func ParseWhereabouts(b []byte) (w Whereabouts, err error) {
	bad := fmt.Errorf("whereabouts: %w", ErrPacket)
	for _, n := range []*uint64{&w.Seq, &w.Heard} {
		var size int
		if *n, size = binary.Uvarint(b); size <= 0 {
			return Whereabouts{}, bad
		}
		b = b[size:]
	}
	const one = 16 + 2
	if len(b) < 8 || (len(b)-8)%one != 0 || (len(b)-8)/one > MaxAddresses {
		return Whereabouts{}, bad
	}
	w.Tag = binary.BigEndian.Uint64(b)
	for b = b[8:]; len(b) > 0; b = b[one:] {
		w.At = append(w.At, parseAddr(b))
	}
	return w, nil
}

func appendAddr(b []byte, at netip.AddrPort) []byte {
	ip := at.Addr().As16()
	return binary.BigEndian.AppendUint16(append(b, ip[:]...), at.Port())
}

// parseAddr reads an address; IPv4 is not mapped in what it returns.
func parseAddr(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[16:]))
}
