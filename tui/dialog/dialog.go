// Package dialog is the questions that the console asks its agent. A dialog has all keys while it is open; what it was
// answered comes back as a value of its own type, and nothing else happens inside.
//
// It belongs to the goroutine of the tea.Program and never waits. Dialogs open because a key asked for them; one that opens
// by itself must be wrapped in WithGrace, so that what was being typed is not taken for an answer.
package dialog

import (
	"image"
	"strings"
	"time"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Answer is what a dialog was answered; nil means that it was closed without one.
type Answer any

// Dialog is one question.
type Dialog interface {
	// Press handles a key; done closes the dialog.
	Press(k tea.KeyPressMsg) (a Answer, done bool)
	// View draws it, at most as large as max.
	View(t theme.Theme, max image.Point) cell.Block
	// Hint tells the keys in one line.
	Hint() string
}

// Grace is how long a dialog that opens by itself swallows keys.
const Grace = 700 * time.Millisecond

// WithGrace is d deaf to keys until Grace has passed.
func WithGrace(d Dialog, now func() time.Time) Dialog { return &graceful{d, now, now().Add(Grace)} }

type graceful struct {
	Dialog
	now   func() time.Time
	until time.Time
}

func (g *graceful) Press(k tea.KeyPressMsg) (Answer, bool) {
	if g.now().Before(g.until) {
		return nil, false
	}
	return g.Dialog.Press(k)
}

// Paste hands pasted text on, under the same grace.
func (g *graceful) Paste(text string) {
	if p, ok := g.Dialog.(Paster); ok && !g.now().Before(g.until) {
		p.Paste(text)
	}
}

// frame draws a box with a title around lines, which are styled for the panel already.
func frame(t theme.Theme, title string, lines []string, inner int) cell.Block {
	side := t.PanelDim.Render("│")
	top := "┌─ " + cell.Cut(title, inner-2) + " "
	out := cell.Block{t.PanelDim.Render("┌─ ") + t.PanelTitle.Render(cell.Cut(title, inner-2)) + t.PanelDim.Render(" "+strings.Repeat("─", max(0, inner+3-cell.Width(top)))+"┐")}
	for _, l := range append(append([]string{""}, lines...), "") {
		l = cell.Cut(l, inner)
		out = append(out, side+t.Panel.Render(" ")+l+t.Panel.Render(strings.Repeat(" ", inner-cell.Width(l)+1))+side)
	}
	return append(out, t.PanelDim.Render("└"+strings.Repeat("─", inner+2)+"┘"))
}

// innerWidth is the room inside a frame for text that would like to be want cells wide.
func innerWidth(want int, max image.Point) int { return min(want, max.X-4) }

// more says in a title that a list goes on above or below.
func more(above, below int) string {
	switch {
	case above > 0 && below > 0:
		return " (more above and below)"
	case above > 0:
		return " (more above)"
	case below > 0:
		return " (more below)"
	}
	return ""
}
