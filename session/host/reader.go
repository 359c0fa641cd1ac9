package host

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"assist/screen"
	"assist/screen/textcodec"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
)

// Limits of what a console may ask of the scrollback. What is too fast waits in its stream.
const (
	pageRate  = 20 // a second
	pageBurst = 60
	pageBytes = 1 << 20 // of answers that wait to be written
	paceFrom  = 4 << 10 // bytes of one message that waits for its turn on the line
)

// want is what a reader was last said to have room for.
type want struct {
	size     image.Point
	controls bool
}

// reader is one console's text. The scribe's goroutine owns the fields up to mu.
type reader struct {
	id     session.ConsoleID
	words  transport.Stream
	look   screen.TextLook
	rights rights
	told   bool // may see, and has heard what is shared
	wanted want
	group  *textGroup
	sent   uint64 // updates of this series
	owed   []int  // weights of the newest of them, those that it has not said it has
	full   time.Time
	good   time.Time // since when it keeps up

	mu      sync.Mutex
	waiting []letter
	bytes   int
	updates int           // of waiting, those that are updates
	ready   chan struct{} // cap 1
	room    chan struct{} // cap 1
}

// letter is something to write.
type letter struct {
	framed []byte
	update bool
}

func (r *reader) size() image.Point { return image.Pt(int(r.look.Wide), int(r.look.High)) }

// credit says whether another update may be on its way.
func (r *reader) credit() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	flight := 0
	for _, w := range r.owed {
		flight += w
	}
	return flight < screen.TextFlight && r.updates < inFlight
}

// has takes a console's word that so many updates have arrived. One that was meant for an earlier series changes little.
func (r *reader) has(updates uint64) {
	before := r.sent - uint64(len(r.owed))
	if updates > before && updates <= r.sent {
		r.owed = r.owed[updates-before:]
	}
}

func (r *reader) send(framed []byte, update bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, letter{framed, update})
	r.bytes += len(framed)
	if update {
		r.updates++
	}
	wake(r.ready)
}

// answer queues an answer, and waits while too much of them waits.
func (r *reader) answer(ctx context.Context, m screen.TextMessage) bool {
	framed := inner.AppendText(nil, m)
	for {
		r.mu.Lock()
		fits := r.bytes == 0 || r.bytes+len(framed) <= pageBytes
		r.mu.Unlock()
		if fits {
			r.send(framed, false)
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-r.room:
		}
	}
}

// write sends what is queued, in order.
func (r *reader) write(ctx context.Context, s *scribe) error {
	paced := transport.Pace(r.words, transport.Picture)
	for {
		r.mu.Lock()
		out := r.waiting
		r.waiting = nil
		r.mu.Unlock()
		for _, l := range out {
			if s.over.Load() {
				return nil
			}
			var w transport.SendStream = r.words
			if len(l.framed) > paceFrom {
				w = paced
			}
			_ = w.SetWriteDeadline(time.Now().Add(stallLimit))
			if _, err := w.Write(l.framed); err != nil {
				return givenUp(err, "write text stream")
			}
			r.mu.Lock()
			r.bytes -= len(l.framed)
			if l.update {
				r.updates--
			}
			r.mu.Unlock()
			wake(r.room)
		}
		if len(out) > 0 {
			s.post(func(*scribe) {}) // there may be credit again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.ready:
		}
	}
}

// serve is a console's text stream: how much of it fits, what arrived and questions about the scrollback come up; states and
// answers go down.
func (s *scribe) serve(ctx context.Context, group *errgroup.Group, c *console, stream transport.Stream) error {
	stream.SetUrgency(urgeControl)
	r := &reader{id: c.id, words: stream, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	s.post(func(s *scribe) {
		s.readers[c.id] = r
		s.admit(time.Now())
	})
	group.Go(func() error { return r.write(ctx, s) })
	in := bufio.NewReader(stream)
	limit := rate.NewLimiter(pageRate, pageBurst)
	for {
		m, err := inner.ReadText(in, inner.MaxTextUp)
		if err != nil {
			return streamEnd(err)
		}
		switch m := m.(type) {
		case screen.TextLook:
			s.post(func(s *scribe) {
				r.look = m
				s.seat(r, time.Now())
			})
		case screen.TextShown:
			s.post(func(*scribe) { r.has(m.Updates) })
		case screen.TextAsk, screen.TextFind:
			if limit.Wait(ctx) != nil || !r.answer(ctx, s.page(c.id, m)) {
				return nil
			}
		default:
			return fmt.Errorf("%w: a console does not send that on its text stream", inner.ErrMalformed)
		}
	}
}

// page answers a question about the scrollback; who may not see gets empty answers.
func (s *scribe) page(id session.ConsoleID, m screen.TextMessage) screen.TextMessage {
	sees := !s.over.Load() && (*s.may.Load())[id].member != session.Nobody
	switch m := m.(type) {
	case screen.TextAsk:
		out := screen.TextPage{ID: m.ID, From: m.From}
		if sees {
			var rows []screen.Row
			out.From, rows = s.source.Lines(m.From, int(m.Count))
			out.Count = uint16(len(rows))
			out.Body = textcodec.AppendRows(nil, rows)
		}
		return out
	case screen.TextFind:
		out := screen.TextFound{ID: m.ID}
		if sees {
			out.Line, out.OK = s.source.Find(m.From, m.Down, m.Words)
		}
		return out
	}
	return nil
}
