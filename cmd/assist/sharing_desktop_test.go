//go:build desktop

package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"assist/cmd/assist/demo"
)

// TestSharingControlInConsoles is what the lead decides about others, and what the customer's own hand does, in three
// consoles on one desktop.
func TestSharingControlInConsoles(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	anna, bob, cleo := hire(t, stage, "anna@demo"), hire(t, stage, "bob@demo"), hire(t, stage, "cleo@demo")
	all := []*colleague{anna, bob, cleo}
	for _, c := range all {
		c.join(t, stage.URL)
	}
	step := func(name string, do func(t *testing.T)) {
		if t.Failed() {
			return
		}
		t.Run(name, func(t *testing.T) {
			for _, c := range all {
				c.term.t = t
			}
			do(t)
		})
	}
	types := func(t *testing.T, c *colleague, text string) {
		t.Helper()
		c.term.keys("c")
		c.term.await("CONTROL")
		click(c.term, 30, 12)
		c.term.text(text)
		c.term.keys("Enter")
		awaitFile(t, stage.Typed, text+"\n")
	}
	// pick puts the lead's mark on the n-th member; the customer is the first.
	pick := func(n int) {
		anna.term.keys("r")
		anna.term.await("PEOPLE")
		for range n {
			anna.term.keys("Down")
		}
	}
	done := func() {
		anna.term.keys("Escape")
		anna.term.await("BROWSE")
	}

	step("another's pointer has a name", func(t *testing.T) {
		types(t, bob, "bob was here")
		anna.term.await(" B bob ")
		anna.shot(t, "pointers")
		bob.term.keys("C-]")
		bob.term.await("BROWSE")
	})
	step("view only, and back", func(t *testing.T) {
		pick(2)
		anna.term.await(">B bob")
		anna.term.keys("o")
		done()
		bob.term.await("took control back from bob")
		bob.term.keys("c")
		bob.term.await("c does not work now")
		pick(0)
		anna.term.keys("a")
		done()
		types(t, bob, "bob again")
		bob.term.keys("C-]")
	})
	step("baton", func(t *testing.T) {
		types(t, anna, "anna first") // so that she holds it
		anna.term.keys("C-]")
		anna.term.await("BROWSE")
		pick(0)
		anna.term.keys("w")
		anna.term.await("one at a time, handed on")
		anna.term.keys("b")
		anna.term.await("control: one at a time")
		cleo.term.keys("c")
		cleo.term.await("another agent has control")
		anna.term.keys("Down")
		anna.term.await(">C cleo")
		anna.term.keys("b")
		done()
		cleo.term.await("You have control now")
		types(t, cleo, "cleo holds it")
		cleo.term.keys("C-]")
	})
	step("ask", func(t *testing.T) {
		pick(0)
		anna.term.keys("w")
		anna.term.await("each asks the one who has it")
		anna.term.keys("a")
		done()
		types(t, cleo, "cleo asks")
		bob.term.keys("c")
		cleo.term.await("asks cleo for control")
		cleo.term.keys("C-]")
		cleo.term.await("BROWSE")
		bob.term.await("CONTROL")
		click(bob.term, 30, 12)
		bob.term.text("bob was given it")
		bob.term.keys("Enter")
		awaitFile(t, stage.Typed, "bob was given it\n")
	})
	step("the customer's own keyboard goes first", func(t *testing.T) {
		bob.term.await("CONTROL")
		ownKey(t, stage.Display)
		bob.term.await("the customer is using the machine")
		eventually(t, "it to go on", func() bool { return !strings.Contains(bob.term.screen(), "the customer is using") })
		bob.term.keys("C-]")
	})
	step("two consoles of one agent", func(t *testing.T) {
		second := openTerminal(t, cleo.env, 80, 24, built(t), "join", stage.URL)
		second.await("BROWSE")
		pick(0)
		anna.term.await("2 consoles")
		done()
		second.keys("q")
		second.await("Leave")
		second.keys("y")
		second.awaitExit()
	})
	step("no contact since", func(t *testing.T) {
		if err := syscall.Kill(stage.HostPID, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			c.term.await("No contact since")
		}
		anna.shot(t, "lost")
		if err := syscall.Kill(stage.HostPID, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			eventually(t, "contact", func() bool { return !strings.Contains(c.term.screen(), "No contact since") })
		}
	})
	step("sent out", func(t *testing.T) {
		pick(0)
		anna.term.keys("Up", "Up", "Up", "Down", "Down")
		anna.term.await(">B bob")
		anna.term.keys("x")
		anna.term.await("Send bob out?")
		anna.term.keys("x")
		bob.term.await("sent out")
		done()
		cleo.term.await("sent bob out")
		again := openTerminal(t, bob.env, 80, 24, built(t), "join", stage.URL)
		if code := again.awaitExit(); code != "3" {
			t.Errorf("back by exit %s:\n%s", code, again.screen())
		}
	})
	step("the lead's seat is held", func(t *testing.T) {
		pid := strings.TrimSpace(anna.term.tmux("display-message", "-p", "#{pane_pid}"))
		kids, err := exec.Command("ps", "-o", "pid=", "--ppid", pid).Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("kill", append([]string{"-KILL"}, strings.Fields(string(kids))...)...).Run(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "anna to be reconnecting, and still lead", func() bool {
			var members []struct{ Name, Role, State string }
			if err := json.Unmarshal([]byte(cleo.verb(t, "", "roster", "--json")), &members); err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				if m.Name == "anna" {
					return m.State == "reconnecting" && m.Role == "lead"
				}
			}
			return false
		})
		anna.join(t, stage.URL)
		awaitLead(t, cleo, "anna")
		cleo.term.await("anna is back")
	})
}

// ownKey taps a key on the display's own keyboard, as the customer does.
func ownKey(t *testing.T, display string) {
	t.Helper()
	c, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := xtest.Init(c); err != nil {
		t.Fatal(err)
	}
	r, err := xproto.QueryExtension(c, 15, "XInputExtension").Reply()
	if err != nil || !r.Present {
		t.Fatalf("no X Input Extension: %v", err)
	}
	root := xproto.Setup(c).DefaultScreen(c).Root
	for device := byte(6); device < 12; device++ { // after those of the core and of XTEST; who is no keyboard refuses
		xtest.FakeInput(c, r.FirstEvent+1, 50, 0, root, 0, 0, device) // Shift: it types nothing
		xtest.FakeInput(c, r.FirstEvent+2, 50, 0, root, 0, 0, device)
	}
	if _, err := xproto.GetInputFocus(c).Reply(); err != nil {
		t.Fatal(err)
	}
}
