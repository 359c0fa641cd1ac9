package agent

import (
	"context"
	"sync"
	"time"
	"unicode/utf8"

	"assist/screen"
	"assist/session/inner"
	"assist/transport/wire"
)

// inputSize is how many events wait until the host has them; then Input refuses.
const inputSize = 1024

// How events are sent again while the host has not said that it has them.
const (
	resendFirst = 20 * time.Millisecond // a fifth of the round trip, between these two
	resendLast  = 50 * time.Millisecond
	resendTries = 20                     // so often; then there is no contact,
	resendIdle  = 250 * time.Millisecond // and this is enough
	resendThin  = 150 * time.Millisecond // on a thin line once after this, then after a round trip each time: a copy there and back takes 16 kbit/s 0.1 s
	inputWindow = 4                      // datagrams at a time
)

// inputQueue keeps events in order until the host has them. Two moves of the pointer with nothing in between are one, as long
// as they were not sent.
type inputQueue struct {
	ready chan struct{} // cap 1: there is something new

	mu     sync.Mutex
	events []screen.Input // oldest first, their numbers without a gap
	sent   int            // of events, at least once
	seq    uint64         // of the newest event; grows over all links
}

// push queues ev and reports whether it fits. A long text is cut into several events.
func (q *inputQueue) push(ev screen.Input) bool {
	pieces := split(ev)
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.events)
	if ev.Kind == screen.PointerMove && n > q.sent && q.events[n-1].Kind == screen.PointerMove {
		ev.Seq = q.events[n-1].Seq
		q.events[n-1] = ev
		return true
	}
	if n+len(pieces) > inputSize {
		return false
	}
	for _, ev := range pieces {
		q.seq++
		ev.Seq = q.seq
		q.events = append(q.events, ev)
	}
	wake(q.ready)
	return true
}

// split cuts a text into pieces of at most inner.MaxTyped bytes, between characters.
func split(ev screen.Input) []screen.Input {
	if ev.Kind != screen.TypeText && ev.Kind != screen.PasteText || len(ev.Text) <= inner.MaxTyped {
		return []screen.Input{ev}
	}
	var out []screen.Input
	for text := ev.Text; text != ""; {
		n := min(len(text), inner.MaxTyped)
		for n < len(text) && n > 1 && !utf8.RuneStart(text[n]) {
			n--
		}
		piece := ev
		piece.Text, text = text[:n], text[n:]
		out = append(out, piece)
	}
	return out
}

// datagrams are the oldest events that the host may not have, as they are sent.
func (q *inputQueue) datagrams() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out [][]byte
	for at := 0; at < len(q.events) && len(out) < inputWindow; {
		b, n := inner.AppendInputs(nil, q.events[0].Seq, q.events[at:])
		out, at = append(out, b), at+n
		q.sent = max(q.sent, at)
	}
	return out
}

// taken forgets what the host has.
func (q *inputQueue) taken(seq uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < q.sent && q.events[n].Seq <= seq {
		n++
	}
	q.events, q.sent = append(q.events[:0], q.events[n:]...), q.sent-n
	if len(q.events) > q.sent {
		wake(q.ready)
	}
}

// Unconfirmed is how many input events the host has not said yet that it has.
func (s *Session) Unconfirmed() int {
	s.input.mu.Lock()
	defer s.input.mu.Unlock()
	return len(s.input.events)
}

// count is how many events there were.
func (q *inputQueue) count() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seq
}

// clear forgets what was queued for a link that is gone.
func (q *inputQueue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events, q.sent = q.events[:0], 0
}

// runInput sends events as they come, and again until the host has them; the last one lets every key go.
func (v *visit) runInput(ctx context.Context) error {
	defer v.last.Done()
	if !v.admitted(ctx) {
		return nil
	}
	v.link.SeekDirect()
	q := &v.s.input
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for tries := 0; ; tries++ {
		select {
		case <-ctx.Done():
			q.push(screen.Input{Kind: screen.ReleaseAll})
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
			defer cancel()
			_, _ = v.sendInput(last) // the host lets go by itself when the link is gone
			return nil
		case <-q.ready:
			tries = 0
		case <-again.C:
		}
		more, err := v.sendInput(ctx)
		if err != nil {
			continue // over: ctx ends, too
		}
		if again.Stop(); more {
			again.Reset(resendAfter(v.link.Stats().RTT, tries, v.link.Line().Thin > 0))
		}
	}
}

// sendInput says whether there was something to send.
func (v *visit) sendInput(ctx context.Context) (more bool, err error) {
	for _, b := range v.s.input.datagrams() {
		if err := v.link.SendDatagram(ctx, wire.DatagramInput, b); err != nil {
			return true, err
		}
		more = true
	}
	return more, nil
}

func resendAfter(rtt time.Duration, tries int, thin bool) time.Duration {
	switch {
	case thin && tries == 0:
		return max(resendThin, rtt/5)
	case thin:
		return max(resendIdle, rtt)
	case tries >= resendTries:
		return resendIdle
	}
	return min(max(rtt/5, resendFirst), resendLast)
}

// hearDatagrams hears which events the host has.
func (v *visit) hearDatagrams(ctx context.Context) error {
	for {
		kind, b, err := v.link.ReceiveDatagram(ctx)
		if err != nil {
			return nil // others say why
		}
		if kind != wire.DatagramTaken {
			continue
		}
		seq, err := wire.ParseTaken(b)
		if err != nil {
			return err
		}
		v.s.input.taken(seq)
	}
}
