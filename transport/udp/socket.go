// Package udp is one UDP socket shared by QUIC and by the packets that travel beside it.
//
// A Socket is read by exactly one goroutine: the read loop of the quic.Transport that PacketConn was given to. Packets whose
// first byte is below 0x40 go from there to the Receiver, in batches and without being copied; the rest goes to QUIC.
// Anyone may send. On Linux it reads and sends many packets in one system call (recvmmsg, sendmmsg) and many packets in one
// buffer (UDP GRO and GSO, Linux 5.0) where the kernel has them; elsewhere, or over a net.PacketConn that is not a UDP
// socket, one packet at a time.
//
// A slow Receiver holds up the socket, and then the kernel drops what does not fit its buffer (7 MiB asked for). Sends do not
// wait for anything but the kernel's buffer. Errors of sending that may pass (no route, no buffer, not permitted) are
// counted and swallowed, because QUIC repairs losses but gives up a connection on an error. The package starts no goroutine.
package udp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"assist/transport/wire"
)

// Sizes of buffers in bytes.
const (
	kernelBuffer = 7 << 20 // what quic-go asks for as well
	maxPacket    = 2048    // one packet: more than any Ethernet frame
	maxCoalesced = 1 << 16 // one GRO buffer: the length field of IPv4 and UDP
)

// Addr is the other end of a packet.
type Addr struct {
	netip.AddrPort            // never a mapped IPv4 address
	Local          netip.Addr // which own address it came to or goes from; zero where the socket is bound to one
}

// Datagram is one or more packets to or from one address: each is Seg bytes long, only the last may be shorter.
type Datagram struct {
	B    []byte
	Seg  int
	Addr Addr
}

// Packets counts the packets in d.
func (d Datagram) Packets() int { return (len(d.B) + d.Seg - 1) / d.Seg }

// Receiver gets the packets that are not QUIC. The reading goroutine calls it.
type Receiver interface {
	// Receive hands over packets that are all not QUIC. The bytes may be changed, and stay valid until Flush returns.
	Receive(Datagram)
	// Flush ends a batch.
	Flush()
}

// Options of a Socket.
type Options struct {
	// Plain switches GRO and GSO off, as on a kernel without them; packets are still read and sent many at a time.
	Plain bool
	// Dedicated gives the reader an OS thread that waits in the kernel, where there is more than one thread for Go: less CPU
	// under load, but a deadline may pass half a second before it is noticed. Linux only.
	Dedicated bool
	// Batch is how many buffers one read may fill; 0 means 8.
	Batch int
}

// Socket is the socket.
type Socket struct {
	pc   net.PacketConn // set once
	link packetIO       // set once
	recv Receiver       // set once, before the first read

	// Owned by the reading goroutine.
	in    []received
	queue []received // QUIC packets not yet taken by quic-go
	woke  bool       // the last batch had some

	dedicated bool // set once

	calm      Calm
	swallowed atomic.Uint64
}

// received is a packet, or a run of packets, and the control messages it came with.
type received struct {
	Datagram
	oob []byte
}

// packetIO is how packets get in and out on this system.
type packetIO interface {
	// read fills what it can of in, at least one, and says how many. What it hands out is valid until the next read.
	read(in []received) (int, error)
	// send sends every packet of every datagram; it goes on after errors that concern one packet.
	send(ds []Datagram) error
	// view is what quic-go is given; quic-go looks at the methods of its type.
	view(s *Socket) net.PacketConn
	batch() int
}

// Listen opens a socket on network ("udp", "udp4", "udp6") and addr (host:port, port 0 for any).
func Listen(network, addr string, recv Receiver, opt Options) (*Socket, error) {
	at, err := net.ResolveUDPAddr(network, addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	c, err := net.ListenUDP(network, at)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return New(c, recv, opt), nil
}

// New puts a Socket around pc, which it owns from then on.
func New(pc net.PacketConn, recv Receiver, opt Options) *Socket {
	quietQUIC()
	if opt.Batch == 0 {
		opt.Batch = 8
	}
	s := &Socket{pc: pc, recv: recv, dedicated: opt.Dedicated}
	if c, ok := pc.(*net.UDPConn); ok {
		s.link, s.pc = newBatched(c, opt)
	}
	if s.link == nil {
		s.link = newPlain(s.pc)
	}
	s.in = make([]received, s.link.batch())
	return s
}

// quietQUIC keeps quic-go from printing that the kernel grants smaller buffers than it asks for: it prints through package
// log into whatever terminal is there. The variable is the documented switch.
func quietQUIC() { _ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true") }

// PacketConn is what a quic.Transport reads and writes.
func (s *Socket) PacketConn() net.PacketConn { return s.link.view(s) }

// Raw gives access to the socket's options; ok is false where there is no kernel socket, or quic-go could not use its batches.
func (s *Socket) Raw() (raw syscall.RawConn, ok bool) {
	c, batched := s.PacketConn().(syscall.Conn)
	if !batched {
		return nil, false
	}
	raw, err := c.SyscallConn()
	return raw, err == nil
}

// LocalAddr is the address the socket is bound to.
func (s *Socket) LocalAddr() netip.AddrPort { return addrPort(s.pc.LocalAddr()) }

// Swallowed counts the sends that failed in a way that may pass.
func (s *Socket) Swallowed() uint64 { return s.swallowed.Load() }

// Close closes the socket; a read under way returns net.ErrClosed.
func (s *Socket) Close() error { return s.pc.Close() }

// Send sends all packets of all datagrams. Only a closed socket is an error.
func (s *Socket) Send(ds ...Datagram) error {
	err := s.link.send(ds)
	if err == nil || errors.Is(err, net.ErrClosed) {
		return err
	}
	s.swallowed.Add(1)
	return nil
}

// next reads until there is at least one QUIC packet in the queue. A reader that is about to wait in the kernel first lets those run whom
// the last ones have woken: they would wait for Go's monitoring thread to find it there, and that thread then naps for 20 µs at a time
// (sysmon in runtime/proc.go), which was a quarter of what a relay with idle sessions took.
func (s *Socket) next() error {
	if s.woke && s.dedicated && len(s.queue) == 0 {
		s.woke = false
		runtime.Gosched()
	}
	for len(s.queue) == 0 {
		n, err := s.link.read(s.in)
		if err != nil {
			if transientRead(err) {
				continue
			}
			return err
		}
		s.queue = s.queue[:0]
		for _, r := range s.in[:n] {
			s.sort(r)
		}
		s.recv.Flush()
	}
	s.woke = true
	return nil
}

// sort gives runs of packets that are not QUIC to the receiver, the others to the queue.
func (s *Socket) sort(r received) {
	b := r.B
	for len(b) > 0 {
		beside := b[0] < wire.FirstQUIC
		end := min(r.Seg, len(b))
		for end < len(b) && (b[end] < wire.FirstQUIC) == beside {
			end = min(end+r.Seg, len(b))
		}
		if beside {
			s.recv.Receive(Datagram{b[:end], r.Seg, r.Addr})
		} else {
			s.enqueue(r, b[:end])
		}
		b = b[end:]
	}
}

func (s *Socket) enqueue(r received, b []byte) {
	for len(b) > 0 {
		n := min(r.Seg, len(b))
		if b[0]&0x80 != 0 { // of a handshake
			s.calm.Heard(b[:n], time.Now())
		}
		s.queue = append(s.queue, received{Datagram{b[:n], n, r.Addr}, r.oob})
		b = b[n:]
	}
}

// take removes up to n packets from the queue.
func (s *Socket) take(n int) []received {
	n = min(n, len(s.queue))
	out := s.queue[:n]
	s.queue = s.queue[n:]
	return out
}

func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
