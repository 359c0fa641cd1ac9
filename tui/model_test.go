package tui

import (
	"context"
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/tui/control"
	"assist/tui/dialog"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// desk is a console in a test: what a person does to it, and what there is to see.
type desk struct {
	t     *testing.T
	s     *fake
	m     *model
	clock time.Time
}

func newDesk(t *testing.T, w, h int, change ...func(*fake)) *desk {
	d := &desk{t: t, s: newFake(), clock: began.Add(time.Hour)}
	for _, c := range change {
		c(d.s)
	}
	d.m = newModel(context.Background(), d.s, Options{ColorProfile: colorprofile.TrueColor, HostArgs: "--relay relay.example:4433"}.filled())
	d.m.now = func() time.Time { return d.clock }
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.news()
	return d
}

func (d *desk) send(msgs ...tea.Msg) {
	for _, msg := range msgs {
		d.m.Update(msg)
	}
}

// news lets the console see what changed in the session.
func (d *desk) news() {
	d.send(changedMsg{})
	if d.s.Picture() != nil {
		d.send(changedMsg{})
	}
}

// press types keys as tea.KeyPressMsg.String says them.
func (d *desk) press(keys ...string) {
	for _, k := range keys {
		d.send(pressed(k))
	}
}

func pressed(k string) tea.KeyPressMsg {
	named := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "backspace": tea.KeyBackspace, "space": ' '}
	if c, ok := named[k]; ok {
		msg := tea.KeyPressMsg{Code: c}
		if k == "space" {
			msg.Text = " "
		}
		return msg
	}
	if rest, ok := strings.CutPrefix(k, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: []rune(rest)[0], Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
}

func (d *desk) rows() []string { return strings.Split(d.m.View().Content, "\n") }
func (d *desk) text() string   { return ansi.Strip(d.m.View().Content) }
func (d *desk) bottom() string { r := d.rows(); return ansi.Strip(r[len(r)-1]) }

func (d *desk) sees(want ...string) {
	d.t.Helper()
	for _, w := range want {
		if !strings.Contains(d.text(), w) {
			d.t.Errorf("nothing says %q in\n%s", w, d.text())
		}
	}
}

func (d *desk) seesNot(words ...string) {
	d.t.Helper()
	for _, w := range words {
		if strings.Contains(d.text(), w) {
			d.t.Errorf("%q is still said in\n%s", w, d.text())
		}
	}
}

func (d *desk) did(want string) {
	d.t.Helper()
	got := ""
	for _, c := range d.s.did {
		got += strings.TrimPrefix(fmt.Sprintf("%T%v ", c, c), "console.")
	}
	d.s.did = nil
	if strings.TrimSpace(got) != want {
		d.t.Errorf("asked the session for %q, want %q", got, want)
	}
}

func (d *desk) sent() []screen.Input {
	in := d.s.input
	d.s.input = nil
	return in
}

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

func TestHandOverAndLeave(t *testing.T) {
	d := newDesk(t, 80, 24, func(f *fake) {
		f.state.Roster.Members = append(f.state.Roster.Members, session.Member{ID: 3, Name: "Carla Ruiz", Org: "Beta", Role: session.Agent, Presence: session.Here})
	})
	d.press("q", "down", "down", "enter")
	d.did("HandOver{3 } Leave{0}")
	d.send(goneMsg{})
	if !d.m.quitting {
		t.Error("it waits for ever")
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
	d := newDesk(t, 100, 70, func(f *fake) { f.state.Roster.Members[1].Grants = session.View })
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
