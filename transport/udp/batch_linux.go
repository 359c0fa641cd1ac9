package udp

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// msgConn is what batched needs of a socket: what *net.UDPConn has.
type msgConn interface {
	net.PacketConn
	SyscallConn() (syscall.RawConn, error)
	WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (n, oobn int, err error)
}

// batched reads and sends many packets a system call.
type batched struct {
	conn msgConn // set once
	raw  syscall.RawConn
	gro  bool
	wild bool // bound to no particular address
	gso  atomic.Bool

	in   *inbox    // owned by the reading goroutine
	outs sync.Pool // of *outbox
}

// newBatched may take the socket out of udp; conn is what to use in its place.
func newBatched(udp *net.UDPConn, opt Options) (link packetIO, conn net.PacketConn) {
	var c msgConn = udp
	if opt.Dedicated && runtime.GOMAXPROCS(0) > 1 { // the only thread that runs Go must not wait in the kernel
		c = dedicate(udp)
	}
	b := &batched{conn: c, wild: addrPort(c.LocalAddr()).Addr().IsUnspecified()}
	b.outs.New = func() any { return newOutbox() }
	var err error
	if b.raw, err = c.SyscallConn(); err != nil {
		return nil, c
	}
	if b.raw.Control(func(fd uintptr) { b.setOptions(int(fd), opt) }) != nil {
		return nil, c
	}
	size, count := maxCoalesced, opt.Batch
	if !b.gro {
		size, count = maxPacket, 8*opt.Batch // without GRO a read brings one packet a buffer
	}
	b.in = newInbox(count, size)
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

func (b *batched) batch() int { return len(b.in.msgs) }

func (b *batched) read(in []received) (int, error) {
	n, err := b.in.read(b.raw)
	if err != nil {
		return 0, err
	}
	got := 0
	for i := range n {
		bytes, from, oob := b.in.take(i)
		if len(bytes) == 0 || !from.IsValid() {
			continue
		}
		d := Datagram{bytes, len(bytes), Addr{AddrPort: from}}
		seg, local := parseControl(oob)
		if seg > 0 {
			d.Seg = seg
		}
		if b.wild {
			d.Addr.Local = local
		}
		in[got] = received{d, oob}
		got++
	}
	return got, nil
}

func (b *batched) send(ds []Datagram) error {
	out := b.outs.Get().(*outbox)
	defer b.outs.Put(out)
	gso := b.gso.Load()
	err := out.send(b.raw, ds, gso)
	if gso && errors.Is(err, unix.EIO) { // udp(7): no checksum offload on this device, so no GSO either
		b.gso.Store(false)
		err = out.send(b.raw, ds, false)
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
		ms[i].Addr = net.UDPAddrFromAddrPort(r.Addr.AddrPort)
	}
	return len(rs), nil
}

// ReadMsgUDP is not called by quic-go once there is ReadBatch.
func (c batchedConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	if err := c.s.next(); err != nil {
		return 0, 0, 0, nil, err
	}
	r := c.s.take(1)[0]
	return copy(b, r.B), copy(oob, r.oob), 0, net.UDPAddrFromAddrPort(r.Addr.AddrPort), nil
}

func (c batchedConn) WriteMsgUDP(b, oob []byte, to *net.UDPAddr) (int, int, error) {
	if !c.s.calm.Pass(b, time.Now()) {
		return len(b), len(oob), nil
	}
	n, oobn, err := c.b.conn.WriteMsgUDP(b, oob, to)
	if transientSend(err) {
		c.s.swallowed.Add(1)
		return len(b), len(oob), nil
	}
	return n, oobn, err
}

func (c batchedConn) SyscallConn() (syscall.RawConn, error) { return c.b.raw, nil }

var _ quic.OOBCapablePacketConn = batchedConn{}

// localOf is the address in a pktinfo control message, or zero.
func localOf(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
