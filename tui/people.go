package tui

import (
	"assist/session"
	"assist/tui/cell"
	"assist/tui/dialog"
	"assist/tui/keys"
	"assist/tui/roster"
	"assist/tui/status"
)

// removeAnswer is the yes to sending an agent out.
type removeAnswer struct{ member session.MemberID }

// togglePeople opens the roster and gives it the keys, or closes it.
func (m *model) togglePeople() {
	if m.mode == status.People {
		m.showRoster, m.mode = false, status.Browse
		return
	}
	m.showRoster, m.mode = true, status.People
	if _, ok := m.state.Roster.Member(m.picked); !ok {
		m.pick(0)
	}
}

// rosterScene is what the roster draws.
func (m *model) rosterScene() roster.Scene {
	s := roster.Scene{Roster: m.state.Roster, Self: m.state.Self, Now: m.now()}
	if m.mode == status.People {
		s.Picked = m.picked
	}
	return s
}

// pick moves by so many members that are here; whoever has gone gives way to the first.
func (m *model) pick(by int) {
	var here []session.MemberID
	at := 0
	for _, a := range m.state.Roster.Members {
		if a.Presence == session.Gone {
			continue
		}
		if a.ID == m.picked {
			at = len(here)
		}
		here = append(here, a.ID)
	}
	if len(here) > 0 {
		m.picked = here[(at+by+len(here))%len(here)]
	}
}

// decide does what a key of the roster says to the picked member.
func (m *model) decide(do keys.Action) {
	who, _ := m.state.Roster.Member(m.picked)
	name := cell.Clean(who.Name)
	switch do {
	case keys.PickUp:
		m.pick(-1)
	case keys.PickDown:
		m.pick(1)
	case keys.ViewOnly:
		m.session.Do(SetMember{Member: who.ID, Ceiling: session.View | session.Chat})
		m.say(name + " may only look from now on")
	case keys.MayControl:
		m.session.Do(SetMember{Member: who.ID, Ceiling: session.AllGrants})
		m.say(name + " may control as far as the customer allows it")
	case keys.GiveBaton:
		m.session.Do(GiveControl{To: who.ID})
	case keys.Sharing:
		m.dialog = sharingMenu(m.state.Roster.Mode)
	case keys.HandOver:
		m.chooseHeir(who.ID, false)
	case keys.Remove:
		m.dialog = &dialog.Menu{
			Title: "Remove", Lead: "Send " + who.Name + " out? They cannot come back into this session.",
			Choices: []dialog.Choice{{Text: "Keep them", Press: "k"}, {Text: "Send them out", Press: "x", Answer: removeAnswer{who.ID}}},
		}
	}
}

// sharingMenu asks how control is to be shared.
func sharingMenu(now session.ControlMode) *dialog.Menu {
	menu := &dialog.Menu{Title: "How control is shared"}
	for _, c := range []struct {
		mode        session.ControlMode
		press, note string
	}{
		{session.Free, "f", "every agent who may, all at once"},
		{session.Ask, "a", "each asks the one who has it"},
		{session.Baton, "b", "one agent at a time hands it on"},
	} {
		choice := dialog.Choice{Text: roster.Sharing(c.mode), Press: c.press, Note: c.note, Answer: c.mode}
		if c.mode == now {
			choice.Why = "so it is now"
			choice.Note = ""
		}
		menu.Choices = append(menu.Choices, choice)
	}
	return menu
}
