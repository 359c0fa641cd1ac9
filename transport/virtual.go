package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/udp"
	"assist/transport/wire"
)

// Virtual is a packet connection whose packets travel through a channel of a relay. Its addresses are peer numbers: the host
// is peer 0. The end-to-end QUIC connections live on it and do not notice when it is bound to another channel, address or
// relay.
type Virtual struct {
	in    *inbox
	tr    *quic.Transport // set once
	start time.Time       // set once; heard counts from here

	route atomic.Pointer[route]

	mu    sync.Mutex
	peers map[uint16]*peer
	links map[*Link]struct{}
	ln    *Listener
	over  bool

	running   sync.WaitGroup // what reads from links
	closeOnce sync.Once
}

// peer is an end that packets came from or went to.
type peer struct {
	addr  *net.UDPAddr
	heard atomic.Int64 // ns since Virtual.start, 0 for never
}

// Open binds the channel and returns its packet connection. Binding goes on in the background: it is repeated until the
// relay has confirmed it, whenever the relay asks for it, and every 10 s.
func (o *Outer) Open(ch *wire.Channel) (*Virtual, error) {
	v := &Virtual{in: newInbox(), start: time.Now(), peers: map[uint16]*peer{}, links: map[*Link]struct{}{}}
	if err := v.Rebind(o, ch); err != nil {
		return nil, err
	}
	v.tr = &quic.Transport{
		Conn:        v.packetConn(o),
		ConnContext: func(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) { return gauged(ctx), nil },
	}
	return v, nil
}

// Rebind lets the packets travel through another channel, of the same outer connection or another one. The channel before is
// left; the own peer number must be the same, for the other ends know this one by it.
func (v *Virtual) Rebind(o *Outer, ch *wire.Channel) error {
	r, err := newRoute(o, v, ch)
	if err != nil {
		return err
	}
	if old := v.route.Load(); old != nil && old.self != r.self {
		return fmt.Errorf("rebind channel: peer %d would become %d", old.self, r.self)
	}
	o.attach(r.channel, v)
	if old := v.route.Swap(r); old != nil {
		old.close()
	}
	r.begin()
	v.moved()
	return nil
}

// moved tells the links that their packets travel another way.
func (v *Virtual) moved() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for l := range v.links {
		l.gauge.pace.moved()
	}
}

func (o *Outer) attach(channel uint64, v *Virtual) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.virtuals[channel] = v
}

func (o *Outer) detach(channel uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.virtuals, channel)
}

// Close closes the links, says so to their other ends, and leaves the channel. It returns when all that was started is gone.
func (v *Virtual) Close() {
	v.closeOnce.Do(func() {
		v.mu.Lock()
		v.over = true
		ln := v.ln
		var links []*Link
		for l := range v.links {
			links = append(links, l)
		}
		v.mu.Unlock()
		for _, l := range links {
			l.Close(0, "")
		}
		if ln != nil {
			ln.Close()
		}
		_ = v.tr.Close() // says only what was said before
		v.in.close()
		v.running.Wait()
		v.route.Load().close()
	})
}

// Receive sorts the packets that came beside the outer connection. Only those of the relay count.
func (o *Outer) Receive(d udp.Datagram) {
	if d.Addr.AddrPort != o.relay {
		return
	}
	for b := d.B; len(b) > 0; {
		n := min(d.Seg, len(b))
		h, err := wire.ParseForward(b)
		if err != nil {
			o.receiveControl(b[:n])
			b = b[n:]
			continue
		}
		for n < len(b) && string(b[n:min(n+wire.ForwardHeader, len(b))]) == string(b[:wire.ForwardHeader]) {
			n = min(n+d.Seg, len(b))
		}
		if v := o.virtual(h.Channel); v != nil {
			p := v.peer(h.Peer)
			p.heard.Store(int64(time.Since(v.start)))
			v.in.put(b[:n], d.Seg, wire.ForwardHeader, p.addr)
		}
		b = b[n:]
	}
}

// Flush has nothing to do: every packet is in its inbox already.
func (o *Outer) Flush() {}

func (o *Outer) virtual(channel uint64) *Virtual {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.virtuals[channel]
}

func (o *Outer) receiveControl(b []byte) {
	channel, err := wire.ChannelOf(b)
	if err != nil {
		return
	}
	if v := o.virtual(channel); v != nil {
		if r := v.route.Load(); r.channel == channel {
			r.receive(b)
		}
	}
}

// peer is the peer of that number, made when it is new.
func (v *Virtual) peer(number uint16) *peer {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.peers[number]
	if p == nil {
		p = &peer{addr: peerAddr(number)}
		v.peers[number] = p
	}
	return p
}

// peerAddr writes a peer number as an address, because quic-go wants UDP addresses: of the discard-only prefix 100::/64
// (RFC 6666), that no real packet has.
func peerAddr(number uint16) *net.UDPAddr {
	ip := make(net.IP, net.IPv6len)
	ip[0] = 1
	ip[14], ip[15] = byte(number>>8), byte(number)
	return &net.UDPAddr{IP: ip, Port: 1}
}

func peerOf(a net.Addr) (uint16, bool) {
	u, ok := a.(*net.UDPAddr)
	if !ok || len(u.IP) != net.IPv6len {
		return 0, false
	}
	return uint16(u.IP[14])<<8 | uint16(u.IP[15]), true
}

var errClosedVirtual = errors.New("virtual connection closed")

// add keeps l for Close; it fails when that has happened.
func (v *Virtual) add(l *Link) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return errClosedVirtual
	}
	v.links[l] = struct{}{}
	v.running.Go(l.sortDatagrams)
	v.running.Go(l.sendDatagrams)
	context.AfterFunc(l.conn.Context(), func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.links, l)
	})
	return nil
}
