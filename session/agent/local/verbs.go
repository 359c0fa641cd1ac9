package local

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"assist/chat"
	"assist/session"
	"assist/session/console"
)

// The verbs of the socket.
const (
	verbRoster   = "roster"
	verbSay      = "say"
	verbChat     = "chat"
	verbInvite   = "invite"
	verbInvites  = "invites"
	verbRevoke   = "revoke"
	verbLeave    = "leave"
	verbEnd      = "end"
	verbHandOver = "handover"
	verbSession  = "session"
	verbObtain   = "obtain"
	verbPlay     = "play"
	verbWait     = "wait"
	verbOpen     = "open"
	verbText     = "text"
)

var verbs = map[string]func(context.Context, *call) error{
	verbRoster: roster, verbSay: say, verbChat: follow, verbInvite: invite,
	verbInvites: invites, verbRevoke: revoke,
	verbLeave: leave, verbEnd: end, verbHandOver: handOver, verbSession: describe,
	verbObtain: obtain, verbPlay: play, verbWait: wait, verbOpen: open, verbText: text,
}

func describe(_ context.Context, c *call) error {
	return c.say(reply{Session: newSession(c.console.State()), Done: true})
}

// member says that the console is, or was a moment ago, a member of its session.
func member(st console.State) error {
	if len(st.Roster.Members) > 0 && (st.Phase == console.In || st.Phase == console.Lost) {
		return nil
	}
	return notIn(st)
}

func notIn(st console.State) error {
	text := "the console is not in the session yet"
	if st.Phase == console.Over {
		text = "the session is over"
	}
	if st.Why != "" {
		text += ": " + st.Why
	}
	return &Error{Code: NotIn, Text: text}
}

func roster(_ context.Context, c *call) error {
	st := c.console.State()
	if err := member(st); err != nil {
		return err
	}
	return c.say(reply{Roster: newRoster(st.Roster), Done: true})
}

func say(ctx context.Context, c *call) error {
	lane, err := ParseLane(c.req.Lane)
	if err != nil {
		return err
	}
	if err := member(c.console.State()); err != nil {
		return err
	}
	if len(c.req.Text) > chat.MaxBodyBytes || utf8.RuneCountInString(c.req.Text) > chat.MaxBodyRunes {
		return &Error{Code: BadRequest, Text: fmt.Sprintf("a message has at most %d characters and %d bytes", chat.MaxBodyRunes, chat.MaxBodyBytes)}
	}
	ctx, cancel := context.WithTimeout(ctx, sayTime)
	defer cancel()
	seq, err := c.console.Ask(ctx, console.Say{Lane: lane, Text: c.req.Text})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return c.say(reply{Said: &Said{Queued: true}, Done: true})
	case err != nil:
		return c.refusal(err)
	}
	return c.say(reply{Said: &Said{Seq: seq}, Done: true})
}

// refusal is a command that was not done.
func (c *call) refusal(err error) error {
	st := c.console.State()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: NoAnswer, Text: "the customer's host does not answer"}
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, console.ErrRefused):
		return &Error{Code: Denied, Text: err.Error()}
	case st.Phase == console.Over:
		return notIn(st)
	}
	return &Error{Code: Refused, Text: err.Error()}
}

// follow sends the log after a number and, when asked to, what is added until the session is over.
func follow(ctx context.Context, c *call) error {
	changed, stop := c.console.Watch()
	defer stop()
	for after := c.req.After; ; {
		st := c.console.State() // before the log: what was said last is not missed
		var lines []reply
		for _, e := range c.console.Log(after) {
			lines = append(lines, reply{Entry: newEntry(e, st.Roster)})
			after = e.Seq
		}
		last := !c.req.Follow || st.Phase == console.Over
		if last {
			lines = append(lines, reply{Done: true, Why: st.Why})
		}
		for len(lines) > 0 {
			n := min(len(lines), 64)
			if err := c.say(lines[:n]...); err != nil {
				return err
			}
			lines = lines[n:]
		}
		if last {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func leave(ctx context.Context, c *call) error { return c.depart(ctx, session.LeaveOnly) }
func end(ctx context.Context, c *call) error   { return c.depart(ctx, session.EndForAll) }

// depart leaves or ends. That the session is over is what was wanted, whoever said it first.
func (c *call) depart(ctx context.Context, how session.LeaveHow) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	code := c.console.State().Code
	_, err := c.console.Ask(ctx, console.Leave{How: how})
	if st := c.console.State(); err != nil && st.Phase != console.Over {
		return c.refusal(err)
	}
	return c.say(reply{Session: &Session{Code: code}, Done: true})
}

// handOver offers the lead and waits for the answer.
func handOver(ctx context.Context, c *call) error {
	if len(c.req.Text) > maxNote {
		return &Error{Code: BadRequest, Text: fmt.Sprintf("a note has at most %d bytes", maxNote)}
	}
	changed, stop := c.console.Watch()
	defer stop()
	st := c.console.State()
	if err := member(st); err != nil {
		return err
	}
	to, err := find(st, c.req.Name)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if _, err := c.console.Ask(asking, console.HandOver{To: to.ID, Note: c.req.Text}); err != nil {
		return c.refusal(err)
	}
	line := newMember(to)
	if err := c.say(reply{Offered: &line}); err != nil {
		return err
	}
	limit := time.NewTimer(session.OfferTime + askTime)
	defer limit.Stop()
	for {
		if done, err := c.taken(st, to); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-limit.C:
			return &Error{Code: Declined, Text: to.Name + " did not answer"}
		}
	}
}

// taken says how an offer went that was made when the session was as in before.
func (c *call) taken(before console.State, to session.Member) (bool, error) {
	st := c.console.State()
	switch {
	case st.Phase == console.Over:
		return true, notIn(st)
	case st.Roster.Lead == to.ID:
		return true, c.say(reply{Done: true})
	case st.Roster.Lead != before.Self && st.Roster.Lead != before.Roster.Lead:
		return true, &Error{Code: Declined, Text: "somebody else is the lead now"}
	}
	for _, e := range c.console.Log(before.Newest) {
		if e.Kind == chat.Declined && e.From == uint32(to.ID) && e.About == uint32(before.Self) {
			return true, &Error{Code: Declined, Text: to.Name + " did not take the lead"}
		}
	}
	return false, nil
}

// find is the agent who is meant by a name, a handle (NAME@ORG) or a number: the whole of it, or else the beginning of one
// agent's only.
func find(st console.State, name string) (session.Member, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	var whole, begun []session.Member
	for _, m := range st.Roster.Members {
		if m.Role == session.Customer || m.ID == st.Self || m.Presence != session.Here && m.Presence != session.Away {
			continue
		}
		full, handle := strings.ToLower(m.Name), strings.ToLower(m.Handle)
		switch {
		case name == full, name == handle, name == strconv.Itoa(int(m.ID)):
			whole = append(whole, m)
		case name != "" && (strings.HasPrefix(full, name) || strings.HasPrefix(handle, name)):
			begun = append(begun, m)
		}
	}
	if len(whole) == 0 {
		whole = begun
	}
	switch len(whole) {
	case 1:
		return whole[0], nil
	case 0:
		return session.Member{}, &Error{Code: NoMember, Text: fmt.Sprintf("no other agent here is called %q", chat.Name(name))}
	}
	return session.Member{}, &Error{Code: Ambiguous, Text: fmt.Sprintf("%d agents here are called %q; say NAME@ORG or the number in the roster", len(whole), chat.Name(name))}
}
