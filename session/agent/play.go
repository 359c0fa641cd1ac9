package agent

import (
	"context"
	"errors"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
)

var errRelinked = errors.New("the link broke before it was certain that all of it was played")

// playPoll is how often Play asks how far the host is.
const playPoll = 50 * time.Millisecond

// Play sends events and waits until the host has played them. It takes control for them and lets it go again when the agent
// at the terminal did not have it. While input is paused it waits; the agent must have the grant (Obtain).
func (s *Session) Play(ctx context.Context, evs []screen.Input) error {
	if len(evs) == 0 {
		return nil
	}
	s.mu.Lock()
	had := s.takes
	s.mu.Unlock()
	if _, err := s.Ask(ctx, console.TakeControl{}); err != nil {
		return err
	}
	if !had {
		defer s.Do(console.GiveControl{})
	}
	link := s.here.Load()
	first, last, err := s.queue(ctx, evs)
	if err != nil {
		return err
	}
	for {
		far, err := s.played(ctx, first, last)
		switch {
		case err != nil:
			return err
		case far >= last:
			return nil
		case s.here.Load() != link:
			return errRelinked
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(playPoll):
		}
	}
}

// queue queues all events, waiting for room and for input to be played again; it returns the numbers that they get.
func (s *Session) queue(ctx context.Context, evs []screen.Input) (first, last uint64, err error) {
	changed, stop := s.Watch()
	defer stop()
	first = s.input.newest() + 1
	for i := 0; i < len(evs); {
		if !s.Input(evs[i]) {
			st := s.State()
			if self, _ := st.Roster.Member(st.Self); st.Phase != console.In {
				return 0, 0, errNoContact
			} else if !self.Grants.Has(session.Control) {
				return 0, 0, session.ErrNoControl
			}
			select {
			case <-ctx.Done():
				return 0, 0, ctx.Err()
			case <-changed:
			case <-time.After(playPoll):
			}
			continue
		}
		last = s.input.newest()
		i++
	}
	return first, last, nil
}

// newest is the number of the event queued last.
func (q *inputQueue) newest() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seq
}

// played asks the host how far it is, and whether it has dropped one from first to last.
func (s *Session) played(ctx context.Context, first, last uint64) (uint64, error) {
	m := &inner.ToHost{Kind: &inner.ToHost_HowFar{HowFar: &inner.HowFar{First: first, Last: last}}}
	id, answer, err := s.inquire(m)
	if err != nil {
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
		return o.GetSeq(), nil
	case <-ctx.Done():
		s.asks.forget(id)
		return 0, ctx.Err()
	case <-time.After(settle): // a link that broke takes the question with it
		s.asks.forget(id)
		return 0, nil
	}
}

// inquire sends a question that is no command.
func (s *Session) inquire(m *inner.ToHost) (uint64, <-chan *inner.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks.mu.Lock()
	defer s.asks.mu.Unlock()
	switch {
	case s.state.Phase != console.In:
		return 0, nil, errNoContact
	case !s.outbox.add(m, once):
		return 0, nil, errTooMuch
	}
	return m.Id, s.asks.expect(m.Id), nil
}
