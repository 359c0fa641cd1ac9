package host

import (
	"strings"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
)

// tell writes what happened into the log, and for scripts.
func (l *loop) tell(e session.Event) {
	m := l.person(e.Member, e.Question)
	by, _ := l.sess.Roster().Member(e.By)
	entry := chat.Entry{From: uint32(e.Member), Name: m.Name, Lane: chat.Everyone}
	if e.By != session.Nobody && e.By != e.Member {
		entry.From, entry.Name, entry.About = uint32(by.ID), by.Name, uint32(e.Member)
	}
	switch e.Kind {
	case session.EvJoined:
		entry.Kind, entry.Text = chat.Joined, m.Org+" ("+m.Trust.String()+")"
		l.event("member_joined", m, Event{Grants: m.Grants.Names()})
	case session.EvResumed:
		entry.Kind, entry.Text = chat.Joined, "is back"
		l.event("member_joined", m, Event{Grants: m.Grants.Names(), Why: "is back"})
	case session.EvDropped:
		entry.Kind = chat.Dropped
		l.event("member_left", m, Event{Why: "the link dropped"})
	case session.EvLeft:
		entry.Kind, entry.Text = chat.Left, e.Text
		l.event("member_left", m, Event{Why: e.Text})
	case session.EvRemoved:
		entry.Kind, entry.Text = chat.Removed, e.Text
		l.event("member_left", m, Event{Why: "sent out"})
	case session.EvAsked, session.EvAnswered, session.EvWithdrawn:
		l.asked(e, m)
		return
	case session.EvGrants:
		l.grants(e, m, entry)
		return
	case session.EvLead:
		entry.Kind = chat.BecameLead
		if e.By != session.Nobody {
			entry.Kind = chat.HandedOver
		}
	case session.EvControl:
		if e.Member == session.Nobody {
			return
		}
		entry.Kind = chat.ControlTaken
	case session.EvMode:
		entry = chat.Entry{From: uint32(by.ID), Name: by.Name, Lane: chat.Everyone, Kind: chat.ModeChanged, Text: modeNames[e.Mode]}
	case session.EvHandOver:
		l.note(chat.AgentsOnly, by, "offers the lead to "+m.Name)
		return
	case session.EvHandOverOff:
		entry = chat.Entry{From: uint32(m.ID), Name: m.Name, Lane: chat.AgentsOnly, Kind: chat.Declined, About: uint32(by.ID)}
	case session.EvControlAsked:
		l.note(chat.AgentsOnly, m, "asks "+by.Name+" for control")
		return
	case session.EvChecked:
		l.note(chat.Everyone, m, "has confirmed that nobody sits in between")
		return
	case session.EvEnded:
		entry = chat.Entry{From: uint32(e.By), Name: by.Name, Lane: chat.Everyone, Kind: chat.Ended, Text: e.Text}
		l.event("ended", session.Member{}, Event{Why: e.Text})
	default:
		return
	}
	l.add(entry)
}

// asked tells scripts about questions; the log hears of what came of them.
func (l *loop) asked(e session.Event, m session.Member) {
	switch e.Kind {
	case session.EvAsked:
		l.event("consent_asked", m, Event{Grants: e.Question.Grants.Names()})
	case session.EvAnswered:
		l.event("consent_answered", m, Event{Grants: e.Grants.Names(), Answer: answerOf(e)})
	default:
		l.event("consent_answered", m, Event{Answer: "no", Why: "nobody waits for the answer any more"})
	}
}

var modeNames = [...]string{session.Free: "free for all", session.Ask: "ask", session.Baton: "one at a time"}

func answerOf(e session.Event) string {
	switch {
	case e.Grants != 0:
		return "yes"
	case e.By == session.Nobody:
		return "silence"
	}
	return "no"
}

// grants tells of what a member got and lost, each an entry of its own.
func (l *loop) grants(e session.Event, m session.Member, entry chat.Entry) {
	if got := e.Grants &^ e.Was; got != 0 {
		entry.Kind, entry.Text = chat.Granted, strings.Join(got.Names(), ", ")
		l.add(entry)
	}
	if lost := e.Was &^ e.Grants; lost != 0 {
		entry.Kind, entry.Text = chat.Revoked, strings.Join(lost.Names(), ", ")
		if e.Text != "" {
			entry.Text += " (" + e.Text + ")"
		}
		l.add(entry)
	}
	if e.Was.Has(session.Control) != e.Grants.Has(session.Control) {
		l.event("control", m, Event{Grants: e.Grants.Names()})
	}
}

// person is the member an event is about, or who asked.
func (l *loop) person(id session.MemberID, q session.Question) session.Member {
	if m, ok := l.sess.Roster().Member(id); ok {
		return m
	}
	return session.Member{ID: id, Name: q.Name, Handle: q.Handle, Org: q.Org, Trust: q.Trust}
}

// note is the host's own word about a member.
func (l *loop) note(lane chat.Lane, m session.Member, text string) {
	l.add(chat.Entry{From: uint32(m.ID), Name: m.Name, Lane: lane, Kind: chat.Note, Text: text})
}

func (l *loop) add(e chat.Entry) {
	e.Time = time.Now()
	l.spread(l.log.Append(e))
}

// say adds words of a member. A resend gets the number that it got before.
func (l *loop) say(e chat.Entry, n chat.Nonce) chat.Seq {
	e.Time = time.Now()
	e, fresh := l.log.Say(e, n)
	if fresh {
		l.spread(e)
		if e.Lane == chat.Everyone {
			l.event("chat", session.Member{ID: session.MemberID(e.From), Name: e.Name}, Event{Text: e.Text})
		}
	}
	return e.Seq
}

// spread sends an entry to every console that is in; one that comes in now gets it with its welcome.
func (l *loop) spread(e chat.Entry) {
	m := &inner.ToConsole{Kind: &inner.ToConsole_Entry{Entry: inner.NewEntry(e)}}
	for _, c := range l.consoles {
		if c.in {
			c.send(m)
		}
	}
}

// event tells a script what happened to m.
func (l *loop) event(name string, m session.Member, e Event) {
	e.Time, e.Event = time.Now(), name
	e.Member, e.Name, e.Handle, e.Org = uint32(m.ID), m.Name, m.Handle, m.Org
	if m.Org != "" {
		e.Trust = m.Trust.String()
	}
	l.h.cfg.Events(e)
}
