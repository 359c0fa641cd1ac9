package udp

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// Limits of one GSO send: UDP_MAX_SEGMENTS was 64 until Linux 6.9 made it 128, and a UDP packet has at most 65507 bytes.
const (
	maxSegments = 64
	maxGSO      = 65507
)

// msgConn is what batched needs of a socket: what *net.UDPConn has.
type msgConn interface {
	net.Conn
	net.PacketConn
	SyscallConn() (syscall.RawConn, error)
	WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error)
}

// batched reads and sends many packets a system call.
type batched struct {
	conn msgConn // set once
	many *ipv4.PacketConn
	gro  bool
	wild bool // bound to no particular address
	gso  atomic.Bool

	msgs []ipv4.Message // owned by the reading goroutine
	outs sync.Pool      // of *outbox
}

// newBatched may take the socket out of udp; conn is what to use in its place.
func newBatched(udp *net.UDPConn, opt Options) (link packetIO, conn net.PacketConn) {
	var c msgConn = udp
	if opt.Dedicated && runtime.GOMAXPROCS(0) > 1 { // the only thread that runs Go must not wait in the kernel
		c = dedicate(udp)
	}
	b := &batched{conn: c, many: ipv4.NewPacketConn(c), wild: addrPort(c.LocalAddr()).Addr().IsUnspecified()}
	b.outs.New = func() any { return new(outbox) }
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, c
	}
	err = raw.Control(func(fd uintptr) { b.setOptions(int(fd), opt) })
	if err != nil {
		return nil, c
	}
	size, count := maxCoalesced, opt.Batch
	if !b.gro {
		size, count = maxPacket, 8*opt.Batch // without GRO a read brings one packet a buffer
	}
	b.msgs = make([]ipv4.Message, count)
	for i := range b.msgs {
		b.msgs[i] = ipv4.Message{Buffers: [][]byte{make([]byte, size)}, OOB: make([]byte, 128)}
	}
	return b, c
}

// setOptions asks for what helps; what the kernel refuses is done without.
func (b *batched) setOptions(fd int, opt Options) {
	for _, o := range [][2]int{{unix.SO_RCVBUF, unix.SO_RCVBUFFORCE}, {unix.SO_SNDBUF, unix.SO_SNDBUFFORCE}} {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[0], kernelBuffer)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[1], kernelBuffer)
	}
	if b.wild {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	}
	if opt.Plain {
		return
	}
	b.gro = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) == nil
	_, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	b.gso.Store(err == nil)
}

func (b *batched) batch() int { return len(b.msgs) }

func (b *batched) read(in []received) (int, error) {
	for i := range b.msgs {
		b.msgs[i].OOB = b.msgs[i].OOB[:cap(b.msgs[i].OOB)]
	}
	n, err := b.many.ReadBatch(b.msgs, unix.MSG_WAITFORONE)
	if err != nil {
		return 0, err
	}
	got := 0
	for i := range b.msgs[:n] {
		m := &b.msgs[i]
		from, ok := m.Addr.(*net.UDPAddr)
		if m.N == 0 || !ok {
			continue
		}
		d := Datagram{m.Buffers[0][:m.N], m.N, Addr{AddrPort: addrPort(from)}}
		oob := m.OOB[:m.NN]
		seg, local := parseControl(oob)
		if seg > 0 {
			d.Seg = seg
		}
		if b.wild {
			d.Addr.Local = local
		}
		in[got] = received{d, from, oob}
		got++
	}
	return got, nil
}

func (b *batched) send(ds []Datagram) error {
	out := b.outs.Get().(*outbox)
	defer b.outs.Put(out)
	gso := b.gso.Load()
	err := out.send(b.many, ds, gso)
	if gso && errors.Is(err, unix.EIO) { // udp(7): no checksum offload on this device, so no GSO either
		b.gso.Store(false)
		err = out.send(b.many, ds, false)
	}
	return err
}

func (b *batched) view(s *Socket) net.PacketConn { return batchedConn{plainConn{s}, b} }

// batchedConn is a Socket as quic-go's fast kind of connection (quic.OOBCapablePacketConn with ReadBatch).
type batchedConn struct {
	plainConn
	b *batched
}

// ReadBatch fills ms with QUIC packets. It returns none only with an error.
func (c batchedConn) ReadBatch(ms []ipv4.Message, _ int) (int, error) {
	if err := c.s.next(); err != nil {
		return 0, err
	}
	rs := c.s.take(len(ms))
	for i, r := range rs {
		ms[i].N = copy(ms[i].Buffers[0], r.B)
		ms[i].NN = copy(ms[i].OOB, r.oob)
		ms[i].Addr = r.from
	}
	return len(rs), nil
}

// ReadMsgUDP is not called by quic-go once there is ReadBatch.
func (c batchedConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	if err := c.s.next(); err != nil {
		return 0, 0, 0, nil, err
	}
	r := c.s.take(1)[0]
	return copy(b, r.B), copy(oob, r.oob), 0, r.from, nil
}

func (c batchedConn) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	n, oobn, err := c.b.conn.WriteMsgUDP(b, oob, to)
	if transientSend(err) {
		c.s.swallowed.Add(1)
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

func (c batchedConn) SyscallConn() (syscall.RawConn, error) { return c.b.conn.SyscallConn() }

var _ quic.OOBCapablePacketConn = batchedConn{}

// localOf is the address in a pktinfo control message, or zero.
func localOf(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
