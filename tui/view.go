package tui

import (
	"fmt"
	"image"
	"strings"
	"time"

	"assist/screen"
	"assist/tui/cell"
	"assist/tui/control"
	"assist/tui/roster"
	"assist/tui/status"
	"assist/tui/waiting"

	tea "charm.land/bubbletea/v2"
)

// arrange lays the console out for what is shown now.
func (m *model) arrange() {
	want := panes{chat: m.showChat && m.inSession(), roster: m.showRoster && m.inSession()}
	if want.roster {
		want.rosterRows = roster.Rows(m.state.Roster)
	}
	m.layout = arrange(m.size, want)
	m.viewer.SetSize(m.layout.picture)
	m.text.SetSize(m.layout.picture.Size())
	m.check.SetSize(m.size.X, m.size.Y-2)
	m.chat.SetSize(m.layout.chat.Dx(), m.layout.chat.Dy(), m.size.X >= sideFrom)
}

// inSession says whether there is a session to look at.
func (m *model) inSession() bool { return m.state.Phase == In || m.state.Phase == Lost }

// View draws the console.
func (m *model) View() tea.View {
	m.arrange()
	m.drawn = false
	defer func() {
		if !m.drawn {
			m.viewer.Hide()
		}
	}()
	var v tea.View
	v.AltScreen = true
	v.WindowTitle = "assist " + status.Code(m.state.Code)
	v.SetContent(strings.Join(m.compose(), "\n"))
	switch {
	case m.noMouse:
	case m.mode == status.Control && m.dialog == nil:
		v.MouseMode = tea.MouseModeAllMotion
	default:
		v.MouseMode = tea.MouseModeCellMotion
	}
	if at, seen := m.text.Cursor(); m.mode == status.Control && m.showText && seen && m.dialog == nil && !m.layout.small {
		v.Cursor = m.textCursor(at)
	}
	if m.mode == status.Control && !m.showText {
		v.ReportFocus = true
		v.KeyboardEnhancements = tea.KeyboardEnhancements{ReportEventTypes: true, ReportAllKeysAsEscapeCodes: true, ReportAssociatedText: true}
	}
	if m.mode == status.Type && m.dialog == nil && !m.layout.small {
		if v.Cursor = m.chat.Cursor(); v.Cursor != nil {
			v.Cursor.X += m.layout.chat.Min.X
			v.Cursor.Y += m.layout.chat.Min.Y
		}
	}
	return v
}

// compose is the rows of the whole screen.
func (m *model) compose() cell.Block {
	if m.size.X <= 0 || m.size.Y <= 0 {
		return nil
	}
	if m.layout.small {
		return waiting.Small(m.size.X, m.size.Y, MinWidth, MinHeight)
	}
	over := m.overlays()
	out := cell.Block{status.Header(m.theme, m.state, m.size.X)}
	out = append(out, m.body(over)...)
	out = append(out, status.Footer(m.theme, m.footer(), m.size.X))
	for _, o := range over {
		out = cell.Overlay(out, o.block, o.at.X, o.at.Y)
	}
	return out
}

// body is what stands between the first and the last line.
func (m *model) body(over []overlay) cell.Block {
	l := m.layout
	if m.mode == status.Checkup {
		return m.check.View(m.theme)
	}
	if !m.inSession() || m.nothingYet() && l.chat.Empty() && l.roster.Empty() {
		scene := waiting.Scene{State: m.state, Command: m.opt.command(m.state.Code), Now: m.now()}
		return waiting.View(m.theme, scene, m.size.X, m.size.Y-2)
	}
	var covered []image.Rectangle
	for _, o := range over {
		covered = append(covered, o.rect())
	}
	m.viewer.Cover(covered...)
	out := m.shownPane()
	if !l.roster.Empty() {
		side := roster.View(m.theme, m.rosterScene(), l.roster.Dx(), l.roster.Dy())
		if l.chat.Min.X == l.roster.Min.X && !l.chat.Empty() {
			return cell.Beside(out, append(side, m.chat.View()...))
		}
		out = cell.Beside(out, side)
	}
	switch {
	case l.chat.Empty():
		return out
	case l.chat.Min.X > 0:
		return cell.Beside(out, m.chat.View())
	}
	return append(append(cell.Block(nil), out...), m.chat.View()...)
}

// nothingYet says whether neither picture nor text has arrived that is to be shown.
func (m *model) nothingYet() bool {
	if m.showText {
		return m.text.Grid() == nil
	}
	return m.session.Picture() == nil
}

// shownPane is the desktop or the text.
func (m *model) shownPane() cell.Block {
	if !m.showText {
		m.drawn = true
		return m.viewer.View()
	}
	m.text.Caret = m.mode != status.Control || m.dialog != nil
	return m.text.View()
}

// textCursor is the terminal's own cursor where the program's stands.
func (m *model) textCursor(at image.Point) *tea.Cursor {
	at = at.Add(m.layout.picture.Min)
	c := tea.NewCursor(at.X, at.Y)
	form := m.text.Grid().Cursor
	c.Shape = [...]tea.CursorShape{screen.BlockCaret: tea.CursorBlock, screen.UnderlineCaret: tea.CursorUnderline, screen.BarCaret: tea.CursorBar}[form.Form]
	c.Blink = !form.Steady
	return c
}

// overlay is something that lies on the screen.
type overlay struct {
	block cell.Block
	at    image.Point
}

func (o overlay) rect() image.Rectangle {
	w, h := o.block.Size()
	return image.Rectangle{Min: o.at, Max: o.at.Add(image.Pt(w, h))}
}

// overlays are the notices, a banner while there is no contact, and the dialog, the topmost last.
func (m *model) overlays() []overlay {
	var out []overlay
	if b := m.notices.View(m.theme, max(20, m.layout.picture.Dx()-4)); len(b) > 0 {
		w, _ := b.Size()
		out = append(out, overlay{b, image.Pt(max(0, m.layout.picture.Max.X-w-1), 2)})
	}
	if m.state.Phase == Lost {
		out = append(out, m.centered(m.lost()))
	}
	if m.dialog != nil {
		if b := m.dialog.View(m.theme, image.Pt(m.size.X-4, m.size.Y-4)); len(b) > 0 {
			out = append(out, m.centered(b))
		}
	}
	return out
}

func (m *model) centered(b cell.Block) overlay {
	w, h := b.Size()
	return overlay{b, image.Pt(max(0, (m.size.X-w)/2), max(1, (m.size.Y-h)/2))}
}

// lost says since when there is no contact, and that it goes on trying.
func (m *model) lost() cell.Block {
	text := fmt.Sprintf("No contact since %s (%s). Trying again by itself.",
		m.state.LostSince.Local().Format("15:04:05"), waiting.Lasted(max(0, m.now().Sub(m.state.LostSince)).Truncate(time.Second)))
	if m.state.Why != "" {
		text = cell.Clean(m.state.Why) + ". " + text
	}
	lines := cell.Wrap(text, min(60, m.size.X-8))
	w, _ := cell.Block(lines).Size()
	blank := m.theme.PanelWarn.Render(cell.Fit("", w+4))
	out := cell.Block{blank}
	for _, l := range lines {
		out = append(out, m.theme.PanelWarn.Render("  "+cell.Fit(l, w)+"  "))
	}
	return append(out, blank)
}

// footer is what the status line tells.
func (m *model) footer() status.Line {
	f := status.Line{
		Mode: m.mode, Now: m.keysNow(), Exit: ExitName(m.opt.ExitKey), Latched: control.Names(m.control.Latched),
		Unread: m.chat.Unread, NoMouse: m.noMouse, Whose: "the customer",
	}
	if m.state.Customer != "" {
		f.Whose = cell.Clean(m.state.Customer)
	}
	if m.showText && m.inSession() {
		f.Zoom = m.textWords()
	} else if f.Now.Picture && m.inSession() {
		f.Zoom = m.viewer.Zoom()
	}
	if m.now().Before(m.messageEnd) {
		f.Message = m.message
	}
	if deaf := m.deaf(); m.mode == status.Control && deaf != "" {
		f.Message = deaf
	}
	switch {
	case m.dialog != nil:
		f.Hint, f.Message = m.dialog.Hint(), ""
	case m.mode == status.Type:
		f.Hint = m.chat.Hint()
	case m.mode == status.Checkup:
		f.Hint, f.Zoom = m.check.Hint(), ""
	}
	return f
}
