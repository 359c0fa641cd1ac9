package host

import (
	"errors"
	"fmt"
	"os"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
)

// errSilent says that a console was not heard for too long.
var errSilent = errors.New("nothing heard from the console")

// Numbers of outcomes.
const (
	outcomeDone    = 0
	outcomeRefused = 1 // by the rules; the text says which
	outcomeSlow    = 2 // too many at once
	outcomeBad     = 3 // the command makes no sense
	outcomeAgain   = inner.OutcomeJustRefused
)

// readControl reads what a console wants until its link is gone or it falls silent. The first word has its time; after that
// the session loop looks whether the console is heard at all (lookForContact), for one that has nothing to say says nothing.
func (h *Host) readControl(c *console) error {
	_ = c.control.SetReadDeadline(time.Now().Add(entryTime))
	for first := true; ; first = false {
		m, err := inner.ReadToHost(c.control)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errSilent
		case err != nil:
			return fmt.Errorf("read control stream: %w", err)
		}
		if first {
			_ = c.control.SetReadDeadline(time.Time{})
		}
		switch k := m.Kind.(type) {
		case *inner.ToHost_Ping:
			c.sendPong(k.Ping.GetUnixUs())
		case *inner.ToHost_Prove:
			h.prove(c, k.Prove)
		case *inner.ToHost_Hello, *inner.ToHost_Reveal:
			return fmt.Errorf("%w: a second handshake", inner.ErrMalformed)
		default:
			if !h.loop.post(func(l *loop) { l.command(c, m) }) {
				return nil
			}
		}
	}
}

func (c *console) sendPong(us int64) {
	if c.does.Allow() {
		c.send(&inner.ToConsole{Kind: &inner.ToConsole_Pong{Pong: &inner.Pong{UnixUs: us}}})
	}
}

// command does what a console asks for and says how it went, if it wants to know.
func (l *loop) command(c *console, m *inner.ToHost) {
	if l.consoles[c.id] != c || !c.in {
		return // said before it was let in, or after it went
	}
	out := &inner.Outcome{}
	if !c.does.Allow() {
		out.Code, out.Text = outcomeSlow, "too many commands at once"
	} else if seq, err := l.do(c, m); err != nil {
		out.Code, out.Text = outcomeRefused, err.Error()
		if errors.Is(err, inner.ErrMalformed) || errors.Is(err, session.ErrBadCommand) {
			out.Code = outcomeBad
		}
		if errors.Is(err, errTooFast) {
			out.Code = outcomeSlow
		}
		if errors.Is(err, session.ErrAskedOnce) {
			out.Code = outcomeAgain
		}
	} else {
		out.Seq = uint64(seq)
	}
	if m.Id != 0 {
		c.send(&inner.ToConsole{Id: m.Id, Kind: &inner.ToConsole_Outcome{Outcome: out}})
	}
	if m.GetLeave() != nil && out.Code == outcomeDone {
		c.bye(inner.CloseLeft, "left")
	}
}

// do turns a message into a command of the rules. Who asks is taken from the link, never from the message.
func (l *loop) do(c *console, m *inner.ToHost) (chat.Seq, error) {
	by := c.member
	switch m.Kind.(type) {
	case *inner.ToHost_TakeControl, *inner.ToHost_AskGrants:
		l.judge(by)
	}
	switch k := m.Kind.(type) {
	case *inner.ToHost_Say:
		return l.sayOf(c, k.Say)
	case *inner.ToHost_TakeControl:
		return 0, l.apply(session.TakeControl{By: by})
	case *inner.ToHost_GiveControl:
		return 0, l.apply(session.GiveControl{By: by, To: session.MemberID(k.GiveControl.GetTo())})
	case *inner.ToHost_AskGrants:
		return 0, l.apply(session.AskGrants{By: by, Grants: inner.ParseGrants(k.AskGrants.GetGrants())})
	case *inner.ToHost_Leave:
		return 0, l.leave(c, session.LeaveHow(k.Leave.GetHow()))
	case *inner.ToHost_HandOver:
		return 0, l.apply(session.HandOver{By: by, To: session.MemberID(k.HandOver.GetTo()), Note: chat.Body(k.HandOver.GetNote())})
	case *inner.ToHost_HandOverAnswer:
		return 0, l.apply(session.HandOverAnswer{By: by, Accept: k.HandOverAnswer.GetAccept()})
	case *inner.ToHost_SetMember:
		return 0, l.apply(session.SetCeiling{By: by, Member: session.MemberID(k.SetMember.GetMember()), Ceiling: inner.ParseGrants(k.SetMember.GetCeiling())})
	case *inner.ToHost_RemoveMember:
		return 0, l.apply(session.Remove{By: by, Member: session.MemberID(k.RemoveMember.GetMember()), Why: chat.Title(k.RemoveMember.GetWhy())})
	case *inner.ToHost_SetControlMode:
		mode := k.SetControlMode.GetMode()
		if mode > uint32(session.Baton) {
			return 0, session.ErrBadCommand
		}
		return 0, l.apply(session.SetMode{By: by, Mode: session.ControlMode(mode)})
	case *inner.ToHost_Verified:
		return 0, l.verified(c, k.Verified.GetOk())
	case *inner.ToHost_FreshBadge:
		_, err := l.checkBadge(c, k.FreshBadge.GetBadge())
		return 0, err
	case *inner.ToHost_HowFar:
		return c.input.howFar(k.HowFar)
	case *inner.ToHost_Read: // read marks come with the shared chat
		return 0, nil
	}
	return 0, session.ErrBadCommand
}

// leave takes one console out. It hears the outcome before its link is closed.
func (l *loop) leave(c *console, how session.LeaveHow) error {
	if how != session.LeaveOnly && how != session.EndForAll {
		return session.ErrBadCommand
	}
	if how == session.LeaveOnly {
		delete(l.consoles, c.id)
	}
	err := l.apply(session.Leave{By: c.member, Console: c.id, How: how})
	if err != nil {
		l.consoles[c.id] = c
	}
	return err
}

// verified takes the agent's word on the three words. A mismatch means that somebody sits in between: the link is closed.
func (l *loop) verified(c *console, ok bool) error {
	if ok {
		return l.apply(session.CheckedWords{By: c.member})
	}
	m, _ := l.sess.Roster().Member(c.member)
	l.note(chat.Everyone, m, "says that the three words do not match: the connection may be listened to, so it was closed")
	c.bye(inner.CloseBroken, "the words do not match")
	return nil
}

var errTooFast = errors.New("too many messages at once, say it again in a moment")

func (l *loop) sayOf(c *console, s *inner.Say) (chat.Seq, error) {
	m, here := l.sess.Roster().Member(c.member)
	if !here || !m.Grants.Has(session.Chat) {
		return 0, errors.New("the customer has not allowed chat")
	}
	lane, err := inner.ParseLane(s.GetLane())
	if err != nil {
		return 0, err
	}
	nonce, err := inner.ParseNonce(s.GetNonce())
	if err != nil {
		return 0, err
	}
	if len(s.GetText()) == 0 {
		return 0, session.ErrBadCommand
	}
	if !c.says.Allow() {
		return 0, errTooFast
	}
	return l.say(chat.Entry{From: uint32(m.ID), Name: m.Name, Lane: lane, Text: s.GetText()}, nonce), nil
}
