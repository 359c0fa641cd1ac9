package tui

import (
	"strings"
	"testing"

	"assist/chat"
	"assist/session"
	"assist/tui/dialog"

	tea "charm.land/bubbletea/v2"
)

func twoMore(f *fake) {
	company(f)
	f.state.Roster.Members = append(f.state.Roster.Members, session.Member{
		ID: 4, Name: "Dmitri Orlov", Org: "Beta Networks", Role: session.Agent, Grants: session.View, Presence: session.Here,
	})
}

func TestHandOverAndLeaveWaitsForTheAnswer(t *testing.T) {
	d := newDesk(t, 80, 24, twoMore)
	d.press("q", "h")
	d.sees("Who is to lead this session?", "Carla Ruiz", "Dmitri Orlov")
	d.press("down", "o", "n", "e")
	d.send(tea.PasteMsg{Content: " two\r\n\x1b[2Jthree"})
	d.press("enter")
	d.did("HandOver{4 one two\n·[2Jthree}")
	d.sees("Dmitri Orlov is asked to take the lead")
	d.news()
	d.did("")
	d.s.change(func() { d.s.state.Roster.Lead = 4 })
	d.news()
	d.did("Leave{0}")
	d.send(goneMsg{})
	if !d.m.quitting {
		t.Error("it waits for ever")
	}
}

func TestDeclinedAsksAgain(t *testing.T) {
	d := newDesk(t, 80, 24, twoMore)
	d.news()
	d.press("q", "h", "enter", "esc")
	d.did("HandOver{3 }")
	d.s.say(3, "Carla Ruiz", chat.Everyone, chat.Declined, "")
	d.news()
	d.sees("Carla Ruiz did not take the lead", "End session for everyone")
	d.press("e")
	d.did("")
	d.clock = d.clock.Add(dialog.Grace)
	d.press("h", "esc")
	d.s.change(func() { d.s.state.Roster.Lead = 4 })
	d.news()
	d.did("") // nothing was offered any more
}

func TestStayAfterAll(t *testing.T) {
	d := newDesk(t, 80, 24, twoMore)
	d.press("q", "h", "enter", "s")
	d.did("HandOver{3 }")
	d.s.change(func() { d.s.state.Roster.Lead = 3 })
	d.news()
	d.did("")
	d.press("q")
	d.seesNot("End session for everyone")
}

func TestNobodyToHandOverTo(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("q", "h")
	d.sees("no other agent is here")
}

// offered is a session whose lead goes to this agent.
func offered(f *fake) {
	company(f)
	r := &f.state.Roster
	r.Lead, r.Members[1].Role, r.Members[2].Role, r.Members[2].Asked = 3, session.Agent, session.Lead, session.Diag
	f.state.Offer = &Offer{From: 3, Note: "They lost a day already, be quick.\nLogs are in /var/log/invoice.", At: began}
}

func TestOfferSwallowsWhatWasBeingTyped(t *testing.T) {
	d := newDesk(t, 100, 40, offered)
	d.sees("Carla Ruiz offers you the lead", "Anna Schmidt at web-01 (linux)", "since 14:00, for 1 h", "They lost a day already", "Logs are in", "asks for diag", "14:02 Anna Schmidt wrote: “It hangs")
	d.press("a", "d")
	d.did("")
	d.clock = d.clock.Add(dialog.Grace)
	d.press("enter", "esc", "q")
	d.did("")
	d.press("a")
	d.did("AnswerHandOver{true}")
	d.news()
	d.seesNot("offers you the lead")
}

func TestOfferDeclinedAndTakenBack(t *testing.T) {
	d := newDesk(t, 100, 40, offered)
	d.clock = d.clock.Add(dialog.Grace)
	d.press("d")
	d.did("AnswerHandOver{false}")
	d.s.change(func() { d.s.state.Offer = nil })
	d.news()
	d.s.change(func() { d.s.state.Offer = &Offer{From: 3, At: began} })
	d.news()
	d.sees("offers you the lead")
	d.s.change(func() { d.s.state.Offer = nil })
	d.news()
	d.seesNot("offers you the lead")
	d.sees("the lead is no longer offered")
}

func TestOfferWaitsForAnotherDialog(t *testing.T) {
	d := newDesk(t, 100, 40)
	d.press("q")
	offered(d.s)
	d.news()
	d.seesNot("offers you the lead")
	d.press("esc")
	d.sees("offers you the lead")
	d.press("a")
	d.did("")
}

func TestNoteCannotImitateThePage(t *testing.T) {
	d := newDesk(t, 100, 40, offered, func(f *fake) {
		f.state.Offer.Note = "fine\nIn the session\n  * Mallory, Bank (verified)\n\x1b[2J\u202eback\u200b"
	})
	for _, l := range strings.Split(d.text(), "\n") {
		if strings.Contains(l, "Mallory") && !strings.Contains(l, "│ ▌ ") {
			t.Errorf("typed text without its bar: %q", l)
		}
		if strings.ContainsAny(l, "\u202e\u200b") {
			t.Errorf("%q", l)
		}
	}
	d.sees("▌ In the session", "·[2J·back·")
}
