package tui

import (
	"context"
	"image"
	"testing"
	"time"

	"assist/screen"
	"assist/screen/console/vt"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// sharing is a fake whose host shares text that a program wrote on a terminal of that size.
func sharing(desktop bool, size image.Point, written string) func(*fake) {
	return func(f *fake) {
		term := vt.New(size)
		term.Scrolled = func(r screen.Row) {
			f.past = append(f.past, screen.Row{Cells: append([]screen.Cell(nil), r.Cells...)})
		}
		_, _ = term.Write([]byte(written))
		f.text = term.Grid()
		f.text.Top = uint64(len(f.past))
		f.state.Text.Offered, f.state.Text.Name = true, "bash"
		if !desktop {
			f.state.Display = screen.Display{}
		}
	}
}

func (f *fake) typed() (out []screen.Input) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ev := range f.input {
		if ev.Kind != screen.ReleaseAll {
			out = append(out, ev)
		}
	}
	return out
}

func TestTextIsShownWhereThereIsNoDesktop(t *testing.T) {
	d := newDesk(t, 100, 30, sharing(false, image.Pt(100, 28), "hello from a server\r\n$ "))
	d.sees("hello from a server", "bash, 100x28")
	if got := d.s.glances; len(got) != 1 || got[0] != image.Pt(100, 28) {
		t.Errorf("the host was told %v", got)
	}
	d.press("c", "l", "ctrl+c", "enter")
	d.send(tea.PasteMsg{Content: "pasted"})
	want := []screen.Input{
		{Kind: screen.KeyTap, Key: 'l', ToText: true},
		{Kind: screen.KeyTap, Key: 'c', Mods: screen.ModControl, ToText: true},
		{Kind: screen.KeyTap, Key: screen.KeyEnter, ToText: true},
		{Kind: screen.PasteText, Text: "pasted", ToText: true},
	}
	got := d.s.typed()
	if len(got) != len(want) {
		t.Fatalf("the host got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	if v := d.m.View(); v.Cursor == nil || v.Cursor.X != 2 || v.Cursor.Y != 2 {
		t.Errorf("cursor %+v", v.Cursor)
	}
}

func TestTabChangesBetweenDesktopAndText(t *testing.T) {
	d := newDesk(t, 100, 30, sharing(true, image.Pt(80, 24), "in the terminal"))
	d.sees("▀")
	d.seesNot("in the terminal")
	d.press("tab")
	d.sees("in the terminal")
	d.press("tab")
	d.seesNot("in the terminal")
	if got := d.s.glances; len(got) != 2 || got[1] != (image.Point{}) {
		t.Errorf("the host was told %v", got)
	}
}

func TestLinesOfAPasteAreAskedAboutWhereEachCounts(t *testing.T) {
	d := newDesk(t, 100, 30, sharing(false, image.Pt(80, 24), "$ "))
	d.press("c")
	d.send(tea.PasteMsg{Content: "rm -rf x\nls\n"})
	d.sees("Paste several lines?", "rm -rf x")
	d.press("n")
	if got := d.s.typed(); len(got) != 0 {
		t.Errorf("a refused paste arrived: %+v", got)
	}
	d.send(tea.PasteMsg{Content: "one\ntwo\n"})
	d.press("y")
	if got := d.s.typed(); len(got) != 1 || got[0].Text != "one\ntwo\n" {
		t.Errorf("the host got %+v", got)
	}
	bracketed := newDesk(t, 100, 30, sharing(false, image.Pt(80, 24), "\x1b[?2004h$ "))
	bracketed.press("c")
	bracketed.send(tea.PasteMsg{Content: "one\ntwo\n"})
	if got := bracketed.s.typed(); len(got) != 1 {
		t.Errorf("a program that knows pastes got %+v", got)
	}
}

func TestTheMouseSelectsUnlessTheProgramWantsIt(t *testing.T) {
	d := newDesk(t, 100, 30, sharing(false, image.Pt(80, 24), "select these words"))
	copied := ""
	d.m.opt.Copy = func(text string) (string, error) { copied = text; return "test", nil }
	d.press("c")
	d.send(tea.MouseClickMsg{X: 7, Y: 1, Button: tea.MouseLeft}, tea.MouseMotionMsg{X: 11, Y: 1, Button: tea.MouseLeft}, tea.MouseReleaseMsg{X: 11, Y: 1, Button: tea.MouseLeft})
	d.press("ctrl+]")
	_, cmd := d.m.Update(pressed("y"))
	run(d, cmd)
	if copied != "these" {
		t.Errorf("copied %q", copied)
	}
	mouse := newDesk(t, 100, 30, sharing(false, image.Pt(80, 24), "\x1b[?1002h\x1b[?1006hmenu"))
	mouse.press("c")
	mouse.send(tea.MouseClickMsg{X: 3, Y: 5, Button: tea.MouseLeft}, tea.MouseReleaseMsg{X: 3, Y: 5, Button: tea.MouseLeft})
	got := mouse.s.typed()
	if len(got) != 2 || got[0].Kind != screen.ButtonPress || got[0].At != image.Pt(3, 4) || !got[0].ToText || got[1].Kind != screen.ButtonRelease {
		t.Errorf("the program got %+v", got)
	}
}

// run plays what a command leads to.
func run(d *desk, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, c := range msg {
			run(d, c)
		}
	default:
		d.send(msg)
	}
}

func newShell(t *testing.T, change func(*fake)) (*shell, *fake) {
	t.Helper()
	f := newFake()
	change(f)
	m := newShellModel(f, Options{ColorProfile: colorprofile.TrueColor}.filled())
	m.ctx = context.Background()
	m.now = func() time.Time { return began }
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	m.Update(changedMsg{})
	return m, f
}

func TestTheShellIsLeftAsInSSH(t *testing.T) {
	for _, c := range []struct {
		keys string
		left bool
		want string
	}{
		{"~.", true, ""},
		{"a~.", false, "a~."},
		{"a\r~.", true, "a\r"},
		{"~~.", false, "~."},
		{"~a", false, "~a"},
		{"\r~?x", false, "\rx"},
	} {
		m, f := newShell(t, sharing(false, image.Pt(80, 24), "$ "))
		for _, r := range c.keys {
			k := string(r)
			if r == '\r' {
				k = "enter"
			}
			m.Update(pressed(k))
		}
		got := ""
		for _, ev := range f.typed() {
			if ev.Key == screen.KeyEnter {
				got += "\r"
			} else {
				got += string(rune(ev.Key))
			}
		}
		if got != c.want || m.left != c.left {
			t.Errorf("%q: sent %q, left %v; want %q, %v", c.keys, got, m.left, c.want, c.left)
		}
	}
}
