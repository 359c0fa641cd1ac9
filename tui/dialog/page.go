package dialog

import (
	"image"
	"strings"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Part is a heading and what stands under it.
type Part struct {
	Head  string
	Lines []string
	Typed bool // by a person: set off by a bar at its left, which no text can reach
}

// Page is something to read, and what can be answered to it. Nothing but its own keys answers: no Enter, no Esc.
type Page struct {
	Title   string
	Parts   []Part
	Choices []Choice // each with Press

	top, rows, room int
}

// Press scrolls and answers.
func (p *Page) Press(k tea.KeyPressMsg) (Answer, bool) {
	s := k.String()
	for _, c := range p.Choices {
		if c.Press == s && c.Why == "" {
			return c.Answer, true
		}
	}
	p.top += map[string]int{"up": -1, "k": -1, "down": 1, "j": 1, "pgup": -p.room, "pgdown": p.room}[s]
	p.top = max(0, min(p.top, p.rows-p.room))
	return nil, false
}

// Hint tells the keys.
func (p *Page) Hint() string {
	var out []string
	for _, c := range p.Choices {
		out = append(out, c.Press+" "+c.Text)
	}
	if p.rows > p.room {
		out = append(out, "Up/Down scroll")
	}
	return strings.Join(out, ", ")
}

// View draws what fits of the page, and below it the answers.
func (p *Page) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(68, limit)
	body := p.body(t, inner)
	p.rows, p.room = len(body), max(1, limit.Y-5-len(p.Choices))
	p.top = max(0, min(p.top, p.rows-p.room))
	end := min(p.rows, p.top+p.room)
	lines := append(append([]string(nil), body[p.top:end]...), "")
	for _, c := range p.Choices {
		lines = append(lines, t.PanelKey.Render(cell.Fit(c.Press, 3))+t.Panel.Render(c.Text)+t.PanelDim.Render("  "+c.Note))
	}
	return frame(t, p.Title+more(p.top, p.rows-end), lines, inner)
}

func (p *Page) body(t theme.Theme, inner int) []string {
	var out []string
	for i, part := range p.Parts {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, t.PanelTitle.Render(cell.Cut(part.Head, inner)))
		for _, text := range part.Lines {
			for _, l := range strings.Split(text, "\n") {
				for _, row := range cell.Wrap(cell.Clean(l), inner-2) {
					if part.Typed {
						out = append(out, t.PanelWarn.Render("▌ ")+t.Panel.Render(row))
					} else {
						out = append(out, t.Panel.Render("  "+row))
					}
				}
			}
		}
	}
	return out
}
