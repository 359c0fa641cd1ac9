package textpane

import (
	"image"
	"strings"
)

// place is a column of a line.
type place struct {
	line   uint64
	column int
}

func (a place) before(b place) bool {
	return a.line < b.line || a.line == b.line && a.column < b.column
}

// selection is from one place to another, both included.
type selection struct {
	from, to place
	on       bool
}

// ordered gives the ends in reading order.
func (s selection) ordered() (a, b place) {
	if s.to.before(s.from) {
		return s.to, s.from
	}
	return s.from, s.to
}

// columns is the part of a line that is selected.
func (s selection) columns(line uint64, width int) (from, to int) {
	a, b := s.ordered()
	if !s.on || line < a.line || line > b.line {
		return 0, 0
	}
	from, to = 0, width
	if line == a.line {
		from = a.column
	}
	if line == b.line {
		to = min(width, b.column+1)
	}
	return from, to
}

// at is the place that stands at a cell of the pane.
func (p *Pane) at(c image.Point) place {
	c = image.Pt(max(0, min(c.X, p.size.X-1)), max(0, min(c.Y, p.size.Y-1)))
	if !p.back {
		c.X += p.pan.X
	}
	return place{p.first() + uint64(c.Y), c.X}
}

// Press begins to select at a cell of the pane.
func (p *Pane) Press(c image.Point) {
	if p.grid != nil {
		p.mark = selection{from: p.at(c), to: p.at(c)}
	}
}

// Drag selects up to a cell of the pane. Beyond its upper or lower edge it scrolls.
func (p *Pane) Drag(c image.Point) {
	if p.grid == nil {
		return
	}
	if c.Y < 0 {
		p.Scroll(1)
	} else if c.Y >= p.size.Y && p.back {
		p.Scroll(-1)
	}
	p.mark.to, p.mark.on = p.at(c), true
}

// Selected is what is selected, to the letter: lines that the terminal wrapped are one, and blanks that nobody wrote are not
// there. Lines of scrollback that are not here are left out.
func (p *Pane) Selected() string {
	if p.grid == nil || !p.mark.on {
		return ""
	}
	var b strings.Builder
	first, last := p.mark.ordered()
	for n := first.line; n <= last.line; n++ {
		row, here := p.line(n)
		if !here {
			continue
		}
		from, to := p.mark.columns(n, len(row.Cells))
		to = min(to, row.Length())
		for x := from; x < to; x++ {
			b.WriteString(row.Cells[x].Text())
		}
		if n < last.line && !row.Wrapped {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Selecting says whether something is selected.
func (p *Pane) Selecting() bool { return p.mark.on }
