package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// callTime is how long a machine has to come to a session that it was called to.
const callTime = 30 * time.Second

// Pins are the keys by which machines are known here, by NAME@ORG. A machine that is met for the first time is known by the
// relay's word about the key that was enrolled.
type Pins interface {
	MachinePin(handle string) (transport.Pin, error) // empty: not met yet
	KeepMachine(handle string, pin transport.Pin) error
}

// Prover gives what a machine wants of an agent: its password, or a one-time code; tries is how many are left.
type Prover func(ctx context.Context, what session.Proof, tries int) (string, error)

// prove answers the machine's question, while the link goes on.
func (v *visit) prove(ctx context.Context, c *inner.Challenge) error {
	what := session.Proof(c.GetWant())
	if v.s.cfg.Prove == nil {
		return ErrProof
	}
	v.s.update(func(st *console.State) {
		st.Phase, st.Why = console.Knocking, "the machine asks for its "+what.String()
	})
	v.group.Go(func() error {
		secret, err := v.s.cfg.Prove(ctx, what, int(min(c.GetTries(), 99)))
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%w: %w", ErrProof, err)
		}
		select {
		case v.proofs <- &inner.Prove{What: uint32(what), Secret: secret}:
		case <-ctx.Done():
		}
		return nil
	})
	return nil
}

// hearRestarting keeps why the host goes away: it is shown until it is back.
func (s *Session) hearRestarting(r *inner.Restarting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restarting = chat.Title(r.GetWhy())
	if s.restarting == "" {
		s.restarting = "the host goes away for a while"
	}
}

// OnMachine says whether the session is on an enrolled machine.
func (s *Session) OnMachine() bool { return s.cfg.Machine != "" }

// call asks for a session on the machine, and waits until it has come to it.
func (s *Session) call(ctx context.Context, outer *transport.Outer) error {
	s.update(func(st *console.State) { st.Why = "asking the relay for " + s.cfg.Machine })
	s.calls++
	ask := &wire.Connect{Token: s.cfg.Token, Machine: s.cfg.Machine}
	replies, err := outer.Subscribe(ctx, &wire.Request{Kind: &wire.Request_Connect{Connect: ask}})
	if err != nil {
		return err
	}
	defer replies.Close()
	reply, err := first(ctx, replies)
	if err != nil {
		return err
	}
	c := reply.GetConnecting()
	code, err := inner.ParseCode(c.GetCode())
	if err != nil || len(c.MachineKey) != len(transport.Fingerprint{}) {
		return fmt.Errorf("connect to machine: %w", inner.ErrMalformed)
	}
	handle := chat.Name(c.Name) + "@" + chat.Name(c.Org)
	if err := s.knowMachine(handle, transport.Fingerprint(c.MachineKey).Pin()); err != nil {
		return err
	}
	s.sit(outer, c.Session)
	s.update(func(st *console.State) {
		st.Machine, st.Code, st.Why = handle, code, "calling "+handle
		if c.ExpiresUnix > 0 {
			st.Expires = time.Unix(c.ExpiresUnix, 0)
		}
	})
	if err := awaitMachine(ctx, replies); err != nil {
		s.update(func(st *console.State) { st.Code = "" }) // another attempt calls again
		return err
	}
	return nil
}

// awaitMachine waits for the word that the machine is there.
func awaitMachine(ctx context.Context, replies *transport.Replies) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	stop := context.AfterFunc(ctx, replies.Close)
	defer stop()
	for {
		reply, err := replies.Next()
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return ErrNoAnswer
		case errors.Is(err, io.EOF):
			return ErrNoAnswer
		case err != nil:
			return err
		case reply.GetHostHere() != nil:
			return nil
		case reply.GetHostGone() != nil:
			return &endedError{why: chat.Line(reply.GetHostGone().GetReason())}
		}
	}
}

// knowMachine decides by which key the machine must answer: the one that is kept here, or that the caller insists on. One that
// the relay contradicts is not called.
func (s *Session) knowMachine(handle string, enrolled transport.Pin) error {
	s.mu.Lock()
	want := s.cfg.HostPin
	s.mu.Unlock()
	if want == "" && s.cfg.Machines != nil {
		var err error
		if want, err = s.cfg.Machines.MachinePin(handle); err != nil {
			return err
		}
	}
	if want != "" && want != enrolled {
		return &HostKeyError{Machine: handle, Want: want, Got: enrolled, From: "this console"}
	}
	s.mu.Lock()
	s.cfg.HostPin = enrolled
	s.mu.Unlock()
	return nil
}

// mostCalls is how often one console calls a machine whose session ends at that moment.
const mostCalls = 3

// callsAgain says whether the machine has to be called again: the session that it had, and this console was sent to, was over before this
// console was in.
func (s *Session) callsAgain(err error) bool {
	var over *endedError
	if s.cfg.Machine == "" || !errors.Is(err, ErrUnknownCode) && !errors.Is(err, ErrHostGone) && !errors.As(err, &over) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.state
	if !st.Started.IsZero() || s.calls >= mostCalls {
		return false
	}
	st.Phase, st.Code, st.LostSince = console.Connecting, "", time.Time{}
	s.had = nil
	return true
}

// keepMachine remembers the key that a machine has proven to hold. It needs no lock: the name is set before the first link.
func (s *Session) keepMachine(pin transport.Pin) {
	handle := s.State().Machine
	if handle == "" || s.cfg.Machines == nil {
		return
	}
	if err := s.cfg.Machines.KeepMachine(handle, pin); err != nil {
		s.mu.Lock()
		s.failed("the machine's key could not be kept: " + chat.Line(err.Error()))
		s.mu.Unlock()
	}
}

// pinnedBy and trustedBy say where the host's pin is from; both need mu.
func (s *Session) pinnedBy() string {
	if s.state.Machine != "" {
		return "the enrolment of " + s.state.Machine
	}
	return "the address"
}

func (s *Session) trustedBy() string {
	if s.state.Machine != "" {
		return "key of the enrolled machine"
	}
	return "key from link"
}
