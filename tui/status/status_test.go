package status

import (
	"strings"
	"testing"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/tui/cell"
	"assist/tui/keys"
	"assist/tui/theme"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

var plain = theme.New(true, colorprofile.ASCII)

func busy() console.State {
	return console.State{
		Phase: console.In, Code: "12345678", Customer: "Anna Schmidt", HostName: "web-01", Self: 2,
		Link: console.Link{Path: "relay", RTT: 1234567 * time.Nanosecond},
		Roster: session.Roster{Controlling: 3, Members: []session.Member{
			{ID: 1, Presence: session.Here}, {ID: 2, Presence: session.Here}, {ID: 3, Name: "Carla", Presence: session.Away}, {ID: 4, Presence: session.Gone},
		}},
	}
}

func TestHeaderDropsTheLeastImportantFirst(t *testing.T) {
	for width, want := range map[int]string{
		110: " 1234 5678   Anna Schmidt   web-01                       Carla controls   not verified yet   3 here   relay 1 ms ",
		90:  " 1234 5678   Anna Schmidt          Carla controls   not verified yet   3 here   relay 1 ms ",
		70:  " 1234 5678   Anna Schmidt        not verified yet   relay 1 ms ",
		50:  " 1234 5678             not verified yet   relay 1 ms ",
		36:  " 1234 5678   not verified yet ",
	} {
		got := ansi.Strip(Header(plain, busy(), width))
		if cell.Width(got) != width {
			t.Errorf("%d cells are %d wide", width, cell.Width(got))
		}
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%d cells: %q", width, got)
		}
	}
}

func TestReasonOfAChangeIsShownWhereThereIsRoom(t *testing.T) {
	s := busy()
	s.Link.Path, s.Link.Why, s.Link.Fresh = "tcp", "UDP gave no answer", true
	if got := ansi.Strip(Header(plain, s, 130)); !strings.Contains(got, "UDP gave no answer   tcp 1 ms") {
		t.Errorf("%q", got)
	}
	if got := ansi.Strip(Header(plain, s, 110)); strings.Contains(got, "UDP gave") || !strings.Contains(got, "web-01") {
		t.Errorf("%q", got)
	}
}

func TestFooterKeepsHelpAndLeave(t *testing.T) {
	now := keys.Now{Phase: console.In, Grants: session.AllGrants, Words: true, Picture: true}
	for _, width := range []int{60, 80, 120, 200} {
		got := ansi.Strip(Footer(plain, Line{Now: now, Zoom: "whole screen", Exit: "Ctrl-]"}, width))
		if cell.Width(got) != width || !strings.Contains(got, "? help") || !strings.Contains(got, "q leave") || !strings.Contains(got, "c control") {
			t.Errorf("%d cells: %q", width, got)
		}
	}
	got := ansi.Strip(Footer(plain, Line{Mode: Control, Exit: "Ctrl-]", Whose: "Anna", Latched: "Super"}, 80))
	if !strings.Contains(got, "CONTROL") || !strings.Contains(got, "keys and clicks go to Anna  Ctrl-] back") || !strings.Contains(got, "next key with Super") {
		t.Errorf("%q", got)
	}
	if got := ansi.Strip(Footer(plain, Line{Now: now, Message: "said instead", Zoom: "1:1"}, 80)); strings.Contains(got, "help") || !strings.Contains(got, "said instead") {
		t.Errorf("%q", got)
	}
}

func TestPicturesSayWhatTheyCostAndWhy(t *testing.T) {
	for _, c := range []struct {
		link    console.Link
		quality screen.Quality
		want    string
	}{
		{console.Link{}, screen.Quality{}, ""},
		{console.Link{FPS: 11.3, Rate: 8200}, screen.Quality{}, "12 fps 8 KB/s"},
		{console.Link{FPS: 0.4, Rate: 1300}, screen.Quality{Why: screen.WhyLine}, "1 fps 1 KB/s, thin line"},
		{console.Link{FPS: 2, Rate: 600}, screen.Quality{Pin: screen.Thin, Why: screen.WhyPinned}, "2 fps 0.6 KB/s, thin"},
		{console.Link{}, screen.Quality{Pin: screen.Fast, Why: screen.WhyTerminal}, "fast, slow terminal"},
	} {
		if got := pictures(plain, console.State{Link: c.link, Quality: c.quality}); got.text != c.want {
			t.Errorf("%q, want %q", got.text, c.want)
		}
	}
}
