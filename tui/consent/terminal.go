package consent

import (
	"context"
	"image"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"assist/screen"
	"assist/session"
	"assist/tui/cell"
	"assist/tui/control"
	"assist/tui/textpane"
)

// Text is a terminal that is shared, in which the customer sees and types as well. Nothing in it waits. The customer is 0.
type Text interface {
	Watch() <-chan struct{}
	Grid() *screen.TextGrid
	Want(who uint64, size image.Point, controls bool)
	Play(who uint64, ev screen.Input) error
}

// prefixKey begins what is for this screen and not for the program.
const prefixKey = "ctrl+]"

// typingEvery is how often the host is told that the customer types.
const typingEvery = 500 * time.Millisecond

// terminal is the customer's screen while a terminal is shared: the program's rows, and below them a line that says so and
// cannot be hidden. What else there is to say (the code, a question, who is here) comes over it.
type terminal struct {
	*model
	text    Text
	pane    *textpane.Pane
	control *control.Control
	prefix  bool // the next key is for this screen
	details bool
	typing  time.Time
	failed  string // why the last key did nothing
}

// textMsg says that the text may be another one.
type textMsg struct{}

func newTerminal(act func(Act), text Text) *terminal {
	t := &terminal{model: newModel(act), text: text, pane: textpane.New()}
	t.control = control.New(t.play)
	t.control.ToText = true
	t.pane.SetGrid(text.Grid())
	return t
}

func (t *terminal) play(ev screen.Input) bool {
	t.failed = ""
	if err := t.text.Play(0, ev); err != nil {
		t.failed = err.Error()
	}
	if now := time.Now(); now.Sub(t.typing) > typingEvery {
		t.typing = now
		t.act(Typing{})
	}
	return true
}

// over says whether the question or the details cover the program.
func (t *terminal) over() bool {
	return t.view.Question != nil || t.details || t.view.Ended || t.stopped
}

// Update implements tea.Model.
func (t *terminal) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case textMsg:
		t.pane.SetGrid(t.text.Grid())
		return t, nil
	case tea.WindowSizeMsg:
		size := image.Pt(msg.Width, max(1, msg.Height-1))
		t.pane.SetSize(size)
		t.text.Want(0, size, true)
	case tea.KeyPressMsg:
		if cmd, mine := t.key(msg); mine {
			return t, cmd
		}
	case tea.PasteMsg:
		if !t.over() {
			t.control.Paste(msg.Content)
			return t, nil
		}
	case tea.MouseMsg:
		if !t.over() {
			t.mouse(msg)
		}
		return t, nil
	case tea.ColorProfileMsg:
		t.pane.SetProfile(msg.Profile)
	}
	_, cmd := t.model.Update(msg)
	return t, cmd
}

// key says whether a key was for the program or for this screen's prefix; all others are for what covers the program.
func (t *terminal) key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	press := k.String()
	if t.prefix {
		t.prefix = false
		switch press {
		case "s", "S":
			return t.stop(), true
		case "i", "I":
			t.details = !t.details
			return nil, true
		case "r", "R":
			t.act(TakeBack{})
			return nil, true
		case prefixKey:
			if !t.over() {
				t.control.Press(k.Key())
			}
		}
		return nil, true
	}
	switch {
	case press == prefixKey:
		t.prefix = true
	case t.over():
		if t.details && t.view.Question == nil && press == "esc" && !t.writing {
			t.details = false
			return nil, true
		}
		return nil, false
	default:
		t.pane.Typed()
		t.control.Press(k.Key())
	}
	return nil, true
}

func (t *terminal) mouse(msg tea.MouseMsg) {
	m := msg.Mouse()
	at, in := t.pane.Cell(image.Pt(m.X, m.Y))
	b := map[tea.MouseButton]screen.Button{tea.MouseLeft: 1, tea.MouseMiddle: 2, tea.MouseRight: 3}[m.Button]
	switch msg.(type) {
	case tea.MouseClickMsg:
		if in && b != 0 {
			t.control.Button(b, at, m.Mod)
		}
	case tea.MouseReleaseMsg:
		t.control.ButtonUp(b, at)
	case tea.MouseMotionMsg:
		t.control.Move(at)
	case tea.MouseWheelMsg:
		steps := map[tea.MouseButton]image.Point{tea.MouseWheelUp: {Y: -1}, tea.MouseWheelDown: {Y: 1}}[m.Button]
		t.control.Wheel(steps, at, m.Mod)
	}
}

// View implements tea.Model.
func (t *terminal) View() tea.View {
	v := t.model.View()
	t.pane.Caret = t.over()
	if t.over() {
		if n := len(strings.Split(v.Content, "\n")); n > 0 && !t.view.Ended && !t.stopped && t.view.Question == nil {
			rows := strings.Split(v.Content, "\n")
			rows[n-1] = t.line()
			v.Content = strings.Join(rows, "\n")
		}
		return v
	}
	v.Content = strings.Join(append(t.pane.View(), t.line()), "\n")
	if at, seen := t.pane.Cursor(); seen {
		v.Cursor = tea.NewCursor(at.X, at.Y)
		v.Cursor.Blink = !t.pane.Grid().Cursor.Steady
	}
	if g := t.pane.Grid(); g != nil && g.Modes.WantsMouse() {
		v.MouseMode = tea.MouseModeAllMotion
	}
	return v
}

// line says who sees and types here and how it is stopped.
func (t *terminal) line() string {
	style, who := t.theme.BarStrong, "nobody is here yet, code "+spaced(t.view.Code)
	var here []string
	for _, m := range t.view.Roster.Members {
		if m.Role != session.Customer && (m.Presence == session.Here || m.Presence == session.Reconnecting) {
			what := "sees"
			if m.Grants.Has(session.Control) {
				what = "sees and types"
			}
			here = append(here, cell.Clean(m.Name)+" ("+cell.Clean(m.Org)+") "+what)
		}
	}
	if len(here) > 0 {
		style, who = t.theme.BarWarn, "SHARED: "+strings.Join(here, ", ")
	}
	keys := "Ctrl-] s stops, i tells more "
	switch {
	case t.prefix:
		keys = "s stops, i tells more, r takes control back, Ctrl-] sends it "
	case t.details:
		keys = "Ctrl-] s stops, Esc goes back "
	case t.failed != "":
		who = cell.Clean(t.failed)
	}
	return style.Render(cell.Ends(" assist  "+who, keys, t.w))
}

// runTerminal is run with the shared text on the screen.
func runTerminal(ctx context.Context, text Text, views <-chan View, act func(Act), opts ...tea.ProgramOption) error {
	signals := text.Watch()
	defer text.Want(0, image.Point{}, false)
	t := newTerminal(act, text)
	return drive(ctx, t, opts, func(ctx context.Context, send func(tea.Msg)) {
		for {
			select {
			case v := <-views:
				send(v)
			case <-signals:
				send(textMsg{})
			case <-ctx.Done():
				return
			}
		}
	})
}
