package transporttest

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// NAT is how a box between a machine and the network maps addresses (RFC 4787, 4.1 and 5): the two kinds that matter. Both let
// in only what answers something.
type NAT int

// The kinds.
const (
	Open      NAT = iota // no NAT: the machine has a public address
	Cone                 // one public port for a socket, whoever it talks to
	Symmetric            // another public port for each that it talks to
)

// Internet is a simulated network, with its boxes. It works on virtual time.
type Internet struct {
	latency time.Duration // one way
	running sync.WaitGroup

	mu     sync.Mutex
	nodes  map[netip.AddrPort]*machine // by their own address
	boxes  map[netip.AddrPort]*box     // by each public address
	cut    map[[2]netip.Addr]bool      // pairs of public hosts that do not reach each other
	passed map[netip.Addr]int          // packets from a public host
	closed bool
}

type machine struct {
	box  *box
	recv simnet.PacketReceiver
	in   chan arriving
}

type arriving struct {
	at time.Time
	p  simnet.Packet
}

// box is a NAT, or stands for none.
type box struct {
	kind   NAT
	public netip.Addr
	next   uint16
	out    map[[2]netip.AddrPort]netip.AddrPort // own and other's address to public one; for a cone the other's is zero
	owner  map[netip.AddrPort]netip.AddrPort    // public address to own one
	talked map[[2]netip.AddrPort]bool           // public address and other's
}

// NewInternet makes one that lives as long as the test.
func NewInternet(t testing.TB, latency time.Duration) *Internet {
	n := &Internet{
		latency: latency, nodes: map[netip.AddrPort]*machine{}, boxes: map[netip.AddrPort]*box{}, cut: map[[2]netip.Addr]bool{}, passed: map[netip.Addr]int{},
	}
	t.Cleanup(func() {
		n.mu.Lock()
		n.closed = true
		for _, m := range n.nodes {
			close(m.in)
		}
		n.mu.Unlock()
		n.running.Wait()
	})
	return n
}

// Listen is a socket of a machine: own is its address, public the one that others see, the same where kind is Open.
func (n *Internet) Listen(own netip.AddrPort, public netip.Addr, kind NAT) net.PacketConn {
	b := &box{
		kind: kind, public: public, next: 20000, out: map[[2]netip.AddrPort]netip.AddrPort{}, owner: map[netip.AddrPort]netip.AddrPort{},
		talked: map[[2]netip.AddrPort]bool{},
	}
	n.mu.Lock()
	n.nodes[own] = &machine{box: b, in: make(chan arriving, 4096)}
	n.mu.Unlock()
	return simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(own), n)
}

// Cut lets nothing pass between two public hosts from now on; the relay's may be one.
func (n *Internet) Cut(a, b netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]netip.Addr{a, b}], n.cut[[2]netip.Addr{b, a}] = true, true
}

// Passed is how many packets a public host has sent.
func (n *Internet) Passed(from netip.Addr) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.passed[from]
}

// AddNode implements simnet.Router.
func (n *Internet) AddNode(addr net.Addr, recv simnet.PacketReceiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.nodes[plainAddr(addr)]
	m.recv = recv
	n.running.Go(func() {
		for d := range m.in {
			time.Sleep(time.Until(d.at))
			m.recv.RecvPacket(d.p)
		}
	})
}

// SendPacket implements simnet.Router.
func (n *Internet) SendPacket(p simnet.Packet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	from := n.nodes[plainAddr(p.From)]
	if from == nil || n.closed {
		return nil
	}
	src, dst := n.leave(from.box, plainAddr(p.From), plainAddr(p.To)), plainAddr(p.To)
	n.passed[src.Addr()]++
	own := n.arrive(src, dst)
	to := n.nodes[own]
	if to == nil || n.cut[[2]netip.Addr{src.Addr(), dst.Addr()}] {
		return nil
	}
	p.From, p.To = net.UDPAddrFromAddrPort(src), net.UDPAddrFromAddrPort(own)
	select {
	case to.in <- arriving{time.Now().Add(n.latency), p}:
	default:
	}
	return nil
}

// leave is the public address that a packet leaves its box with; n.mu is held.
func (n *Internet) leave(b *box, own, to netip.AddrPort) netip.AddrPort {
	if b.kind == Open {
		return own
	}
	key := [2]netip.AddrPort{own}
	if b.kind == Symmetric {
		key[1] = to
	}
	public, ok := b.out[key]
	if !ok {
		b.next++
		public = netip.AddrPortFrom(b.public, b.next)
		b.out[key], b.owner[public], n.boxes[public] = public, own, b
	}
	b.talked[[2]netip.AddrPort{public, to}] = true
	return public
}

// arrive is whose packet it is, zero when a box does not let it in; n.mu is held.
func (n *Internet) arrive(src, dst netip.AddrPort) netip.AddrPort {
	b := n.boxes[dst]
	if b == nil {
		if m := n.nodes[dst]; m != nil && m.box.kind == Open {
			return dst
		}
		return netip.AddrPort{} // private addresses lead nowhere from outside
	}
	if !b.talked[[2]netip.AddrPort{dst, src}] {
		return netip.AddrPort{}
	}
	return b.owner[dst]
}

func plainAddr(a net.Addr) netip.AddrPort {
	at := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
