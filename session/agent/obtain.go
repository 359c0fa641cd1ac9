package agent

import (
	"context"
	"errors"
	"time"

	"assist/session"
	"assist/session/console"
	"assist/session/inner"
)

// errNotGiven: nobody was asked, because nobody can get that from this host.
var errNotGiven = errors.New("the customer's host does not give that")

// Times and limits of Obtain.
const (
	settle  = 500 * time.Millisecond // for the roster to follow the host's answer
	askings = 3
)

// Obtain sees to it that the agent has grants: it asks the customer for what is missing and waits for the answer, console.ErrRefused
// when that is a no. The customer is asked once for each; silence is a no after a minute.
func (s *Session) Obtain(ctx context.Context, want session.Grants) error {
	changed, stop := s.Watch()
	defer stop()
	asked, was := 0, session.Grants(0) // was: what the customer was being asked for when last looked at
	var again <-chan time.Time
	for {
		st := s.State()
		self, _ := st.Roster.Member(st.Self)
		missing := want &^ self.Grants
		switch {
		case st.Phase == console.Over:
			return overError(st)
		case missing == 0 && st.Phase == console.In:
			return nil
		case was&missing&^self.Asked != 0:
			return console.ErrRefused
		}
		was = 0
		if st.Phase == console.In { // a broken link takes the questions with it
			was = self.Asked & missing
		}
		if st.Phase == console.In && was == 0 && again == nil {
			if asked++; asked > askings {
				return errNotGiven
			}
			if err := s.beg(ctx, missing); err != nil {
				return err
			}
			again = time.After(settle)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-again:
			again = nil
		}
	}
}

// beg asks once. That the customer has just said no is a no.
func (s *Session) beg(ctx context.Context, g session.Grants) error {
	_, err := s.Ask(ctx, console.AskGrants{Grants: g})
	var no *NoError
	if errors.As(err, &no) && no.Code == inner.OutcomeJustRefused {
		return console.ErrRefused
	}
	return err
}

// overError is why a session is over, for those who wanted something of it.
func overError(st console.State) error {
	if st.Err != nil {
		return st.Err
	}
	return errors.New(overBecause(st.Why))
}
