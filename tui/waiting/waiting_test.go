package waiting

import (
	"strings"
	"testing"
	"time"

	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/theme"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestLargeCode(t *testing.T) {
	want := []string{
		"  ██   ██████ ██████ ██  ██    ██████ ██████ ██████ ██████",
		"████       ██     ██ ██  ██    ██     ██         ██ ██  ██",
		"  ██   ██████ ██████ ██████    ██████ ██████     ██ ██████",
		"  ██   ██         ██     ██        ██ ██  ██     ██ ██  ██",
		"██████ ██████ ██████     ██    ██████ ██████     ██ ██████",
	}
	if got := Large("12345678"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if got := Large("no \x1bcode"); len(got) != 1 || got[0] != "no ·code" {
		t.Errorf("%q", got)
	}
}

func TestEveryPhaseFitsTheSmallestTerminal(t *testing.T) {
	now := time.Unix(1e9, 0)
	th := theme.New(false, colorprofile.TrueColor)
	for p := console.Connecting; p <= console.Over; p++ {
		s := Scene{State: console.State{
			Phase: p, Code: "12345678", Why: strings.Repeat("why ", 20), URL: "https://relay.example:4433/j/12345678#1.mfrggzdfmztwq2lknnwg23tp",
			Expires: now.Add(9 * time.Minute), Started: now.Add(-time.Hour),
		}, Command: "assist host 12345678 --relay relay.example:4433", Now: now}
		b := View(th, s, 60, 18)
		if len(b) != 18 {
			t.Errorf("phase %d: %d rows", p, len(b))
		}
		for _, l := range b {
			if cell.Width(l) != 60 {
				t.Errorf("phase %d: %d cells: %q", p, cell.Width(l), ansi.Strip(l))
			}
		}
		if text := ansi.Strip(strings.Join(b, "\n")); p == console.AwaitingHost && !strings.Contains(text, s.Command) {
			t.Errorf("the command is missing in\n%s", text)
		}
	}
}
