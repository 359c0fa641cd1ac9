package chatbox

import (
	"fmt"
	"strings"

	"assist/chat"
	"assist/tui/cell"

	tea "charm.land/bubbletea/v2"
)

// wrap makes the lines anew from the entries.
func (p *Pane) wrap() {
	p.lines, p.starts = p.lines[:0], p.starts[:0]
	var last chat.Entry
	for _, e := range p.entries {
		if p.unread != 0 && e.Seq == p.unread {
			p.lines = append(p.lines, p.theme.Warn.Render(cell.Cut(newMark, p.room())))
			last = chat.Entry{}
		}
		p.starts = append(p.starts, len(p.lines))
		p.lines = append(p.lines, p.entry(e, last)...)
		last = e
	}
}

// gutters of the two lanes and of what happened. Text starts two columns behind them and can never stand in theirs.
const (
	gutterEveryone = "  "
	gutterAgents   = "▌ "
	gutterEvent    = "· "
	newMark        = "── new since you looked ──"
)

// entry is e in lines; the name is left out where the same member goes on in the same lane within five minutes.
func (p *Pane) entry(e, last chat.Entry) []string {
	t, room := p.theme, p.room()
	at := e.Time.Local().Format("15:04")
	if e.Kind != chat.Said {
		var out []string
		gutter := gutterEvent
		for _, l := range cell.Wrap(at+" "+Sentence(e, p.Names), room-2) {
			out = append(out, t.Dim.Render(gutter+l))
			gutter = "  "
		}
		return out
	}
	gutter, style := gutterEveryone, t.Text
	if e.Lane == chat.AgentsOnly {
		gutter, style = t.Warn.Render(gutterAgents), t.Text
	}
	var out []string
	if last.Kind != chat.Said || last.From != e.From || last.Lane != e.Lane || e.Time.Sub(last.Time) > 5*60*1e9 {
		who := cell.Clean(e.Name)
		if e.From == uint32(p.Self) {
			who += " (you)"
		}
		note := "  " + at
		if e.Lane == chat.AgentsOnly {
			note += "  agents only"
		}
		who = cell.Cut(who, room-2-cell.Width(note))
		out = append(out, gutter+t.Member(e.From).Bold(true).Render(who)+t.Dim.Render(note))
	}
	for _, line := range strings.Split(e.Text, "\n") {
		for _, l := range cell.Wrap(cell.Clean(line), room-4) {
			out = append(out, gutter+"  "+style.Render(l))
		}
	}
	return out
}

// View draws the pane, exactly as large as it was made.
func (p *Pane) View() cell.Block {
	t := p.theme
	left := " "
	if p.beside {
		left = t.Edge.Render("│") + " "
	}
	out := cell.Block{p.title()}
	rows := p.logRows()
	p.back = max(0, min(p.back, len(p.lines)-rows))
	end := len(p.lines) - p.back
	top := max(0, end-rows)
	shown := p.lines[top:end]
	for range rows - len(shown) {
		out = append(out, left+cell.Fit("", p.room()))
	}
	for i, l := range shown {
		if p.found(top + i) {
			out = append(out, p.foundLeft()+cell.Fit(l, p.room()))
			continue
		}
		out = append(out, left+cell.Fit(l, p.room()))
	}
	out = append(out, left+cell.Fit(p.label(), p.room()))
	for _, l := range strings.Split(p.input.View(), "\n") {
		out = append(out, left+cell.Fit(l, p.room()))
	}
	for len(out) < p.h {
		out = append(out, left+cell.Fit("", p.room()))
	}
	return out[:p.h]
}

// foundLeft is the margin of what the search shows.
func (p *Pane) foundLeft() string {
	if p.beside {
		return p.theme.Edge.Render("│") + p.theme.Accent.Render(">")
	}
	return p.theme.Accent.Render(">")
}

func (p *Pane) title() string {
	t := p.theme
	name := " Chat "
	if p.back > 0 {
		name = fmt.Sprintf(" Chat, %d lines back ", p.back)
	}
	start := "──"
	if p.beside {
		start = "├─"
	}
	return t.Edge.Render(start) + t.Strong.Render(name) + t.Edge.Render(strings.Repeat("─", max(0, p.w-2-cell.Width(name))))
}

// label says who will read what is written now.
func (p *Pane) label() string {
	t := p.theme
	to, style := "to everyone, the customer too", t.Accent
	if p.Lane == chat.AgentsOnly {
		to, style = "to agents only", t.Warn
	}
	switch {
	case p.find != nil:
		return p.prompt()
	case p.Unsent > 0:
		return t.Warn.Render(fmt.Sprintf("no contact: %d not sent yet", p.Unsent))
	case !p.focused:
		return t.Dim.Render("t writes, / finds, Esc closes")
	}
	if more := "  Tab changes"; cell.Width(to+more) <= p.room() {
		return style.Render(to) + t.Dim.Render(more)
	}
	return style.Render(to)
}

// Cursor is where the caret stands, counted from the pane's first cell; nil while the pane has no keys.
func (p *Pane) Cursor() *tea.Cursor {
	if !p.focused || p.find != nil {
		return nil
	}
	c := p.input.Cursor()
	if c == nil {
		return nil
	}
	c.X += p.margin()
	c.Y += 2 + p.logRows()
	return c
}

// Hint tells the keys while writing.
func (p *Pane) Hint() string {
	if p.find != nil {
		return "Type to find, Enter or Up older, Down newer, Esc done"
	}
	return "Enter sends, Alt-Enter new line, Tab who reads it, PgUp back, Esc done"
}
