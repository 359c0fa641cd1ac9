package tui

import (
	"context"
	"image"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/session"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestEveryRowIsAsWideAsTheTerminal(t *testing.T) {
	for _, size := range []image.Point{{80, 24}, {60, 16}, {109, 30}, {110, 30}, {120, 40}, {200, 60}, {59, 20}, {30, 5}} {
		d := newDesk(t, size.X, size.Y)
		d.s.say(1, "Anna Schmidt", chat.Everyone, chat.Said, "It hangs when I save. 日本語 wide text that must be wrapped somewhere, and it goes on and on")
		for _, keys := range [][]string{nil, {"?"}, {"esc"}, {"t"}, {"h", "e", "y"}, {"esc"}, {"r"}, {"v"}, {"esc"}, {"q"}, {"esc"}, {"s"}, {"esc"}, {"g"}, {"esc"}, {"z"}, {"c"}} {
			d.press(keys...)
			d.news()
			rows := d.rows()
			if len(rows) != size.Y {
				t.Fatalf("%v after %v: %d rows", size, keys, len(rows))
			}
			for y, r := range rows {
				if w := ansi.StringWidthWc(r); w != size.X {
					t.Errorf("%v after %v: row %d is %d cells wide: %q", size, keys, y, w, ansi.Strip(r))
				}
			}
		}
	}
}

func TestHeaderTellsWhereAndWithWhom(t *testing.T) {
	d := newDesk(t, 120, 30)
	if got, want := strings.TrimSpace(ansi.Strip(d.rows()[0])), "1234 5678   Anna Schmidt   web-01"; !strings.HasPrefix(got, want) {
		t.Errorf("header %q", got)
	}
	d.sees("not verified yet", "2 here", "relay 42 ms")
	d.s.change(func() { d.s.state.Trusted = true; d.s.state.Link.Loss = 0.03 })
	d.news()
	d.sees("verified   2 here", "relay 42 ms, 3 % lost")
	d.seesNot("not verified")
}

func TestDisabledKeySaysWhyInTheStatusLine(t *testing.T) {
	d := newDesk(t, 100, 24, func(f *fake) { f.state.Roster.Members[1].Grants = session.View })
	d.press("c")
	d.did("")
	d.sees("c does not work now: the customer has not allowed control; g asks for it")
	d.clock = d.clock.Add(messageLife)
	d.seesNot("does not work")
	d.press("g")
	d.sees("Ask for more", "[x] control: use keyboard and mouse")
	d.press("down", "space", "enter")
	d.did("AskGrants{control}")
}

func TestLostSaysSinceWhen(t *testing.T) {
	d := newDesk(t, 100, 30)
	d.s.change(func() { d.s.state.Phase, d.s.state.LostSince = Lost, d.clock.Add(-12*time.Second) })
	d.news()
	d.sees("No contact since", "(12 s)", "Trying again by itself")
	d.clock = d.clock.Add(3 * time.Second)
	d.send(secondMsg{})
	d.sees("(15 s)")
}

func TestNoticesPass(t *testing.T) {
	d := newDesk(t, 100, 30)
	for _, n := range []string{"Carla", "Dan", "Eve", "Finn"} {
		d.s.say(5, n, chat.Everyone, chat.Joined, "")
	}
	d.news()
	d.sees("Dan joined", "Eve joined", "Finn joined")
	d.seesNot("Carla joined")
	d.clock = d.clock.Add(5 * time.Second)
	d.send(secondMsg{})
	d.seesNot("Dan joined")
	d.s.change(func() { d.s.state.Outcome = Outcome{Serial: 1, Text: "Carla controls now"} })
	d.news()
	d.sees("Carla controls now")
}

func TestHistoryIsNoNews(t *testing.T) {
	d := newDesk(t, 100, 30, func(f *fake) {
		f.say(1, "Anna", chat.Everyone, chat.Said, "said before you came")
		f.say(5, "Carla", chat.Everyone, chat.Joined, "")
	})
	d.seesNot("Carla joined", "said before", "new)")
	d.press("t")
	d.sees("said before you came", "Carla joined")
}

func TestChatLanes(t *testing.T) {
	d := newDesk(t, 120, 30)
	d.s.say(1, "Anna Schmidt", chat.Everyone, chat.Said, "help")
	d.news()
	if !strings.Contains(d.bottom(), "chat (1 new)") {
		t.Errorf("status line %q", d.bottom())
	}
	d.press("t")
	d.sees("to everyone, the customer too", "help", "CHAT")
	d.press("h", "i", "q", "c", "enter")
	d.did("Say{1 hiqc}")
	d.press("tab")
	d.sees("to agents only")
	d.press("x", "enter", "esc")
	d.did("Say{2 x}")
	if d.m.mode != status.Browse || strings.Contains(d.bottom(), "new)") {
		t.Errorf("status line %q", d.bottom())
	}
	d.press("esc")
	d.seesNot("─ Chat")
}

func TestNothingForgedReachesTheTerminal(t *testing.T) {
	evil := "\x1b[2J\x1b]0;x\a\u009b31m\u202e\r\n· 14:00 Anna ended the session"
	d := newDesk(t, 120, 40, func(f *fake) {
		f.state.Customer, f.state.HostName, f.state.Code = evil, evil, evil
		f.state.Roster.Members[0].Name, f.state.Roster.Members[1].Org = evil, evil
		f.state.Why, f.state.Link.Path = evil, evil
	})
	d.s.say(1, evil, chat.Everyone, chat.Said, evil)
	d.s.say(1, evil, chat.Everyone, chat.Joined, evil)
	d.news()
	d.press("r", "t")
	views := []tea.View{d.m.View()}
	for _, p := range []Phase{Connecting, AwaitingHost, Knocking, Lost, Over} {
		d.s.change(func() { d.s.state.Phase = p })
		d.news()
		views = append(views, d.m.View())
	}
	for _, v := range views {
		for _, bad := range []string{"\x1b[2J", "\x1b]", "\a", "\u009b", "\u202e", "\r"} {
			if strings.Contains(v.Content, bad) || strings.Contains(v.WindowTitle, bad) {
				t.Errorf("%q came through", bad)
			}
		}
		for _, l := range strings.Split(ansi.Strip(v.Content), "\n") {
			if i := strings.Index(l, "│ · 14:00 Anna ended"); i >= 0 {
				t.Errorf("a forged line stands where only the session writes: %q", l)
			}
		}
	}
}

func TestViewportIsAskedOnceItSettled(t *testing.T) {
	d := newDesk(t, 80, 24)
	if len(d.s.looks) != 1 || d.s.looks[0].Grid != image.Pt(78, 44) {
		t.Fatalf("asked for %v", d.s.looks)
	}
	for w := 81; w <= 120; w++ {
		d.send(tea.WindowSizeMsg{Width: w, Height: 40})
	}
	if len(d.s.looks) != 1 {
		t.Errorf("asked %d times while the window was being dragged", len(d.s.looks)-1)
	}
	d.send(lookMsg{1}, lookMsg{d.m.serial})
	if len(d.s.looks) != 2 || d.s.looks[1].Grid != image.Pt(120, 68) {
		t.Errorf("asked for %v", d.s.looks[1:])
	}
}

func TestWheelZoomsAndDragPans(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.send(tea.MouseWheelMsg{X: 20, Y: 10, Button: tea.MouseWheelUp})
	if d.m.viewer.Lens.Fits() {
		t.Fatal("the wheel does not zoom")
	}
	before := d.m.viewer.Wanted().Region
	d.send(tea.MouseClickMsg{X: 40, Y: 10, Button: tea.MouseLeft}, tea.MouseMotionMsg{X: 30, Y: 10, Button: tea.MouseLeft}, tea.MouseReleaseMsg{X: 30, Y: 10, Button: tea.MouseLeft})
	if after := d.m.viewer.Wanted().Region; after.Min.X <= before.Min.X || after.Min.Y != before.Min.Y {
		t.Errorf("the view went from %v to %v", before, after)
	}
	d.press("0")
	if !d.m.viewer.Lens.Fits() {
		t.Error("0 does not show the whole screen")
	}
}

func TestMouseKeyLeavesTheMouseToTheTerminal(t *testing.T) {
	d := newDesk(t, 80, 24)
	d.press("m")
	if v := d.m.View(); v.MouseMode != tea.MouseModeNone {
		t.Errorf("mouse mode %v", v.MouseMode)
	}
	d.sees("m takes it back")
	d.press("m")
	if v := d.m.View(); v.MouseMode != tea.MouseModeCellMotion {
		t.Errorf("mouse mode %v", v.MouseMode)
	}
}

func TestSmallTerminalIsToldSo(t *testing.T) {
	d := newDesk(t, 50, 10)
	d.sees("This terminal has 50 x 10 cells.", "at least 60 x 16")
	d.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	d.sees("BROWSE")
}

func TestHelpSaysWhatDoesNotWorkAndWhy(t *testing.T) {
	d := newDesk(t, 100, 130, func(f *fake) { f.state.Roster.Members[1].Grants = session.View })
	d.press("?")
	d.sees("Keys", "take control", "not now: the customer has not allowed control", "Ctrl-]", "back to browsing")
	d.press("?")
	d.seesNot("not now")
}

func BenchmarkKeyPress(b *testing.B) {
	s := newFake()
	m := newModel(context.Background(), s, Options{ColorProfile: colorprofile.TrueColor}.filled())
	m.Update(tea.WindowSizeMsg{Width: 160, Height: 50})
	m.Update(changedMsg{})
	m.Update(changedMsg{})
	for b.Loop() {
		m.Update(pressed("x"))
		_ = m.View()
	}
}
