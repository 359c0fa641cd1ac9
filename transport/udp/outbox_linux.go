package udp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Limits of one GSO send: UDP_MAX_SEGMENTS was 64 until Linux 6.9 made it 128, and a UDP packet has at most 65507 bytes.
const (
	maxSegments = 64
	maxGSO      = 65507
)

const (
	maxParts = 8 // datagrams in one GSO send
	lookBack = 8 // messages, for one that another datagram to the same address can join
)

// outbox turns datagrams into the messages of sendmmsg, reusing all of its memory. Datagrams to one address become one GSO send where
// they fit together: packets of one size, of which the last may be shorter.
type outbox struct {
	*mmsg
	room    []message
	parcels []*parcel // one a message
	n       int
}

// parcel is what one message points to.
type parcel struct {
	to        Addr
	seg, size int // bytes of a packet, and of all
	parts     int

	name unix.RawSockaddrInet6
	iov  [maxParts]unix.Iovec
	oob  [128]byte
}

func newOutbox() *outbox { return &outbox{mmsg: newMmsg(unix.SYS_SENDMMSG)} }

// send sends every packet of ds.
func (o *outbox) send(raw syscall.RawConn, ds []Datagram, gso bool) error {
	o.n = 0
	for _, d := range ds {
		o.add(d, gso)
	}
	for i := range o.n {
		o.seal(i)
	}
	return o.flush(raw)
}

// add puts the packets of d into messages: as many as GSO takes into each, else one.
func (o *outbox) add(d Datagram, gso bool) {
	step, b := d.Seg, d.B
	if gso {
		b = b[o.join(d):]
		step = d.Seg * segments(d.Seg)
	}
	for len(b) > 0 {
		n := min(step, len(b))
		p := o.next()
		p.to, p.seg, p.size, p.parts = d.Addr, d.Seg, 0, 0
		p.put(b[:n])
		b = b[n:]
	}
}

// segments is how many packets of a size GSO takes.
func segments(seg int) int { return max(1, min(maxSegments, maxGSO/seg)) }

// join adds what it can of d to the newest message to its address, and says how many bytes that are. No packet overtakes another.
func (o *outbox) join(d Datagram) (n int) {
	for i := o.n - 1; i >= max(0, o.n-lookBack); i-- {
		p := o.parcels[i]
		if p.to != d.Addr {
			continue
		}
		if p.size%p.seg != 0 || p.parts == maxParts || (d.Seg != p.seg && (d.Seg > p.seg || len(d.B) > d.Seg)) {
			return 0
		}
		if n = min((segments(p.seg)-p.size/p.seg)*p.seg, len(d.B)); n > 0 {
			p.put(d.B[:n])
		}
		return n
	}
	return 0
}

// next is the parcel of another message.
func (o *outbox) next() *parcel {
	if o.n == len(o.parcels) {
		p := new(parcel)
		o.parcels = append(o.parcels, p)
		o.room = append(o.room, message{hdr: unix.Msghdr{Name: (*byte)(unsafe.Pointer(&p.name)), Iov: &p.iov[0], Control: &p.oob[0]}})
	}
	o.n++
	return o.parcels[o.n-1]
}

func (p *parcel) put(b []byte) {
	p.iov[p.parts].Base = &b[0]
	p.iov[p.parts].SetLen(len(b))
	p.parts++
	p.size += len(b)
}

// seal says in a message's header what its parcel has become.
func (o *outbox) seal(i int) {
	p, h := o.parcels[i], &o.room[i].hdr
	h.Namelen = setName(&p.name, p.to.AddrPort)
	h.SetIovlen(p.parts)
	oob := p.oob[:0]
	if p.size > p.seg {
		oob = appendControl(oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(oob[unix.CmsgSpace(0):], uint16(p.seg))
	}
	if p.to.Local.IsValid() {
		oob = appendSource(oob, p.to.Local)
	}
	h.SetControllen(len(oob))
}

// flush sends all messages. One that cannot be sent is left out; the first such error is returned. EIO ends it at once.
func (o *outbox) flush(raw syscall.RawConn) error {
	var first error
	for o.msgs = o.room[:o.n]; len(o.msgs) > 0; {
		n, err := o.end("sendmmsg", raw.Write(o.do))
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
			n = 1 // sendmmsg reports an error only for the first message of a call
		}
		o.msgs = o.msgs[min(n, len(o.msgs)):]
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
