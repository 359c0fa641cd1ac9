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
	bindFirst   = 100 * time.Millisecond // again after this without an answer, then twice as long each time
	bindSlowest = 2 * time.Second
	bindRefresh = 10 * time.Second      // again when all is well: a NAT may have forgotten us while nothing was sent
	bindAtMost  = 50 * time.Millisecond // between two binds that hints ask for
)

// route is how packets of a Virtual travel: through one channel of one outer connection.
type route struct {
	outer   *Outer // set once, like all up to cancel
	virtual *Virtual
	channel uint64
	secret  []byte
	self    uint16
	to      udp.Addr
	ctx     context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup
	events  chan bindEvent // what the relay said; full: it says it again

	counter  uint64 // of the newest bind sent; owned by keep once begin has returned
	settled  uint64 // of the newest bind answered; owned by the reading goroutine
	observed atomic.Pointer[netip.AddrPort]
}

// bindEvent is what the reading goroutine tells the binding one.
type bindEvent struct {
	acked bool
	token [wire.TokenLen]byte // of a challenge, else zero
}

func newRoute(o *Outer, v *Virtual, ch *wire.Channel) (*route, error) {
	if len(ch.GetSecret()) != wire.SecretLen || ch.GetSelf() > 0xffff || ch.GetId() == 0 {
		return nil, fmt.Errorf("bind channel: secret of %d bytes, peer %d, id %d", len(ch.GetSecret()), ch.GetSelf(), ch.GetId())
	}
	r := &route{
		outer: o, virtual: v, channel: ch.GetId(), secret: ch.GetSecret(), self: uint16(ch.GetSelf()),
		to: udp.Addr{AddrPort: o.relay}, events: make(chan bindEvent, 8),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// begin sends the first bind before it returns, so that it travels ahead of everything else, and keeps binding from then on.
func (r *route) begin() {
	r.bind([wire.TokenLen]byte{})
	r.done.Go(r.keep)
}

func (r *route) close() {
	r.outer.detach(r.channel)
	r.cancel()
	r.done.Wait()
}

// keep repeats the bind as long as the route is in use.
func (r *route) keep() {
	var token [wire.TokenLen]byte
	wait := bindFirst
	sent := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case ev := <-r.events:
			if ev.acked {
				wait = bindRefresh
				timer.Reset(wait)
				continue
			}
			if ev.token != token && ev.token != ([wire.TokenLen]byte{}) {
				token = ev.token // answered at once
			} else if rest := bindAtMost - time.Since(sent); rest > 0 {
				timer.Reset(rest)
				continue
			}
			wait = bindFirst
		case <-timer.C:
			wait = min(2*wait, bindSlowest)
		}
		r.bind(token)
		sent = time.Now()
		timer.Reset(wait)
	}
}

// bind sends one bind. Its counter is the clock, so that it grows over everything that was sent before; where the clock does
// not, it counts.
func (r *route) bind(token [wire.TokenLen]byte) {
	r.counter = max(uint64(time.Now().UnixMicro()), r.counter+1)
	b := wire.Bind{Channel: r.channel, Counter: r.counter, Token: token}.Append(nil, r.secret)
	_ = r.outer.sock.Send(udp.Datagram{B: b, Seg: len(b), Addr: r.to}) // a closed socket ends the route soon
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
		ev.acked = true
	case wire.TypeChallenge:
		c, err := wire.ParseChallenge(b)
		if err != nil || c.Counter <= r.settled {
			return
		}
		r.settled = c.Counter
		ev.token = c.Token
	case wire.TypeRebind, wire.TypeUnknown:
	default:
		return
	}
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
