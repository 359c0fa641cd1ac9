package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"assist/chat"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// What can be wrong with an invitation before the relay is asked.
var (
	errNoRelay  = errors.New("no contact with the relay")
	errNoInvite = errors.New("only who is in a session can invite to it")
)

// How often the open invitations are looked at: others make and revoke them too.
const (
	tidyInvites  = 5 * time.Second
	fetchInvites = 30 * time.Second
)

// errandsSize is how many commands for the relay wait; then Do refuses.
const errandsSize = 16

// desk is where the relay is asked about this session: invitations are its matter, not the host's.
type desk struct {
	outer *transport.Outer
	id    []byte // of the session
}

// sit keeps what the relay has said of the session.
func (s *Session) sit(outer *transport.Outer, id []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desk = desk{outer, id}
}

// request asks the relay about the session that the console is in, or has started.
func (s *Session) request(ctx context.Context, ask func(id []byte) *wire.Request) (*wire.Reply, error) {
	s.mu.Lock()
	at, phase := s.desk, s.state.Phase
	s.mu.Unlock()
	switch {
	case phase != console.In && phase != console.Lost && phase != console.AwaitingHost:
		return nil, errNoInvite
	case at.outer == nil || at.outer.Err() != nil:
		return nil, errNoRelay
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	reply, err := at.outer.Request(ctx, ask(at.id))
	var problem *transport.ProblemError
	switch {
	case errors.As(err, &problem) && problem.Code == wire.CodeSlowDown:
		return nil, &NoError{Text: fmt.Sprintf("too many invitations at once, try again in %v", problem.RetryAfter)}
	case errors.As(err, &problem):
		return nil, &NoError{Text: chat.Line(problem.Text)}
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNoRelay, err)
	}
	return reply, nil
}

// Invite makes an invitation, which then is in State.Invites too. It is *NoError when the relay will not.
func (s *Session) Invite(ctx context.Context, c console.Invite) (console.Invitation, error) {
	if c.Life < 0 || c.Life > 24*time.Hour {
		return console.Invitation{}, &NoError{Text: "an invitation lasts a day at most"}
	}
	reply, err := s.request(ctx, func(id []byte) *wire.Request {
		return &wire.Request{Kind: &wire.Request_Invite{Invite: &wire.Invite{
			Token: s.cfg.Token, Session: id, For: c.For, ViewOnly: c.ViewOnly, LifeS: uint32((c.Life + time.Second - 1) / time.Second),
		}}}
	})
	if err != nil {
		return console.Invitation{}, err
	}
	made, err := s.invitation(reply.GetInvited())
	if err != nil {
		return made, err
	}
	s.keepInvites(func(all []console.Invitation) []console.Invitation { return append(all, made) })
	return made, nil
}

// RevokeInvite closes an invitation of this session, whoever made it.
func (s *Session) RevokeInvite(ctx context.Context, code string) error {
	_, err := s.request(ctx, func(id []byte) *wire.Request {
		return &wire.Request{Kind: &wire.Request_RevokeInvite{RevokeInvite: &wire.RevokeInvite{Token: s.cfg.Token, Session: id, Code: code}}}
	})
	if err != nil {
		return err
	}
	s.keepInvites(func(all []console.Invitation) []console.Invitation {
		return slices.DeleteFunc(all, func(i console.Invitation) bool { return i.Code == code })
	})
	return nil
}

// Invites asks the relay which invitations are open now; State.Invites has them too, up to half a minute old.
func (s *Session) Invites(ctx context.Context) ([]console.Invitation, error) {
	reply, err := s.request(ctx, func(id []byte) *wire.Request {
		return &wire.Request{Kind: &wire.Request_ListInvites{ListInvites: &wire.ListInvites{Token: s.cfg.Token, Session: id}}}
	})
	if err != nil {
		return nil, err
	}
	var open []console.Invitation
	for _, m := range reply.GetInvites().GetOpen() {
		i, err := s.invitation(m)
		if err != nil {
			return nil, err
		}
		open = append(open, i)
	}
	s.keepInvites(func([]console.Invitation) []console.Invitation { return open })
	return slices.Clone(open), nil
}

// invitation takes one from the relay. Its address carries the host's key if that is confirmed: who comes by it then need
// not compare words.
func (s *Session) invitation(m *wire.Invited) (console.Invitation, error) {
	code, err := inner.ParseCode(m.GetCode())
	if err != nil {
		return console.Invitation{}, fmt.Errorf("invitation: %w", inner.ErrMalformed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var pin transport.Pin
	if s.hostKey != nil && s.state.Trusted {
		pin = s.hostKey.Pin()
	}
	i := console.Invitation{Code: code, URL: s.inviteURL(code, pin), For: chat.Line(m.GetFor()), ViewOnly: m.GetViewOnly()}
	if at := m.GetExpiresUnix(); at > 0 {
		i.Expires = time.Unix(at, 0).Add(-s.desk.outer.ServerOffset())
	}
	return i, nil
}

// keepInvites changes the list; what was handed out before stays as it is.
func (s *Session) keepInvites(change func([]console.Invitation) []console.Invitation) {
	s.update(func(st *console.State) { st.Invites = change(slices.Clone(st.Invites)) })
}

// runErrands does what the terminal wants of the relay, one after the other, and keeps the list of invitations fresh.
func (s *Session) runErrands(ctx context.Context) {
	tick := time.NewTicker(tidyInvites)
	defer tick.Stop()
	var fetched time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.errands:
			if err := s.errand(ctx, c); err != nil && ctx.Err() == nil {
				s.mu.Lock()
				s.failed(err.Error())
				s.mu.Unlock()
				s.signal()
			}
		case now := <-tick.C:
			s.expireInvites(now)
			if s.State().Phase == console.In && now.Sub(fetched) >= fetchInvites {
				fetched = now
				_, _ = s.Invites(ctx) // an older list is shown until the relay answers again
			}
		}
	}
}

// errand does a command that is the relay's matter.
func (s *Session) errand(ctx context.Context, c console.Command) (err error) {
	switch c := c.(type) {
	case console.Invite:
		_, err = s.Invite(ctx, c)
	case console.RevokeInvite:
		err = s.RevokeInvite(ctx, c.Code)
	}
	return err
}

// forRelay says whether a command is the relay's matter, not the host's.
func forRelay(c console.Command) bool {
	switch c.(type) {
	case console.Invite, console.RevokeInvite:
		return true
	}
	return false
}

func (s *Session) expireInvites(now time.Time) {
	over := func(i console.Invitation) bool { return !i.Expires.IsZero() && !now.Before(i.Expires) }
	if slices.ContainsFunc(s.State().Invites, over) {
		s.keepInvites(func(all []console.Invitation) []console.Invitation { return slices.DeleteFunc(all, over) })
	}
}
