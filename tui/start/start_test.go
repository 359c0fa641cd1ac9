package start

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// seat is the screen in a test, and what was asked of it.
type seat struct {
	t *testing.T
	*Model
	asked []SignIn
	over  bool
}

func sit(t *testing.T, opt Options) *seat {
	s := &seat{t: t}
	opt.Check = func(text string) (string, error) {
		if len(text) < 8 {
			return "", errors.New("a code has 8 digits")
		}
		return text, nil
	}
	opt.SignIn = func(_ context.Context, in SignIn) (string, error) {
		s.asked = append(s.asked, in)
		switch {
		case in.Key == "":
			return "", &NewRelayError{Relay: in.Relay, Key: "1.key"}
		case in.Password != "right ":
			return "", errors.New("wrong account or password")
		}
		return in.User, nil
	}
	s.Model = New(context.Background(), opt, colorprofile.TrueColor)
	s.send(tea.WindowSizeMsg{Width: 70, Height: 24})
	s.run(s.list())
	return s
}

// send plays a message and everything that follows from it.
func (s *seat) send(msg tea.Msg) { _, cmd := s.Update(msg); s.run(cmd) }

func (s *seat) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if msg := cmd(); msg != nil {
		if _, quit := msg.(tea.QuitMsg); quit {
			s.over = true
			return
		}
		s.send(msg)
	}
}

func (s *seat) press(keys ...string) {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace}
	for _, k := range keys {
		if c, ok := named[k]; ok {
			s.send(tea.KeyPressMsg{Code: c})
			continue
		}
		for _, r := range k {
			s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
}

func (s *seat) sees(words ...string) {
	s.t.Helper()
	screen := ansi.Strip(s.View().Content)
	for _, w := range words {
		if !strings.Contains(screen, w) {
			s.t.Errorf("nothing says %q in\n%s", w, screen)
		}
	}
}

func signedIn() Options { return Options{User: "eve@acme", Relay: "relay.example:8443"} }

func TestCodeIsTypedOrPasted(t *testing.T) {
	s := sit(t, signedIn())
	s.press("enter")
	s.sees("Type the 8 digits")
	s.press("12 3", "enter")
	s.sees("a code has 8 digits", "12 3_")
	s.press("4-5678", "enter")
	if s.Choice != (Choice{Do: Join, Text: "12 34-5678"}) || !s.over {
		t.Errorf("%+v", s.Choice)
	}
	s = sit(t, signedIn())
	s.press("down")
	s.send(tea.PasteMsg{Content: " https://relay.example/j/12345678#1.key \n"})
	s.press("enter")
	if s.Choice.Text != "https://relay.example/j/12345678#1.key" {
		t.Errorf("%+v", s.Choice)
	}
}

func TestSigningInOnTheWay(t *testing.T) {
	s := sit(t, Options{})
	s.sees("You are not signed in")
	s.press("down", "enter")
	s.sees("Sign in", "Relay", "Account", "Password")
	s.press("relay.example", "enter", "eve@acme", "tab", "wrong")
	if strings.Contains(s.View().Content, "wrong") {
		t.Error("the password is on the screen")
	}
	s.press("enter")
	s.sees("This relay is new here", "1.key")
	s.press("n")
	s.sees("was not compared")
	s.press("wrong", "enter", "y")
	s.sees("wrong account or password")
	s.press("right ", "enter")
	if s.Choice != (Choice{Do: Begin, Relay: "relay.example"}) || !s.over {
		t.Errorf("%+v", s.Choice)
	}
	if last := s.asked[len(s.asked)-1]; last != (SignIn{"relay.example", "eve@acme", "right ", "1.key"}) {
		t.Errorf("%+v", last)
	}
}

func TestOnlySigningIn(t *testing.T) {
	s := sit(t, Options{Joining: "join session 1234 5678", Relay: "relay.example"})
	s.sees("Sign in to join session 1234 5678", "relay.example")
	s.press("esc")
	if s.Choice.Do != Nothing || !s.over {
		t.Errorf("%+v", s.Choice)
	}
}

func TestMachinesAndRecentSessions(t *testing.T) {
	opt := signedIn()
	opt.Machines = func(context.Context) ([]Machine, error) {
		return []Machine{{Name: "web-01", Note: "linux"}, {Name: "db\x1b[2J", Why: "last seen on Monday"}}, nil
	}
	opt.Recent = []Recent{{Join: "12345678", Name: "Anna, web-01", When: time.Now()}, {Join: "22222222", Name: "Ben, pc", Over: true}}
	s := sit(t, opt)
	s.press("down", "down", "enter")
	s.sees("web-01", "db·[2J")
	s.press("down", "enter")
	s.sees("last seen on Monday")
	s.press("up", "enter")
	if s.Choice != (Choice{Do: Go, Text: "web-01"}) {
		t.Errorf("%+v", s.Choice)
	}
	s = sit(t, opt)
	s.press("down", "down", "down", "enter", "down", "enter")
	s.sees("That session has ended")
	s.press("up", "enter")
	if s.Choice != (Choice{Do: Join, Text: "12345678"}) {
		t.Errorf("%+v", s.Choice)
	}
	opt.Machines = func(context.Context) ([]Machine, error) { return nil, errors.New("no relay answers") }
	s = sit(t, opt)
	s.press("down", "down", "enter")
	s.sees("could not be listed", "no relay answers")
}
