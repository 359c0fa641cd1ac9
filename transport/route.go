package transport

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// When a bind is sent.
const (
	bindFirst   = 100 * time.Millisecond // again after this without an answer, until the relay counts as silent; on a lossy line
	bindSlow    = 250 * time.Millisecond // one of so many arrives. Then so often for a while,
	bindWhile   = 30 * time.Second
	bindSlowest = 2 * time.Second       // and later
	bindRefresh = 10 * time.Second      // again when all is well: a relay that died while nothing was sent is noticed by this
	bindAtMost  = 50 * time.Millisecond // between two binds that hints ask for

	bindPart = 4 // of slow() is between two binds, at least

	doubtAfter  = 1200 * time.Millisecond // packets go out and none came in for so long: is the relay there?
	askedLong   = 200 * time.Millisecond  // that is how long the first of them has to be out
	silentAfter = 1500 * time.Millisecond // without an answer to that: it is not
	routeTick   = time.Second             // between two looks at the above
)

// slow is how long an answer of the relay may take on this line, as its QUIC connection has measured it: the probe timeout of
// RFC 9002, 6.2.1. All of the above is at least as long, or asking for the relay would fill a thin line.
func (r *route) slow() time.Duration {
	s := r.outer.conn.ConnectionStats()
	return s.SmoothedRTT + 4*s.MeanDeviation
}

// route is how packets of a Virtual travel through a relay: through one channel of one outer connection.
type route struct {
	outer   *Outer // set once, like all up to cancel
	port    *port  // of outer; held
	virtual *Virtual
	channel uint64
	secret  []byte
	self    uint16
	to      udp.Addr
	ctx     context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup
	events  chan bindEvent // what the relay said; full: it says it again

	trouble chan trouble // cap 1: what Keep should look after

	keeper   keeper // owned by keep once begin has returned
	settled  uint64 // of the newest bind answered; owned by the reading goroutine
	observed atomic.Pointer[netip.AddrPort]
	heardAt  atomic.Int64 // from the relay, and sent to it; ns since Virtual.start
	sentAt   atomic.Int64
	asksAt   atomic.Int64 // the first packet since something was heard
	rhythm   atomic.Int64 // between the two newest packets of other ends; 0: the relay has answered a bind since
}

// trouble is why a route may be of no use any more.
type trouble byte

const (
	forgotten trouble = iota + 1 // the relay is there and does not know the channel
	silent                       // the relay does not answer
	cut                          // the connection that carries the packets is gone
)

// bindEvent is what others tell the binding goroutine.
type bindEvent struct {
	kind  bindKind
	token [wire.TokenLen]byte // of a challenge
}

type bindKind byte

const (
	bindAcked bindKind = iota + 1
	bindChallenged
	bindWanted  // the relay does not know this address
	bindUnknown // nor the channel
	bindMoved   // an address of this machine has changed
)

// keeper is what the binding goroutine knows.
type keeper struct {
	counter uint64 // of the newest bind sent
	token   [wire.TokenLen]byte
	sent    time.Time     // the newest bind
	wait    time.Duration // until the next one
	asking  time.Time     // since when no bind was answered; zero: the newest was
	told    time.Time     // when Keep was told of silence
	broken  bool          // packets may have been lost since the last answer
}

func newRoute(o *Outer, v *Virtual, ch *wire.Channel) (*route, error) {
	if len(ch.GetSecret()) != wire.SecretLen || ch.GetSelf() > 0xffff || ch.GetId() == 0 {
		return nil, fmt.Errorf("bind channel: secret of %d bytes, peer %d, id %d", len(ch.GetSecret()), ch.GetSelf(), ch.GetId())
	}
	r := &route{
		outer: o, port: o.port, virtual: v, channel: ch.GetId(), secret: ch.GetSecret(), self: uint16(ch.GetSelf()),
		to: udp.Addr{AddrPort: o.relay}, events: make(chan bindEvent, 8), trouble: make(chan trouble, 1),
	}
	if !o.port.hold() {
		return nil, fmt.Errorf("bind channel: %w", errClosedVirtual)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// begin sends the first bind before it returns, so that it travels ahead of everything else, and keeps binding from then on.
func (r *route) begin() {
	now := time.Now()
	r.keeper.asking, r.keeper.broken = now, true
	r.bind(now)
	r.keeper.wait = r.first()
	r.done.Go(r.keep)
}

func (r *route) close() {
	r.port.detach(r)
	r.cancel()
	r.done.Wait()
	r.port.release()
}

// send puts the header before each of the packets in b and sends them in as few system calls as the socket can.
func (r *route) send(b []byte, seg int, to *peer) {
	now := r.virtual.since(time.Now())
	if r.sentAt.Swap(now) <= r.heardAt.Load() {
		r.asksAt.Store(now)
	}
	buf := buffers.Get().(*[]byte)
	out := appendForward((*buf)[:0], wire.Forward{Channel: r.channel, Peer: to.number}, b, seg)
	_ = r.port.sock.Send(udp.Datagram{B: out, Seg: seg + wire.ForwardHeader, Addr: r.to}) // a closed socket is a lost path, not the end of a link
	*buf = out
	buffers.Put(buf)
}

// path is what the route is called.
func (r *route) path() Path {
	if r.port.tcp != nil {
		return PathTCP
	}
	return PathRelay
}

func (r *route) heard(now time.Time) { r.heardAt.Store(r.virtual.since(now)) }

// forwarded notes that a packet of another end came, and how long after the one before.
func (r *route) forwarded(now time.Time) {
	at := r.virtual.since(now)
	r.rhythm.Store(max(1, at-r.heardAt.Swap(at)))
}

// keep repeats the bind as long as the route is in use.
func (r *route) keep() {
	k := &r.keeper
	var gone <-chan struct{}
	if r.port.tcp != nil {
		gone = r.port.tcp.Done()
	}
	timer := time.NewTimer(k.wait)
	defer timer.Stop()
	for {
		bind := false
		select {
		case <-r.ctx.Done():
			return
		case <-gone:
			gone = nil
			r.tell(cut)
		case ev := <-r.events:
			bind = r.heed(ev)
		case now := <-timer.C:
			bind = r.due(now)
		}
		now := time.Now()
		if bind {
			r.bind(now)
		}
		timer.Reset(max(0, min(k.wait-now.Sub(k.sent), routeTick, r.doubtIn(now))))
	}
}

// heed says whether an event asks for a bind at once.
func (r *route) heed(ev bindEvent) (bind bool) {
	k := &r.keeper
	now := time.Now()
	switch ev.kind {
	case bindAcked:
		k.asking, k.wait = time.Time{}, bindRefresh
		if k.broken {
			k.broken = false
			r.virtual.flush()
		}
		return false
	case bindChallenged:
		fresh := ev.token != k.token
		k.token = ev.token
		return fresh
	case bindUnknown:
		r.tell(forgotten)
	case bindMoved:
		if r.port.tcp != nil && !ownAddress(r.port.tcp.TCPAddr()) {
			r.tell(cut)
		}
	}
	k.broken = true
	if k.asking.IsZero() {
		k.asking = now
	}
	k.wait = r.first()
	if rest := bindAtMost - now.Sub(k.sent); rest > 0 || ev.kind == bindUnknown {
		k.wait = max(rest, bindAtMost)
		return false
	}
	return true
}

// due says whether it is time for a bind.
func (r *route) due(now time.Time) (bind bool) {
	k := &r.keeper
	if heard := r.heardAt.Load(); k.asking.IsZero() && r.unanswered(r.virtual.since(now), heard) {
		k.asking, k.broken, k.wait = now, true, r.first()
		return true
	}
	if now.Sub(k.sent) < k.wait {
		return false
	}
	if k.asking.IsZero() {
		k.asking, k.wait = now, r.first() // the refresh
		return true
	}
	asking, silence := now.Sub(k.asking), max(silentAfter, 2*r.slow())
	if asking > silence && now.Sub(k.told) > silence {
		k.told, k.broken = now, true
		r.tell(silent)
	}
	switch {
	case asking > bindWhile:
		k.wait = bindSlowest
	case asking > silence:
		k.wait = bindSlow
	}
	k.wait = max(k.wait, r.first())
	return true
}

// first is how long the first answer to a bind is waited for.
func (r *route) first() time.Duration { return max(bindFirst, r.slow()/bindPart) }

// doubtIn is in how long there is reason for doubt, if nothing comes.
func (r *route) doubtIn(now time.Time) time.Duration {
	in := max(doubtAfter, r.slow()) - time.Duration(r.virtual.since(now)-r.heardAt.Load()) + time.Millisecond
	if in <= 0 {
		return routeTick
	}
	return in
}

// unanswered says whether the relay should have been heard by now: long after the last word, and a while after the first
// packet since, or while packets came more often than that. Its answer ends the second: then it is the other end that rests.
func (r *route) unanswered(now, heard int64) bool {
	asked := r.sentAt.Load() > heard && time.Duration(now-r.asksAt.Load()) > askedLong
	rhythm := time.Duration(r.rhythm.Load())
	return time.Duration(now-heard) > max(doubtAfter, r.slow()) && (asked || (rhythm > 0 && rhythm < doubtAfter))
}

// tell leaves word for Keep; the newest wins.
func (r *route) tell(t trouble) {
	select {
	case <-r.trouble:
	default:
	}
	select {
	case r.trouble <- t:
	default:
	}
}

// bind sends one bind. Its counter is the clock, so that it grows over everything that was sent before; where the clock does
// not, it counts.
func (r *route) bind(now time.Time) {
	k := &r.keeper
	k.counter = max(uint64(now.UnixMicro()), k.counter+1)
	k.sent = now
	b := wire.Bind{Channel: r.channel, Counter: k.counter, Token: k.token}.Append(nil, r.secret)
	_ = r.port.sock.Send(udp.Datagram{B: b, Seg: len(b), Addr: r.to}) // a closed socket ends the route soon
}

// receive takes what the relay says about the binding. The reading goroutine calls it.
func (r *route) receive(b []byte) {
	if b[0] != wire.TypeUnknown && !wire.Authentic(b, r.secret) {
		return
	}
	var ev bindEvent
	switch b[0] {
	case wire.TypeBindAck:
		ack, err := wire.ParseBindAck(b)
		if err != nil || ack.Counter <= r.settled {
			return
		}
		r.settled = ack.Counter
		r.observed.Store(&ack.Observed)
		r.heard(time.Now())
		r.rhythm.Store(0)
		ev.kind = bindAcked
	case wire.TypeChallenge:
		c, err := wire.ParseChallenge(b)
		if err != nil || c.Counter <= r.settled {
			return
		}
		r.settled = c.Counter
		ev = bindEvent{bindChallenged, c.Token}
	case wire.TypeRebind:
		ev.kind = bindWanted
	case wire.TypeUnknown:
		ev.kind = bindUnknown
	default:
		return
	}
	r.notify(ev)
}

func (r *route) notify(ev bindEvent) {
	select {
	case r.events <- ev:
	default:
	}
}

// Observed is the own address as the relay sees it beside the outer connection; zero until the first bind is confirmed.
func (v *Virtual) Observed() netip.AddrPort {
	if at := v.route.Load().observed.Load(); at != nil {
		return *at
	}
	return netip.AddrPort{}
}
