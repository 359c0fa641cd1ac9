package udp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// outbox turns datagrams into the messages of sendmmsg, reusing all of its memory.
type outbox struct {
	msgs  []ipv4.Message
	slots []*slot // one a message, what it points to
	n     int
}

// slot is what one message points to.
type slot struct {
	bufs [1][]byte
	addr net.UDPAddr
	ip   [16]byte
	oob  [128]byte
}

// send sends every packet of ds.
func (o *outbox) send(c *ipv4.PacketConn, ds []Datagram, gso bool) error {
	o.n = 0
	for _, d := range ds {
		o.add(d, gso)
	}
	return o.flush(c)
}

// add appends the messages for d: one for as many packets as GSO takes, else one each.
func (o *outbox) add(d Datagram, gso bool) {
	step := d.Seg
	if gso {
		step = d.Seg * max(1, min(maxSegments, maxGSO/d.Seg))
	}
	for b := d.B; len(b) > 0; {
		n := min(step, len(b))
		o.message(b[:n], d.Seg, d.Addr)
		b = b[n:]
	}
}

func (o *outbox) message(b []byte, seg int, to Addr) {
	if o.n == len(o.msgs) {
		o.msgs = append(o.msgs, ipv4.Message{})
		o.slots = append(o.slots, new(slot))
	}
	s := o.slots[o.n]
	s.bufs[0] = b
	s.setAddr(to.AddrPort)
	oob := s.oob[:0]
	if len(b) > seg {
		oob = appendControl(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(oob[unix.CmsgSpace(0):], uint16(seg))
	}
	if to.Local.IsValid() {
		oob = appendSource(oob, to.Local)
	}
	o.msgs[o.n] = ipv4.Message{Buffers: s.bufs[:], OOB: oob, Addr: &s.addr}
	o.n++
}

func (s *slot) setAddr(to netip.AddrPort) {
	a := to.Addr()
	if a.Is4() {
		ip := a.As4()
		s.addr.IP = s.ip[:copy(s.ip[:], ip[:])]
	} else {
		s.ip = a.As16()
		s.addr.IP = s.ip[:]
	}
	s.addr.Port = int(to.Port())
	s.addr.Zone = a.Zone()
}

// flush sends all messages. One that cannot be sent is left out; the first such error is returned. EIO ends it at once.
func (o *outbox) flush(c *ipv4.PacketConn) error {
	var first error
	for ms := o.msgs[:o.n]; len(ms) > 0; {
		n, err := c.WriteBatch(ms, 0)
		if err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if errors.Is(err, net.ErrClosed) || errors.Is(err, unix.EIO) {
				return err
			}
			if first == nil {
				first = err
			}
			n = max(n, 0) + 1 // sendmmsg reports an error only for the first message of a call
		}
		ms = ms[min(n, len(ms)):]
	}
	return first
}

// appendControl appends a control message with n zero bytes of data (cmsg(3)).
func appendControl(b []byte, level, kind, n int) []byte {
	start := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(n))...)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[start]))
	h.Level, h.Type = int32(level), int32(kind)
	h.SetLen(unix.CmsgLen(n))
	return b
}

// appendSource appends the control message that makes local the source address (ip(7) in_pktinfo, ipv6(7) in6_pktinfo).
func appendSource(b []byte, local netip.Addr) []byte {
	at := len(b) + unix.CmsgSpace(0)
	if local.Is4() {
		b = appendControl(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		ip := local.As4()
		copy(b[at+4:], ip[:]) // ipi_spec_dst
		return b
	}
	b = appendControl(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	ip := local.As16()
	copy(b[at:], ip[:]) // ipi6_addr
	return b
}

// parseControl reads the size of a packet in a GRO buffer (0 if it is not one) and the address that the packet came to.
func parseControl(oob []byte) (seg int, local netip.Addr) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return seg, local
		}
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			seg = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 2:
			seg = int(binary.NativeEndian.Uint16(data))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			local = localOf(data[8:12]) // ipi_addr
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			local = localOf(data[:16]) // ipi6_addr
		}
		oob = rest
	}
	return seg, local
}
