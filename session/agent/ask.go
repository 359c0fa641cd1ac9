package agent

import (
	"context"
	"errors"
	"sync"

	"assist/chat"
	"assist/session/console"
	"assist/session/inner"
)

// What Ask returns beside the host's own no.
var (
	ErrNothingToSay = errors.New("there are no words in it")
	errNoContact    = errors.New("no contact with the customer's host")
	errTooMuch      = errors.New("too much waits for the host already")
	errOver         = errors.New("the session is over")
)

// NoError is the host's no to a command, in its words.
type NoError struct {
	Text string
	Code uint32 // Outcome.code; 0: not the host's
}

func (e *NoError) Error() string { return e.Text }

// Ask is Do with an answer, for those who are not the terminal: nil when the host has done it, *NoError when it will not. It
// waits until the host answers, the session is over, or ctx ends; a Say then still waits in the outbox and will be sent. The
// number is that of the entry that a Say became. A failure is told to the caller only, not in State.Outcome.
func (s *Session) Ask(ctx context.Context, c console.Command) (chat.Seq, error) {
	if forRelay(c) {
		return 0, s.errand(ctx, c)
	}
	id, answer, err := s.ask(c)
	if err != nil || answer == nil {
		return 0, err
	}
	select {
	case o, ok := <-answer:
		switch {
		case !ok:
			return 0, errOver
		case o.GetCode() != 0:
			return 0, &NoError{Text: chat.Line(o.GetText()), Code: o.GetCode()}
		}
		return chat.Seq(o.GetSeq()), nil
	case <-ctx.Done():
		s.asks.forget(id)
		return 0, ctx.Err()
	}
}

// ask queues c; without an answer to wait for the channel is nil.
func (s *Session) ask(c console.Command) (uint64, <-chan *inner.Outcome, error) {
	defer s.signal()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks.mu.Lock() // so that the answer cannot come before it is expected
	defer s.asks.mu.Unlock()
	m, err := s.order(c)
	_, says := c.(console.Say)
	switch {
	case err != nil:
		return 0, nil, err
	case m == nil && says:
		return 0, nil, ErrNothingToSay
	case m == nil:
		return 0, nil, nil
	}
	return m.Id, s.asks.expect(m.Id), nil
}

// asks are the commands whose answers somebody waits for, by the id that the outbox gave them. Each channel has room for its
// answer, so the one who reads the link waits for nobody.
type asks struct {
	mu   sync.Mutex
	open map[uint64]chan *inner.Outcome
	over bool
}

// expect needs mu.
func (a *asks) expect(id uint64) <-chan *inner.Outcome {
	c := make(chan *inner.Outcome, 1)
	if a.over {
		close(c)
		return c
	}
	if a.open == nil {
		a.open = map[uint64]chan *inner.Outcome{}
	}
	a.open[id] = c
	return c
}

// answer says whether somebody waited for it.
func (a *asks) answer(id uint64, o *inner.Outcome) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.open[id]
	if ok {
		c <- o
		delete(a.open, id)
	}
	return ok
}

// forget: nobody waits for it any more.
func (a *asks) forget(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, id)
}

// close tells all who wait that no answer will come.
func (a *asks) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	for id, c := range a.open {
		close(c)
		delete(a.open, id)
	}
}

// Watch is a second Changed, for a reader beside the terminal: at most one signal is pending. It lasts until stop is called.
func (s *Session) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	s.watchers.mu.Lock()
	defer s.watchers.mu.Unlock()
	if s.watchers.all == nil {
		s.watchers.all = map[chan struct{}]bool{}
	}
	s.watchers.all[c] = true
	return c, func() {
		s.watchers.mu.Lock()
		defer s.watchers.mu.Unlock()
		delete(s.watchers.all, c)
	}
}

// watchers are those who asked to Watch.
type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]bool
}

func (w *watchers) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		wake(c)
	}
}
