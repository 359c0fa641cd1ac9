package tui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"assist/screen"

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
