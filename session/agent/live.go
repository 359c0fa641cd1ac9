package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// live makes one link after the other until the session is over.
func (s *Session) live(ctx context.Context) error {
	var at *place
	defer func() { at.leave() }()
	pause, limit, waited, tries := firstPause, dialTimeout, time.Duration(0), 0
	for {
		met, err := s.attempt(ctx, &at, limit)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if met {
			pause, limit = firstPause, s.redial()
			s.lost(err)
		}
		since := s.State().LostSince
		switch {
		case s.callsAgain(err):
			at.leave()
			at = nil
		case s.awaits(err, waited > 0):
			waited, pause = waited+pause, longPause
			if waited > keepTrying {
				return err
			}
		case since.IsZero() && tries < moreTries && (silent(err) || errors.Is(err, ErrHostGone) && at != nil && !at.isGone()):
			tries++ // a lossy line may have had all of a handshake
		case errors.Is(err, ErrUnknownCode) && !since.IsZero():
			return &endedError{why: "the session ended while there was no contact"}
		case final(err), since.IsZero(): // the first contact is tried no more: whoever typed the code should see why
			return err
		case time.Since(since) > keepTrying:
			return fmt.Errorf("%w: %w", ErrGaveUp, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
}

// moreTries is how often more the relay is dialled at the first contact when nothing at all comes from it, and the host that it has.
const moreTries = 1

// silent says that the relay did not answer, and that nobody said why.
func silent(err error) bool {
	var no *transport.RelayUnreachableError
	return errors.As(err, &no) && errors.Is(err, transport.ErrSilent)
}

// redial is how long a later link to the host may take: the exchange of packets as long as the first ones, eight times.
func (s *Session) redial() time.Duration {
	return min(max(redialTime, 8*time.Duration(s.first.Load())), dialTimeout)
}

// awaits says whether the relay went while this console waited for a customer: then it gets another code when the relay is
// back, since nobody can have opened the old one.
func (s *Session) awaits(err error, before bool) bool {
	s.mu.Lock()
	defer s.signal()
	defer s.mu.Unlock()
	st := &s.state
	waiting := st.Phase == console.AwaitingHost || before && st.Code == ""
	if !s.start || !waiting || final(err) || errors.Is(err, ErrUnknownCode) {
		return false
	}
	st.Phase, st.Code, st.URL, st.Why = console.Connecting, "", "", "no contact with the relay; it goes on with another code"
	return true
}

// attempt finds the host and stays with it until the link is gone. met says whether it got as far as the handshake.
func (s *Session) attempt(ctx context.Context, at **place, limit time.Duration) (met bool, err error) {
	if *at != nil && (*at).isGone() {
		(*at).leave()
		*at = nil
	}
	if *at == nil {
		if *at, err = s.arrive(ctx); err != nil {
			return false, err
		}
	}
	if err := s.refresh(ctx, *at); err != nil {
		if errors.Is(err, ErrUnknownCode) { // the next attempt begins with the relay
			(*at).leave()
			*at = nil
			err = fmt.Errorf("%w: our place is gone", ErrHostGone)
		}
		return false, err
	}
	link, err := s.dial(ctx, *at, limit)
	if err != nil {
		return false, err
	}
	badge := (*at).badge
	(*at).badge = ""
	return s.visit(ctx, link, badge)
}

// first waits for the first of several replies, but not for ever.
func first(ctx context.Context, replies *transport.Replies) (*wire.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, replies.Close)
	defer stop()
	reply, err := replies.Next()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("answer of the broker: %w", context.DeadlineExceeded)
	}
	return reply, err
}

// mint asks for a code and waits until a host has opened it.
func (s *Session) mint(ctx context.Context, outer *transport.Outer) error {
	replies, err := outer.Subscribe(ctx, &wire.Request{Kind: &wire.Request_Start{Start: &wire.Start{Token: s.cfg.Token}}})
	if err != nil {
		return err
	}
	defer replies.Close()
	reply, err := first(ctx, replies)
	if err != nil {
		return err
	}
	code, err := inner.ParseCode(reply.GetMinted().GetCode())
	if err != nil {
		return fmt.Errorf("start session: %w", inner.ErrMalformed)
	}
	s.sit(outer, reply.GetMinted().GetSession())
	s.update(func(st *console.State) {
		st.Phase, st.Code, st.URL = console.AwaitingHost, code, s.inviteURL(code, "")
		if at := reply.GetMinted().GetExpiresUnix(); at > 0 {
			st.Expires = time.Unix(at, 0)
		}
		st.Why = "waiting for the customer to open the code"
	})
	for reply.GetHostHere() == nil {
		if reply, err = replies.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				return ErrUnknownCode // nobody opened it in time
			}
			return err
		}
	}
	s.update(func(st *console.State) { st.Phase = console.Connecting })
	return nil
}

// refresh gets a badge when the last one was used.
func (s *Session) refresh(ctx context.Context, p *place) error {
	if p.badge != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.redial())
	defer cancel()
	outer, err := p.relay(ctx)
	if err != nil {
		return err
	}
	ask := &wire.GetBadge{Token: s.cfg.Token, Session: p.session}
	reply, err := outer.Request(ctx, &wire.Request{Kind: &wire.Request_GetBadge{GetBadge: ask}})
	if err != nil {
		return ofBroker(fmt.Errorf("ask for a badge: %w", err))
	}
	p.badge = reply.GetBadge().GetBadge()
	if p.badge == "" {
		return fmt.Errorf("ask for a badge: %w", inner.ErrMalformed)
	}
	return nil
}

// dial reaches the host and checks its key.
func (s *Session) dial(ctx context.Context, p *place, limit time.Duration) (*transport.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer p.whenGone(cancel)() // nobody answers in a session that is over
	var wrong error
	link, err := p.virtual.Dial(ctx, 0, s.cfg.Identity, func(f transport.Fingerprint) error {
		wrong = s.checkHost(f, p.hint)
		return wrong
	})
	if wrong != nil {
		return nil, wrong
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHostGone, err)
	}
	return link, nil
}

// checkHost compares the host's key with everything that is known about it.
func (s *Session) checkHost(got transport.Fingerprint, hint []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch pin := s.cfg.HostPin; {
	case pin != "" && !pin.Match(got):
		return &HostKeyError{Want: pin, Got: got.Pin(), From: s.pinnedBy()}
	case s.hostKey != nil && *s.hostKey != got:
		return &HostKeyError{Want: s.hostKey.Pin(), Got: got.Pin(), From: "the link before"}
	case len(hint) == len(got) && transport.Fingerprint(hint) != got:
		return &HostKeyError{Want: transport.Fingerprint(hint).Pin(), Got: got.Pin(), From: "the relay"}
	}
	return nil
}

// lost says that contact is gone; it stays lost since the first time.
func (s *Session) lost(err error) {
	s.mu.Lock()
	defer s.signal()
	defer s.mu.Unlock()
	if s.state.Phase == console.Lost || final(err) {
		return
	}
	s.state.Phase = console.Lost
	if s.state.LostSince.IsZero() {
		s.state.LostSince = time.Now()
	}
	s.state.Why, s.state.Pointers = "no contact with the customer's host", nil
	if s.restarting != "" {
		s.state.Why = s.restarting
	}
	s.state.Offer = nil // the host withdraws it
}
