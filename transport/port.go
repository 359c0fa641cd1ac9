package transport

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/tunnel"
	"assist/transport/udp"
	"assist/transport/wire"
)

// port is one UDP socket with the QUIC transport of the outer connections over it. Outer connections and Virtuals hold it;
// who lets it go last closes it. Its Receive is called by the goroutine that reads the socket.
type port struct {
	sock *udp.Socket     // set once, like all up to tcp
	tr   *quic.Transport // of outer connections
	tcp  *tunnel.Conn    // what stands in for the UDP socket; nil: it is one
	real bool            // the kernel's network carries it

	mu      sync.RWMutex
	here    chan []byte        // answers to questions; cap set by newPort, more are lost
	routes  map[uint64]*route  // by channel
	directs map[uint64]*direct // by our tag
	holders int
}

// openPort makes a port with a UDP socket, or takes the one of opt.Over, and holds it.
func (opt Options) openPort() (*port, error) {
	if opt.Over != nil {
		if p := opt.Over.route.Load().port; p.tcp == nil && p.hold() {
			return p, nil
		}
	}
	p := newPort()
	if opt.Open != nil {
		c, err := opt.Open()
		if err != nil {
			return nil, err
		}
		p.sock = udp.New(c, p, udp.Options{Plain: opt.Plain})
	} else {
		sock, err := udp.Listen("udp", ":0", p, udp.Options{Plain: opt.Plain})
		if err != nil {
			return nil, err
		}
		p.sock, p.real = sock, true
	}
	p.tr = &quic.Transport{Conn: p.sock.PacketConn()}
	return p, nil
}

func newPort() *port {
	return &port{here: make(chan []byte, 32), routes: map[uint64]*route{}, directs: map[uint64]*direct{}, holders: 1}
}

// openTunnel makes a port that reaches one relay only, over TCP. Packets to and from it bear the address as.
func (opt Options) openTunnel(ctx context.Context, addr string, as netip.AddrPort) (*port, error) {
	c, err := tunnel.Dial(ctx, addr, as, tunnel.Options{Proxy: opt.Proxy})
	if err != nil {
		return nil, err
	}
	p := newPort()
	p.tcp, p.real = c, true
	p.sock = udp.New(c, p, udp.Options{})
	p.tr = &quic.Transport{Conn: p.sock.PacketConn()}
	return p, nil
}

// hold is false when the port is closed already.
func (p *port) hold() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holders == 0 {
		return false
	}
	p.holders++
	return true
}

// release closes the transport before the socket under it when nobody holds the port any more; neither has anything to say
// that could be acted on.
func (p *port) release() {
	p.mu.Lock()
	p.holders--
	last := p.holders == 0
	p.mu.Unlock()
	if last {
		_ = p.tr.Close()
		_ = p.sock.Close()
	}
}

func (p *port) attach(r *route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.routes[r.channel] = r
}

func (p *port) detach(r *route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.routes[r.channel] == r {
		delete(p.routes, r.channel)
	}
}

func (p *port) route(channel uint64) *route {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.routes[channel]
}

// know and forget say to whom packets with a direct path's tag belong.
func (p *port) know(d *direct) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.directs[d.tag] = d
}

func (p *port) forget(d *direct) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.directs, d.tag)
}

func (p *port) direct(tag uint64) *direct {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.directs[tag]
}

// Receive sorts the packets that came beside the outer connection. Only those of a route's relay count for the route, and for
// a direct path those from where the other end has proven to be.
func (p *port) Receive(d udp.Datagram) {
	for b := d.B; len(b) > 0; {
		n := min(d.Seg, len(b))
		h, err := wire.ParseForward(b)
		if err != nil {
			p.control(udp.Datagram{B: b[:n], Seg: n, Addr: d.Addr})
			b = b[n:]
			continue
		}
		for n < len(b) && string(b[n:min(n+wire.ForwardHeader, len(b))]) == string(b[:wire.ForwardHeader]) {
			n = min(n+d.Seg, len(b))
		}
		p.packets(h, udp.Datagram{B: b[:n], Seg: d.Seg, Addr: d.Addr})
		b = b[n:]
	}
}

// packets takes a run of packets with the same header.
func (p *port) packets(h wire.Forward, d udp.Datagram) {
	now := time.Now()
	if r := p.route(h.Channel); r != nil {
		if r.to.AddrPort == d.Addr.AddrPort {
			r.forwarded(now)
			r.virtual.receive(d.B, d.Seg, h.Peer, now)
		}
		return
	}
	if x := p.direct(h.Channel); x != nil && x.takes(d.Addr.AddrPort) {
		x.v.receive(d.B, d.Seg, x.peer.number, now)
	}
}

// Flush has nothing to do: every packet is in its inbox already.
func (p *port) Flush() {}

// control takes one packet that is not for an inbox.
func (p *port) control(d udp.Datagram) {
	channel, err := wire.ChannelOf(d.B)
	if err != nil {
		return
	}
	if d.B[0] == wire.TypeHere {
		select {
		case p.here <- bytes.Clone(d.B):
		default:
		}
		return
	}
	if d.B[0] == wire.TypeProbe || d.B[0] == wire.TypeProbeAck {
		if x := p.direct(channel); x != nil {
			x.receive(p, d.B, d.Addr)
		}
		return
	}
	if r := p.route(channel); r != nil && r.to.AddrPort == d.Addr.AddrPort {
		r.receive(d.B)
	}
}
