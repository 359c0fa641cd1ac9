package tui

import (
	"fmt"
	"image"
	"strings"

	"assist/screen"
	"assist/tui/dialog"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// What the host answers about its scrollback.
type (
	linesMsg struct {
		first uint64
		rows  []screen.Row
		err   error
	}
	foundMsg struct {
		words string
		line  uint64
		found bool
		err   error
	}
)

// pasteAnswer is a yes to pasting several lines into a program that would take each as typed.
type pasteAnswer struct{ text string }

// textGlance is what the host was last told about the console's look at its text.
type textGlance struct {
	on   bool
	size image.Point
}

// both says whether the host shares a desktop and text.
func (m *model) both() bool { return m.state.Text.Offered && m.state.Display.Size.X > 0 }

// pullText takes the newest text, and shows it where there is nothing else to show.
func (m *model) pullText() {
	if !m.chosen {
		m.showText = m.state.Text.Offered && m.state.Display.Size.X == 0
	}
	m.control.ToText = m.showText
	if g := m.session.Text(); g != nil {
		m.text.SetGrid(g)
	}
}

// switchText changes between desktop and text.
func (m *model) switchText() {
	m.chosen, m.showText = true, !m.showText
	m.control.ToText = m.showText
	m.say(map[bool]string{true: "the terminal; Tab goes back to the desktop", false: "the desktop; Tab goes back to the terminal"}[m.showText])
}

// settleText tells the host how much of its text is looked at, and asks for scrollback that is missing.
func (m *model) settleText() tea.Cmd {
	want := textGlance{m.showText && m.inSession(), m.layout.picture.Size()}
	if !want.on || m.layout.small {
		want = textGlance{}
	}
	if want != m.glanced && m.state.Phase == In {
		m.glanced = want
		m.session.LookText(want.on, want.size)
	}
	from, n := m.text.Missing()
	if n == 0 || !want.on {
		return nil
	}
	s, ctx := m.session, m.ctx
	return func() tea.Msg {
		first, rows, err := s.TextLines(ctx, from, n)
		return linesMsg{first, rows, err}
	}
}

// hearText takes what the host has answered.
func (m *model) hearText(msg tea.Msg) {
	switch msg := msg.(type) {
	case linesMsg:
		m.text.Lines(msg.first, msg.rows)
		if msg.err != nil {
			m.say("older lines did not arrive: " + msg.err.Error())
		}
	case foundMsg:
		switch {
		case msg.err != nil:
			m.say("not searched: " + msg.err.Error())
		case !msg.found:
			m.say("no line has \"" + msg.words + "\" that way")
		default:
			m.text.Show(msg.line, msg.words)
		}
	}
}

// findText searches in the host's scrollback.
func (m *model) findText(a dialog.FindWords) tea.Cmd {
	if a.Words == "" {
		m.text.Unmark()
		return nil
	}
	s, ctx, from := m.session, m.ctx, m.text.SearchFrom(a.Words, a.Down)
	return func() tea.Msg {
		line, found, err := s.TextFind(ctx, from, a.Down, a.Words)
		return foundMsg{a.Words, line, found, err}
	}
}

// copyText puts what is selected on the clipboard.
func (m *model) copyText() tea.Cmd {
	text := m.text.Selected()
	if text == "" {
		return nil
	}
	m.text.Unmark()
	return m.toClipboard(text)
}

// pasteText pastes into the text. Several lines into a program that does not know pastes are asked about once (threats A14).
func (m *model) pasteText(text string) {
	g := m.text.Grid()
	if g == nil || g.Modes.Has(screen.BracketedPaste) || !strings.ContainsAny(strings.TrimRight(text, "\r\n"), "\r\n") {
		m.typed(m.control.Paste(text))
		return
	}
	m.dialog = &dialog.Page{
		Title: "Paste several lines?",
		Parts: []dialog.Part{
			{Lines: []string{"The program over there does not tell a paste from typing: each line counts as soon as it ends."}},
			{Lines: strings.Split(strings.TrimRight(text, "\r\n"), "\n"), Typed: true},
		},
		Choices: []dialog.Choice{{Press: "y", Text: "paste it", Answer: pasteAnswer{text}}, {Press: "n", Text: "leave it"}},
	}
}

// typed goes back to the newest line when something was typed.
func (m *model) typed(ok bool) {
	m.text.Typed()
	m.played(ok)
}

// textMouse plays the mouse over the text. It belongs to the program over there where that asked for it and this agent
// controls; Shift keeps it here, as terminals do. Else the wheel scrolls and a drag selects, and what is selected is copied.
func (m *model) textMouse(msg tea.MouseMsg) {
	mouse := msg.Mouse()
	at := image.Pt(mouse.X, mouse.Y).Sub(m.layout.picture.Min)
	g := m.text.Grid()
	if g == nil {
		return
	}
	theirs := m.mode == status.Control && mouse.Mod&tea.ModShift == 0 && m.text.Back() == 0
	if theirs && (g.Modes.WantsMouse() || wheel(msg) && g.Modes.Has(screen.AlternateScreen|screen.WheelKeys)) {
		m.steerText(msg, at)
		return
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		m.text.Scroll(map[tea.MouseButton]int{tea.MouseWheelUp: 3, tea.MouseWheelDown: -3}[msg.Button])
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft && at.In(image.Rectangle{Max: m.layout.picture.Size()}) {
			m.text.Press(at)
			m.selecting = true
		}
	case tea.MouseMotionMsg:
		if m.selecting && msg.Button == tea.MouseLeft {
			m.text.Drag(at)
		}
	case tea.MouseReleaseMsg:
		if m.selecting && m.text.Selecting() {
			m.say("y copies what is selected")
		}
		m.selecting = false
	}
}

func wheel(msg tea.MouseMsg) bool { _, is := msg.(tea.MouseWheelMsg); return is }

// steerText plays the mouse for the program over there.
func (m *model) steerText(msg tea.MouseMsg, cell image.Point) {
	at, in := m.text.Cell(cell)
	mod := msg.Mouse().Mod
	switch msg := msg.(type) {
	case tea.MouseMotionMsg:
		if in || m.control.Dragging() {
			m.played(m.control.Move(at))
		}
	case tea.MouseReleaseMsg:
		m.played(m.control.ButtonUp(buttons[msg.Button], at))
	case tea.MouseClickMsg:
		if b := buttons[msg.Button]; in && b != 0 {
			m.played(m.control.Button(b, at, mod))
		}
	case tea.MouseWheelMsg:
		if steps := notches[msg.Button]; in {
			m.played(m.control.Wheel(steps, at, mod))
		}
	}
}

// textWords says what part of the text is seen.
func (m *model) textWords() string {
	g := m.text.Grid()
	switch back := m.text.Back(); {
	case g == nil:
		return ""
	case back > 0:
		return fmt.Sprintf("%d lines back", back)
	case m.state.Text.Ended:
		return m.state.Text.Name + " has ended"
	case m.text.Larger():
		return fmt.Sprintf("%s, part of %dx%d", m.state.Text.Name, g.Size.X, g.Size.Y)
	}
	return fmt.Sprintf("%s, %dx%d", m.state.Text.Name, g.Size.X, g.Size.Y)
}
