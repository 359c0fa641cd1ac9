package tui

import (
	"testing"

	"assist/tui/dialog"
)

func TestVerifyByTypingWhatIsReadOut(t *testing.T) {
	d := newDesk(t, 100, 30)
	d.press("v")
	d.sees("read out the three words")
	d.seesNot("harbor", "violin", "zebra")
	d.press("h", "enter")
	d.sees("Word 1: at least the first 2 letters")
	d.press("A", "tab", "x", "y", "tab", "z", "e", "b", "enter")
	d.did("")
	d.sees("Word 2 is not the same here")
	d.press("v", "i", "enter")
	d.did("ConfirmWords{}")
	d.s.change(func() { d.s.state.Trusted = true })
	d.news()
	d.press("v")
	d.sees("already verified")
}

func TestThreeWrongTriesCloseTheQuestion(t *testing.T) {
	d := newDesk(t, 100, 30)
	d.press("v", "h", "a", "tab", "v", "i", "tab")
	for range 3 {
		d.press("q", "q", "enter")
	}
	d.did("")
	d.sees("The words were wrong three times")
	if d.m.dialog != nil {
		t.Error("it can be tried on")
	}
}

func TestLeadIsAskedHowToGo(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("q")
	d.sees("End session for everyone", "Leave, the session goes on", "no other agent is here")
	d.press("esc")
	d.did("")
	d.press("q", "e")
	d.did("Leave{1}")
	if d.m.quitting {
		t.Error("it did not wait for the host")
	}
	d.s.change(func() { d.s.state.Phase = Over })
	d.news()
	if !d.m.quitting {
		t.Error("it is still there when the host said goodbye")
	}
}

func TestOtherAgentsJustLeave(t *testing.T) {
	d := newDesk(t, 80, 24, func(f *fake) { f.state.Roster.Lead = 3 })
	d.press("q")
	d.seesNot("End session for everyone")
	d.press("y")
	d.did("Leave{0}")
}

func TestTheWayIn(t *testing.T) {
	d := newDesk(t, 100, 30, func(f *fake) { f.state = State{Phase: Connecting, Code: "12345678"} })
	d.sees("Connecting to session 1234 5678")
	d.s.change(func() { d.s.state.Phase = AwaitingHost })
	d.news()
	d.sees("assist host 12345678 --relay relay.example:4433", "██")
	d.s.change(func() { d.s.state.Phase, d.s.state.Customer = Knocking, "Anna Schmidt" })
	d.news()
	d.sees("Waiting for Anna Schmidt")
	d.press("c")
	d.sees("you are not in the session yet")
	d.press("q")
	if !d.m.quitting {
		t.Error("q before the session asks something")
	}
}

func TestRefusalClosesTheConsoleAtOnce(t *testing.T) {
	d := newDesk(t, 100, 30, func(f *fake) { f.state = State{Phase: Connecting} })
	d.s.change(func() { d.s.state = State{Phase: Over, Why: "unknown code"} })
	d.news()
	if !d.m.quitting {
		t.Error("the shell should say it, not a screen")
	}
}

func TestOverStaysUntilItWasRead(t *testing.T) {
	d := newDesk(t, 100, 30)
	d.press("c")
	d.s.change(func() { d.s.state.Phase, d.s.state.Why = Over, "Anna Schmidt stopped sharing" })
	d.news()
	d.sees("The session is over", "Anna Schmidt stopped sharing", "It lasted 1 h 0 min")
	d.press("x")
	if d.m.quitting {
		t.Error("a key that was typed before closed it")
	}
	d.clock = d.clock.Add(dialog.Grace)
	d.press("x")
	if !d.m.quitting {
		t.Error("a key does not close it")
	}
}
