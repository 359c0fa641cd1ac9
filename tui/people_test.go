package tui

import (
	"testing"

	"assist/session"
)

func TestLeadDecidesAboutMembers(t *testing.T) {
	d := newDesk(t, 120, 40, twoMore)
	d.press("r")
	d.sees("PEOPLE", ">* Anna Schmidt", "control: free for all", "B Carla Ruiz")
	d.press("o")
	d.sees("o does not work now: that is the customer")
	d.press("j", "x")
	d.sees("that is you")
	d.press("j", "o")
	d.did("SetMember{3 view,chat}")
	d.press("a")
	d.did("SetMember{3 view,control,chat,diag,clipboard,file,run}")
	d.press("b")
	d.sees("nobody holds it")
	d.press("w", "b")
	d.did("SetMode{2}")
	d.press("x", "enter")
	d.did("")
	d.press("x", "x")
	d.did("RemoveMember{3}")
	d.press("down", "n", "enter")
	d.did("HandOver{4 }")
	d.press("esc", "b")
	d.seesNot("PEOPLE")
	d.did("PinQuality{sharp}") // the baton's key is another one here
}

func TestBatonGoesToWhoMayControl(t *testing.T) {
	d := newDesk(t, 120, 40, twoMore, func(f *fake) {
		f.state.Roster.Mode = session.Baton
		f.state.Roster.Members[2].Grants |= session.Control
	})
	d.press("r", "down", "down", "b")
	d.did("GiveControl{3}")
	d.press("down", "b")
	d.sees("they may not control")
	d.did("")
}

func TestOthersCannotDecide(t *testing.T) {
	d := newDesk(t, 120, 40, twoMore, func(f *fake) { f.state.Roster.Lead = 3 })
	d.press("r", "up")
	for _, k := range []string{"o", "a", "w", "n", "x"} {
		d.press(k)
		d.sees(k + " does not work now: only the lead decides that")
	}
	d.did("")
}

func TestManyMembersScroll(t *testing.T) {
	d := newDesk(t, 80, 24, func(f *fake) {
		for id := session.MemberID(3); id < 35; id++ {
			f.state.Roster.Members = append(f.state.Roster.Members, session.Member{
				ID: id, Name: "Agent " + string(rune('A'+id-3)), Org: "Beta\x1b[2J", Role: session.Agent, Presence: session.Here, Consoles: 2,
			})
		}
	})
	d.press("r", "up")
	d.sees("more above", "2 consoles", "Beta·[2J")
}
