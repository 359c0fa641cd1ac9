package agent

import (
	"context"
	"fmt"
	"sync"
	"unicode/utf8"

	"assist/screen"
	"assist/session/inner"
	"assist/transport/wire"
)

// inputSize is how many events wait for a slow link; then Input refuses.
const inputSize = 1024

// inputQueue keeps events in order. Two moves of the pointer with nothing in between are one.
type inputQueue struct {
	ready chan struct{} // cap 1: something waits to be sent

	mu     sync.Mutex
	events []screen.Input
	seq    uint64 // of the newest event sent; grows over all links
}

// push queues ev and reports whether it fits. A long text is cut into several events.
func (q *inputQueue) push(ev screen.Input) bool {
	pieces := split(ev)
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.events)
	if ev.Kind == screen.PointerMove && n > 0 && q.events[n-1].Kind == screen.PointerMove {
		q.events[n-1] = ev
		return true
	}
	if n+len(pieces) > inputSize {
		return false
	}
	q.events = append(q.events, pieces...)
	wake(q.ready)
	return true
}

// split cuts a text into pieces of at most screen.MaxText bytes, between characters.
func split(ev screen.Input) []screen.Input {
	if ev.Kind != screen.TypeText || len(ev.Text) <= screen.MaxText {
		return []screen.Input{ev}
	}
	var out []screen.Input
	for text := ev.Text; text != ""; {
		n := min(len(text), screen.MaxText)
		for n < len(text) && n > 1 && !utf8.RuneStart(text[n]) {
			n--
		}
		piece := ev
		piece.Text, text = text[:n], text[n:]
		out = append(out, piece)
	}
	return out
}

// take appends everything that waits to b, numbered.
func (q *inputQueue) take(b []byte) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, ev := range q.events {
		q.seq++
		ev.Seq = q.seq
		b = inner.AppendInput(b, ev)
	}
	q.events = q.events[:0]
	return b
}

// clear forgets what was queued for a link that is gone.
func (q *inputQueue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.events = q.events[:0]
}

// runInput sends events as they come; the last one lets every key go.
func (v *visit) runInput(ctx context.Context) error {
	defer v.last.Done()
	if !v.admitted(ctx) {
		return nil
	}
	stream, err := v.link.OpenUni(ctx, wire.StreamInput)
	if err != nil {
		return fmt.Errorf("open input stream: %w", err)
	}
	stream.SetUrgency(urgencyInput)
	stop := hurry(ctx, stream)
	defer stop()
	q := &v.s.input
	for {
		select {
		case <-ctx.Done():
			q.push(screen.Input{Kind: screen.ReleaseAll})
			_, _ = stream.Write(q.take(nil)) // the host lets go by itself when the link is gone
			return nil
		case <-q.ready:
		}
		if b := q.take(nil); len(b) > 0 {
			if _, err := stream.Write(b); err != nil {
				return fmt.Errorf("write input stream: %w", err)
			}
		}
	}
}
