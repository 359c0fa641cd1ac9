package host

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/transport/wire"
)

// Limits of one console's input. What is too fast waits, in order, and then stays with the console, which sends it again.
const (
	inputRate  = 500 // events a second; a text counts one for each textUnit bytes
	inputBurst = 1000
	textUnit   = 8
	inputSize  = 512 // events that wait to be played
)

// intake is what has arrived of one console's input, each number once and in order.
type intake struct {
	ready chan struct{} // cap 1: there is something to play
	told  chan struct{} // cap 1: the console has to be told how much there is

	mu     sync.Mutex
	last   uint64 // number of the newest event taken
	played uint64 // number of the newest event that had its turn
	missed uint64 // number of the newest event that was not played, or not whole, when it had its turn
	queue  []screen.Input
}

func newIntake() *intake { return &intake{ready: make(chan struct{}, 1), told: make(chan struct{}, 1)} }

// put takes what is new in one datagram, as far as nothing is missing before it and there is room.
func (in *intake) put(oldest uint64, evs []screen.Input) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if oldest > 0 {
		in.last = max(in.last, oldest-1)
	}
	for _, ev := range evs {
		if ev.Seq != in.last+1 || len(in.queue) >= inputSize {
			continue
		}
		in.last = ev.Seq
		in.queue = append(in.queue, ev)
	}
	if len(in.queue) > 0 {
		wake(in.ready)
	}
	wake(in.told)
}

// next takes one event out; false when there is none.
func (in *intake) next() (screen.Input, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.queue) == 0 {
		return screen.Input{}, false
	}
	ev := in.queue[0]
	in.queue = in.queue[1:]
	return ev, true
}

func (in *intake) newest() uint64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.last
}

// hearInput takes the datagrams of a console. Reading them waits for nothing.
func (h *Host) hearInput(ctx context.Context, c *console) error {
	for {
		kind, b, err := c.link.ReceiveDatagram(ctx)
		if err != nil {
			return nil // others say why
		}
		if kind != wire.DatagramInput {
			continue
		}
		oldest, evs, err := inner.ParseInputs(b)
		if err != nil {
			return fmt.Errorf("%w: %w", inner.ErrMalformed, err)
		}
		c.input.put(oldest, evs)
	}
}

// tellTaken says to a console what the host has of its input. What is lost is said again when the console asks by sending again.
func (h *Host) tellTaken(ctx context.Context, c *console) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.input.told:
		}
		if c.link.SendDatagram(ctx, wire.DatagramTaken, wire.AppendTaken(nil, c.input.newest())) != nil {
			return nil // others say why
		}
	}
}

// playInput plays what a console has sent.
func (h *Host) playInput(ctx context.Context, c *console) error {
	limit := rate.NewLimiter(inputRate, inputBurst)
	var m session.MemberID
	var told time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.input.ready:
		}
		if m == session.Nobody { // nobody's input is played, so it is asked for again
			m = h.loop.memberOf(c)
		}
		for ev, ok := c.input.next(); ok; ev, ok = c.input.next() {
			if limit.WaitN(ctx, 1+len(ev.Text)/textUnit) != nil {
				return nil
			}
			some, all := h.player.playWhole(m, ev)
			c.input.done(ev.Seq, all)
			if some && time.Since(told) >= usedEvery {
				told = time.Now()
				select {
				case h.player.used <- m:
				default: // the loop has enough to do; the next event tells it
				}
			}
		}
	}
}

// memberOf is who sits at a console, Nobody before it is let in.
func (l *loop) memberOf(c *console) session.MemberID {
	member := make(chan session.MemberID, 1)
	l.post(func(*loop) { member <- c.member })
	select {
	case m := <-member:
		return m
	case <-l.done:
		return session.Nobody
	}
}
