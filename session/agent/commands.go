package agent

import (
	"context"
	"crypto/rand"
	"math"
	"strings"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
)

// Do passes a command on to the host. What cannot be done shows up in State.Outcome.
func (s *Session) Do(c console.Command) {
	if s.picturesOnly(c) {
		return
	}
	defer s.signal()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.do(c); err != nil {
		s.failed(err.Error())
	}
}

// do queues a command for whom it concerns. It needs mu.
func (s *Session) do(c console.Command) error {
	todo := s.errands
	switch {
	case forCheckup(c):
		todo = s.checkups
	case !forRelay(c):
		_, err := s.order(c)
		return err
	}
	select {
	case todo <- c:
		return nil
	default:
		return errTooMuch
	}
}

// order queues what has to be said for c and returns it, nil when that is nothing. It needs mu.
func (s *Session) order(c console.Command) (*inner.ToHost, error) {
	m, lasts := s.prepare(c)
	switch {
	case m == nil:
		return nil, nil
	case s.state.Phase == console.Over, s.state.Phase != console.In && !bool(lasts):
		return nil, errNoContact
	case !s.outbox.add(m, lasts):
		return nil, errTooMuch
	case m.GetHandOverAnswer() != nil: // once is enough; a refusal says that there was none any more
		s.state.Offer = nil
	}
	return m, nil
}

// prepare turns a command into a message; nil when nothing has to be said. It needs mu.
func (s *Session) prepare(c console.Command) (*inner.ToHost, lasting) {
	switch c := c.(type) {
	case console.Say:
		return say(c), still
	case console.TakeControl:
		s.takes = s.takes || s.state.Phase == console.In
		return takeControl(), once
	case console.GiveControl:
		s.takes = false
		s.input.push(screen.Input{Kind: screen.ReleaseAll})
		return &inner.ToHost{Kind: &inner.ToHost_GiveControl{GiveControl: &inner.GiveControl{To: uint32(c.To)}}}, once
	case console.AskGrants:
		return &inner.ToHost{Kind: &inner.ToHost_AskGrants{AskGrants: &inner.AskGrants{Grants: uint32(c.Grants)}}}, once
	case console.Leave:
		return s.prepareLeave(c), once
	case console.HandOver:
		h := &inner.HandOver{To: uint32(c.To), Note: chat.Body(c.Note)}
		return &inner.ToHost{Kind: &inner.ToHost_HandOver{HandOver: h}}, once
	case console.RemoveMember:
		return &inner.ToHost{Kind: &inner.ToHost_RemoveMember{RemoveMember: &inner.RemoveMember{Member: uint32(c.Member)}}}, once
	case console.ConfirmWords:
		return s.prepareVerified(), once
	}
	return ofLead(c), once
}

// ofLead is what the lead decides, and the answer of one who is offered to be it.
func ofLead(c console.Command) *inner.ToHost {
	switch c := c.(type) {
	case console.AnswerHandOver:
		return &inner.ToHost{Kind: &inner.ToHost_HandOverAnswer{HandOverAnswer: &inner.HandOverAnswer{Accept: c.Accept}}}
	case console.SetMember:
		set := &inner.SetMember{Member: uint32(c.Member), Ceiling: uint32(c.Ceiling)}
		return &inner.ToHost{Kind: &inner.ToHost_SetMember{SetMember: set}}
	case console.SetMode:
		return &inner.ToHost{Kind: &inner.ToHost_SetControlMode{SetControlMode: &inner.SetControlMode{Mode: uint32(c.Mode)}}}
	}
	return nil
}

func takeControl() *inner.ToHost {
	return &inner.ToHost{Kind: &inner.ToHost_TakeControl{TakeControl: &inner.TakeControl{}}}
}

// say carries a nonce, so that the host does not say a resent message twice.
func say(c console.Say) *inner.ToHost {
	text := chat.Body(c.Text)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	var nonce chat.Nonce
	rand.Read(nonce[:]) // never fails (crypto/rand, Go 1.24)
	return &inner.ToHost{Kind: &inner.ToHost_Say{Say: &inner.Say{Lane: uint32(c.Lane), Text: text, Nonce: nonce[:]}}}
}

// prepareLeave leaves at once when only this console goes, or when nobody can be told; ending for all waits for the host.
func (s *Session) prepareLeave(c console.Leave) *inner.ToHost {
	if s.state.Phase != console.In || c.How == session.LeaveOnly {
		s.leave()
		return nil
	}
	return leave(c.How)
}

func leave(how session.LeaveHow) *inner.ToHost {
	return &inner.ToHost{Kind: &inner.ToHost_Leave{Leave: &inner.Leave{How: uint32(how)}}}
}

// leaveID is the id of the last command on a link; the outbox counts from 1.
const leaveID = math.MaxUint64

// sayLeave is the last word of an agent who goes: the host need not hold the seat.
func (v *visit) sayLeave(cause error) error {
	if !leaves(cause) {
		return nil
	}
	m := leave(session.LeaveOnly)
	m.Id = leaveID
	return v.say(m)
}

// hurry bounds the last words on a stream once ctx has ended.
func hurry(ctx context.Context, stream transport.SendStream) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = stream.SetWriteDeadline(time.Now().Add(farewell)) })
}

// prepareVerified trusts the host's key from now on.
func (s *Session) prepareVerified() *inner.ToHost {
	if s.state.Trusted || s.state.Words == nil {
		return nil
	}
	s.state.Trusted, s.state.TrustedBy = true, "words compared"
	if s.state.Phase != console.In { // Welcome says it
		return nil
	}
	return &inner.ToHost{Kind: &inner.ToHost_Verified{Verified: &inner.Verified{Ok: true}}}
}
