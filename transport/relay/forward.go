package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"assist/transport/udp"
	"assist/transport/wire"
)

// Limits of hints: all together, and to the ends of one channel.
const (
	hintsPerSecond = 500
	hintBurst      = 100
	hintPause      = 50 * time.Millisecond
)

// forwarder passes packets on, between all lanes.
type forwarder struct {
	key   [32]byte // of the tokens in challenges; set once, like hints
	hints *rate.Limiter

	mu       sync.RWMutex
	channels map[uint64]*end
	vouched  map[spot]int // where outer connections were made from, and how many

	count counters
}

// lane is one way into the relay: its UDP socket, or all tunnels. It is the Receiver of its socket; whose goroutine that reads
// owns out.
type lane struct {
	*forwarder
	sock *udp.Socket // set once
	out  []udp.Datagram
	away map[*lane][]udp.Datagram // for other lanes
}

// spot is an address on a lane.
type spot struct {
	lane *lane
	at   netip.AddrPort
}

// whereabouts is where the packets of an end go.
type whereabouts struct {
	lane *lane
	at   udp.Addr
}

func (w *whereabouts) spot() spot { return spot{w.lane, w.at.AddrPort} }

// counters of what was done; everything is atomic.
type counters struct {
	packets, bytes                              atomic.Uint64
	malformed, unknown, unbound, noPeer         atomic.Uint64
	binds, challenges, forged, replayed, hinted atomic.Uint64
}

func newForwarder() *forwarder {
	f := &forwarder{
		hints:    rate.NewLimiter(hintsPerSecond, hintBurst),
		channels: map[uint64]*end{}, vouched: map[spot]int{},
	}
	rand.Read(f.key[:])
	return f
}

func (f *forwarder) newLane() *lane { return &lane{forwarder: f, away: map[*lane][]udp.Datagram{}} }

// add gives e a channel of its own.
func (f *forwarder) add(e *end) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for e.channel == 0 || f.channels[e.channel] != nil {
		e.channel = newChannel()
	}
	f.channels[e.channel] = e
}

func (f *forwarder) remove(e *end) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.channels, e.channel)
}

// vouch says that at is where an outer connection comes from: QUIC has seen that it can receive there.
func (f *forwarder) vouch(at spot) (forget func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.vouched[at]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.vouched[at]--; f.vouched[at] == 0 {
			delete(f.vouched, at)
		}
	}
}

func (f *forwarder) channel(id uint64) *end {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.channels[id]
}

// Receive takes packets that are not QUIC, in runs with the same header.
func (f *lane) Receive(d udp.Datagram) {
	for b := d.B; len(b) > 0; {
		n := min(d.Seg, len(b))
		h, err := wire.ParseForward(b[:n])
		if err != nil {
			f.control(udp.Datagram{B: b[:n], Seg: n, Addr: d.Addr})
			b = b[n:]
			continue
		}
		for n < len(b) && string(b[n:min(n+wire.ForwardHeader, len(b))]) == string(b[:wire.ForwardHeader]) {
			n = min(n+d.Seg, len(b))
		}
		f.forward(h, udp.Datagram{B: b[:n], Seg: d.Seg, Addr: d.Addr})
		b = b[n:]
	}
}

// forward sends a run of packets on, with the receiver's header in place of the sender's.
func (f *lane) forward(h wire.Forward, d udp.Datagram) {
	n := uint64(d.Packets())
	from := f.channel(h.Channel)
	if from == nil {
		f.count.unknown.Add(n)
		f.hint(d, wire.Unknown{Channel: h.Channel}.Append)
		return
	}
	if at := from.addr.Load(); at == nil || at.lane != f || at.at.AddrPort != d.Addr.AddrPort {
		f.count.unbound.Add(n)
		f.askBind(from, d)
		return
	}
	to := from.group.target(from.peer, h.Peer)
	if to == nil {
		f.count.noPeer.Add(n)
		return
	}
	var head [wire.ForwardHeader]byte
	wire.Forward{Channel: to.channel, Peer: from.peer}.Append(head[:0])
	for i := 0; i < len(d.B); i += d.Seg {
		copy(d.B[i:], head[:])
	}
	at := to.addr.Load()
	if at == nil {
		if at = to.keep(d); at == nil {
			return
		}
	}
	f.count.packets.Add(n)
	f.count.bytes.Add(uint64(len(d.B)))
	on := udp.Datagram{B: d.B, Seg: d.Seg, Addr: at.at}
	if at.lane == f {
		f.out = append(f.out, on)
		return
	}
	f.away[at.lane] = append(f.away[at.lane], on)
}

// Flush sends what has gathered.
func (f *lane) Flush() {
	if len(f.out) > 0 {
		_ = f.sock.Send(f.out...) // a closed socket ends the reading, too
		f.out = f.out[:0]
	}
	for to, out := range f.away {
		if len(out) > 0 {
			_ = to.sock.Send(out...)
			f.away[to] = out[:0]
		}
	}
}

// askBind hints to a known end that its address is not bound, not more often than it can answer.
func (f *lane) askBind(e *end, d udp.Datagram) {
	now := time.Now().UnixNano()
	if last := e.hinted.Load(); now-last < int64(hintPause) || !e.hinted.CompareAndSwap(last, now) {
		return
	}
	f.hint(d, func(b []byte) []byte { return wire.Rebind{Channel: e.channel}.Append(b, e.secret) })
}

// hint answers d with a packet that is shorter than it, if the rate allows.
func (f *lane) hint(d udp.Datagram, packet func([]byte) []byte) {
	if min(d.Seg, len(d.B)) < wire.HintLen || !f.hints.Allow() {
		return
	}
	f.count.hinted.Add(1)
	f.answer(packet(nil), d.Addr)
}

func (f *lane) answer(b []byte, to udp.Addr) {
	f.out = append(f.out, udp.Datagram{B: b, Seg: len(b), Addr: to})
}

// control takes one packet that is not to be forwarded: a bind, or a question.
func (f *lane) control(d udp.Datagram) {
	if d.B[0] == wire.TypeWhere {
		f.where(d)
		return
	}
	p, err := wire.ParseBind(d.B)
	if err != nil {
		f.count.malformed.Add(1)
		return
	}
	e := f.channel(p.Channel)
	switch {
	case e == nil:
		f.count.unknown.Add(1)
		f.hint(d, wire.Unknown{Channel: p.Channel}.Append)
	case !wire.Authentic(d.B, e.secret):
		f.count.forged.Add(1)
	case !e.newer(p.Counter):
		f.count.replayed.Add(1)
	default:
		f.bind(e, p, d.Addr)
	}
}

// bind binds an authentic bind's address once it is known that the end can receive there.
func (f *lane) bind(e *end, p wire.Bind, at udp.Addr) {
	here := &whereabouts{f, at}
	if !f.isVouched(here.spot()) {
		if token := f.token(e, at.AddrPort); !hmac.Equal(token[:], p.Token[:]) {
			f.count.challenges.Add(1)
			f.answer(wire.Challenge{Channel: e.channel, Counter: p.Counter, Token: token}.Append(nil, e.secret), at)
			return
		}
	}
	f.count.binds.Add(1)
	first := e.addr.Swap(here) == nil
	f.answer(wire.BindAck{Channel: e.channel, Counter: p.Counter, Observed: at.AddrPort}.Append(nil, e.secret), at)
	if !first {
		return
	}
	for _, b := range e.release() {
		f.count.packets.Add(1)
		f.count.bytes.Add(uint64(len(b)))
		f.answer(b, at)
	}
}

func (f *forwarder) isVouched(at spot) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.vouched[at] > 0
}

// token is what shows that packets of a channel can be received at an address. It is the same every time, so that nothing
// has to be kept.
func (f *forwarder) token(e *end, at netip.AddrPort) (t [wire.TokenLen]byte) {
	h := hmac.New(sha256.New, f.key[:])
	ip := at.Addr().As16()
	h.Write(binary.BigEndian.AppendUint64(nil, e.channel))
	h.Write(ip[:])
	h.Write(binary.BigEndian.AppendUint16(nil, at.Port()))
	copy(t[:], h.Sum(nil))
	return t
}
