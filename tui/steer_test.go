package tui

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"assist/screen"
	"assist/session"
	"assist/tui/control"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

func TestControlAndOut(t *testing.T) {
	d := newDesk(t, 80, 24)
	if !strings.Contains(d.bottom(), "BROWSE") {
		t.Errorf("status line %q", d.bottom())
	}
	d.press("c")
	d.did("TakeControl{}")
	if !strings.Contains(d.bottom(), "CONTROL") || !strings.Contains(d.bottom(), "keys and clicks go to Anna Schmidt") || !strings.Contains(d.bottom(), "Ctrl-] back") {
		t.Errorf("status line %q", d.bottom())
	}
	d.press("q", "?", "ctrl+c")
	if got := d.sent(); len(got) != 3 || got[0].Key != 'q' || got[2].Mods != screen.ModControl {
		t.Errorf("the customer got %v", got)
	}
	d.press("ctrl+]")
	d.did("GiveControl{0}")
	if got := d.sent(); len(got) != 1 || got[0].Kind != screen.ReleaseAll {
		t.Errorf("on the way out the customer got %v", got)
	}
	d.press("x")
	if got := d.sent(); len(got) != 0 {
		t.Errorf("while browsing the customer got %v", got)
	}
}

func TestExitKeyTwiceGoesToTheCustomer(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("c", "ctrl+]", "ctrl+]")
	got := d.sent()
	if last := got[len(got)-1]; last.Key != ']' || last.Mods != screen.ModControl || d.m.mode != status.Control {
		t.Errorf("sent %v in mode %d", last, d.m.mode)
	}
	d.press("ctrl+]")
	d.clock = d.clock.Add(2 * time.Second)
	d.sent()
	d.press("ctrl+]")
	if got := d.sent(); len(got) != 0 || d.m.mode != status.Browse {
		t.Errorf("much later it still sent %v", got)
	}
}

func TestControlEndsWhenTheCustomerTakesItBack(t *testing.T) {
	d := newDesk(t, 100, 24)
	d.press("c")
	d.did("TakeControl{}")
	d.s.change(func() { d.s.state.Roster.Members[1].Grants = session.View })
	d.news()
	d.did("GiveControl{0}")
	d.sees("control ended: the customer has not allowed control")
	d.press("x")
	if got := d.sent(); len(got) != 1 || got[0].Kind != screen.ReleaseAll {
		t.Errorf("sent %v", got)
	}
}

func TestMouseInControlMeansDisplayPixels(t *testing.T) {
	d := newDesk(t, 80, 24) // 78x22 cells for 1920x1080, one blank column at the left, header above
	d.press("c")
	d.sent()
	d.send(tea.MouseMotionMsg{X: 1, Y: 1}, tea.MouseClickMsg{X: 1, Y: 1, Button: tea.MouseLeft}, tea.MouseMotionMsg{X: 40, Y: 12, Button: tea.MouseLeft},
		tea.MouseReleaseMsg{X: 40, Y: 12, Button: tea.MouseLeft}, tea.MouseWheelMsg{X: 40, Y: 12, Button: tea.MouseWheelDown},
		tea.MouseClickMsg{X: 40, Y: 0, Button: tea.MouseLeft})
	var got []string
	for _, in := range d.sent() {
		got = append(got, fmt.Sprint(in.Kind, in.Button, in.At))
	}
	want := []string{
		fmt.Sprint(screen.PointerMove, 0, image.Pt(12, 24)), fmt.Sprint(screen.ButtonPress, 1, image.Pt(12, 24)),
		fmt.Sprint(screen.PointerMove, 0, image.Pt(972, 564)), fmt.Sprint(screen.ButtonRelease, 1, image.Pt(972, 564)),
		fmt.Sprint(screen.Wheel, 0, image.Pt(972, 564)),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPasteGoesAsText(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.send(tea.PasteMsg{Content: "ignored while browsing"})
	d.press("c")
	d.sent()
	d.send(tea.PasteMsg{Content: "für €5\n"})
	if got := d.sent(); len(got) != 1 || got[0].Kind != screen.TypeText || got[0].Text != "für €5\n" {
		t.Errorf("sent %v", got)
	}
	d.send(tea.PasteMsg{Content: strings.Repeat("x", control.MaxPaste+1)})
	d.sees("that paste is too long")
	if d.m.mode != status.Control {
		t.Error("a long paste ended control")
	}
}

func TestInputThatIsNotTakenIsSaid(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("c")
	d.s.full = true
	for range control.MaxWaiting + 1 {
		d.press("x")
	}
	d.sees("takes no input", "BROWSE")
}

func TestWaitingInputIsOfferedAgain(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("c")
	d.s.full = true
	d.press("a", "b")
	d.s.full = false
	d.send(offerMsg{})
	if got := d.sent(); len(got) != 2 || got[0].Key != 'a' || got[1].Key != 'b' {
		t.Errorf("sent %v", got)
	}
}

func TestReleasesOnlyWhereTheTerminalTellsAll(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("c")
	if v := d.m.View(); !v.KeyboardEnhancements.ReportEventTypes || !v.ReportFocus || v.MouseMode != tea.MouseModeAllMotion {
		t.Errorf("control asks the terminal for %+v", v.KeyboardEnhancements)
	}
	d.send(tea.KeyboardEnhancementsMsg{Flags: 1})
	d.press("a")
	d.send(tea.KeyboardEnhancementsMsg{Flags: 1 | 2 | 8 | 16})
	d.press("a")
	d.send(tea.KeyReleaseMsg{Code: 'a'})
	var kinds []screen.InputKind
	for _, in := range d.sent() {
		kinds = append(kinds, in.Kind)
	}
	if fmt.Sprint(kinds) != fmt.Sprint([]screen.InputKind{screen.KeyTap, screen.KeyPress, screen.KeyRelease}) {
		t.Errorf("sent %v", kinds)
	}
	d.press("a")
	d.sent()
	d.send(tea.BlurMsg{})
	if got := d.sent(); len(got) != 1 || got[0].Kind != screen.ReleaseAll {
		t.Errorf("without focus: %v", got)
	}
}

func TestSpecialKeysAndLatches(t *testing.T) {
	d := newDesk(t, 80, 40)
	d.press("s")
	d.sees("Special keys", "Ctrl-Alt-Del", "hold Super")
	d.press("enter")
	d.did("TakeControl{}")
	if got := d.sent(); len(got) != 1 || got[0].Key != screen.KeyDelete || got[0].Mods != screen.ModControl|screen.ModAlt {
		t.Errorf("sent %v", got)
	}
	d.press("ctrl+]", "s")
	for range 11 {
		d.press("down")
	}
	d.press("enter")
	if !strings.Contains(d.bottom(), "next key with Super") {
		t.Errorf("status line %q", d.bottom())
	}
	d.sent()
	d.press("e")
	if got := d.sent(); len(got) != 1 || got[0].Mods != screen.ModSuper || strings.Contains(d.bottom(), "next key") {
		t.Errorf("sent %v, status line %q", got, d.bottom())
	}
}

// A question is before the customer, or there is no contact: what is typed then must not arrive when nobody expects it.
func TestInputThatGoesNowhereIsNotKeptForLater(t *testing.T) {
	for name, c := range map[string]struct {
		begin, end func(*State)
		says       string
	}{
		"paused": {
			func(s *State) { s.Roster.Paused, s.Roster.WhyPaused = true, "a question is before the customer" },
			func(s *State) { s.Roster.Paused = false },
			"input is paused: a question is before the customer",
		},
		"lost": {func(s *State) { s.Phase = Lost }, func(s *State) { s.Phase = In }, "no contact: keys and clicks go nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, 100, 24)
			d.press("c")
			d.s.full = true
			d.press("a") // waits, because the session is busy
			d.s.change(func() { c.begin(&d.s.state); d.s.full = false })
			d.news()
			d.sees(c.says, "CONTROL")
			d.press("b", "enter")
			d.send(tea.PasteMsg{Content: "secret"}, tea.MouseClickMsg{X: 40, Y: 12, Button: tea.MouseLeft})
			d.s.change(func() { c.end(&d.s.state) })
			d.news()
			d.press("x")
			got := d.sent()
			if len(got) != 2 || got[0].Kind != screen.ReleaseAll || got[1].Key != 'x' {
				t.Errorf("the customer got %v", got)
			}
			d.s.change(func() { c.begin(&d.s.state) })
			d.news()
			d.press("ctrl+]")
			if d.m.mode != status.Browse {
				t.Error("the way out is shut")
			}
		})
	}
}

func TestControlIsPassedOn(t *testing.T) {
	d := newDesk(t, 120, 40, twoMore, func(f *fake) { f.state.Roster.Mode, f.state.Roster.Holder = session.Baton, 3 })
	d.press("c")
	d.did("TakeControl{}")
	d.sees("asked for control", "BROWSE")
	hold := func(id session.MemberID) {
		d.s.change(func() { d.s.state.Roster.Holder = id })
		d.news()
	}
	hold(2)
	d.sees("CONTROL")
	hold(3)
	d.sees("BROWSE", "Control went to Carla Ruiz.")
	d.did("")
	hold(2)
	d.sees("BROWSE", "You have control now: c uses it.")
	d.press("c")
	d.did("TakeControl{}")
	d.sees("CONTROL")
}
