package sessiontest

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"

	"assist/transport/transporttest"
	"assist/transport/wire"
)

// Sim runs a test in a bubble of testing/synctest with a simulated network: the programs are real, time and packets are
// not. What waits for seconds takes none. The same seed loses the same share of packets.
func Sim(t *testing.T, seed uint64, test func(t *testing.T, r *Relay)) {
	t.Helper()
	dir := t.TempDir() // made outside: the bubble's files are real
	synctest.Test(t, func(t *testing.T) {
		n := &network{dice: rand.New(rand.NewPCG(seed, 1)), nodes: map[netip.AddrPort]*node{}}
		t.Cleanup(n.close)
		test(t, newRelay(t, dir, n))
	})
}

// network carries packets between nodes. It is a simnet.Router.
type network struct {
	running sync.WaitGroup

	mu     sync.Mutex
	dice   *rand.Rand
	nodes  map[netip.AddrPort]*node
	last   byte // of the addresses given out
	apart  bool // nobody reaches anybody but the relay
	closed bool
}

// node is one socket. What comes from one other socket is delivered in order, by a goroutine for each.
type node struct {
	path *Path
	recv simnet.PacketReceiver
	from map[netip.AddrPort]chan delivery
}

type delivery struct {
	at time.Time
	p  simnet.Packet
}

// inbox is how many packets are on their way from one node to another; more are lost.
const inbox = 4096

// Path is what lies between one machine and the network. An MTU is not simulated.
type Path struct {
	net  *network
	host netip.Addr

	mu   sync.Mutex
	now  transporttest.Conditions
	port uint16
	free [2]time.Time // when the line has sent what it has, out and in
	sum  [2]Carried
}

// Carried is what passed a path in one direction: packets between the two ends of a session, with the relay's header, and
// those for the relay itself, in bytes of UDP.
type Carried struct{ Link, Relay, Packets int }

// Carried is what left and what came until now.
func (p *Path) Carried() (out, in Carried) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sum[0], p.sum[1]
}

func (p *Path) count(way int, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := wire.ParseForward(b); err == nil {
		p.sum[way].Link += len(b)
		p.sum[way].Packets++
	} else {
		p.sum[way].Relay += len(b)
	}
}

// relayPort is where a relay listens.
const relayPort = 443

// newPath is a machine with an address of its own.
func (n *network) newPath(c transporttest.Conditions) *Path {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	return &Path{net: n, host: netip.AddrFrom4([4]byte{10, 0, 0, n.last}), now: c, port: 1000}
}

// Set changes the conditions for packets from now on.
func (p *Path) Set(c transporttest.Conditions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = c
}

func (p *Path) conditions() transporttest.Conditions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// open is a socket of this machine.
func (p *Path) open() (net.PacketConn, error) {
	p.mu.Lock()
	p.port++
	port := p.port
	p.mu.Unlock()
	return p.openAt(port)
}

func (p *Path) openAt(port uint16) (net.PacketConn, error) {
	at := netip.AddrPortFrom(p.host, port)
	p.net.mu.Lock()
	if old := p.net.nodes[at]; old != nil {
		old.close()
	}
	p.net.nodes[at] = &node{path: p, from: map[netip.AddrPort]chan delivery{}}
	p.net.mu.Unlock()
	return simnet.NewBlockingSimConn(net.UDPAddrFromAddrPort(at), p.net), nil
}

// AddNode implements simnet.Router for a node that open has made.
func (n *network) AddNode(addr net.Addr, recv simnet.PacketReceiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := n.nodes[addr.(*net.UDPAddr).AddrPort()]
	x.recv = recv
}

// lane is what is on its way from one socket to x. It needs the network's mu.
func (n *network) lane(x *node, from netip.AddrPort) chan delivery {
	in := x.from[from]
	if in == nil {
		in = make(chan delivery, inbox)
		x.from[from] = in
		n.running.Go(func() { x.deliver(in) })
	}
	return in
}

func (x *node) close() {
	for _, in := range x.from {
		close(in)
	}
	x.from = nil
}

// SendPacket implements simnet.Router.
func (n *network) SendPacket(p simnet.Packet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	from, to := n.nodes[addrPort(p.From)], n.nodes[addrPort(p.To)]
	reach := !n.apart || addrPort(p.From).Port() == relayPort || addrPort(p.To).Port() == relayPort
	if n.closed || from == nil || to == nil || to.recv == nil || !reach {
		return nil // lost
	}
	at := time.Now()
	for way, path := range []*Path{from.path, to.path} {
		c := path.conditions()
		path.count(way, p.Data)
		if !path.fits(&at, way, len(p.Data), c) {
			return nil
		}
		if c.Down || c.Loss > 0 && n.dice.Float64() < c.Loss {
			return nil
		}
		at = at.Add(c.Delay)
		if c.Jitter > 0 {
			at = at.Add(time.Duration(n.dice.Int64N(int64(c.Jitter))))
		}
	}
	select {
	case n.lane(to, addrPort(p.From)) <- delivery{at, p}:
	default:
	}
	return nil
}

// fits sends a packet over the line, which lets some wait and drops the rest.
func (p *Path) fits(at *time.Time, way, size int, c transporttest.Conditions) bool {
	if c.Rate == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free[way].Before(*at) {
		p.free[way] = *at
	}
	if p.free[way].Sub(*at) > c.Holds() {
		return false
	}
	p.free[way] = p.free[way].Add(time.Duration(size+headers) * time.Second / time.Duration(c.Rate))
	*at = p.free[way]
	return true
}

const headers = 40 + 8 // IPv6 and UDP

func addrPort(a net.Addr) netip.AddrPort {
	at := a.(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func (x *node) deliver(in <-chan delivery) {
	for d := range in {
		time.Sleep(time.Until(d.at))
		x.recv.RecvPacket(d.p)
	}
}

func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	for _, x := range n.nodes {
		x.close()
	}
	n.mu.Unlock()
	n.running.Wait()
}
