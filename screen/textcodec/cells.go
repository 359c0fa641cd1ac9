package textcodec

import (
	"strings"

	"assist/screen"
)

// style reads the number of a style, and its definition where it is the next new one.
func (r *reader) style(styles *[]screen.Style) screen.Style {
	id := r.count(0, min(len(*styles), maxStyles))
	if r.err != nil || id < len(*styles) {
		if r.err != nil {
			return screen.Style{}
		}
		return (*styles)[id]
	}
	s := screen.Style{Fg: colourOf(r.count(0, lastRGB)), Bg: colourOf(r.count(0, lastRGB)), Line: colourOf(r.count(0, lastRGB))}
	s.Attr = screen.Attr(r.count(0, 1<<16-1))
	if r.err == nil && !s.Valid() {
		r.fail("style %+v", s)
	}
	*styles = append(*styles, s)
	return s
}

// cells fills dst, which begins and ends at whole characters.
func (r *reader) cells(dst []screen.Cell, styles *[]screen.Style) {
	for len(dst) > 0 && r.err == nil {
		s := r.style(styles)
		n := r.count(1, len(dst))
		run := dst[:n]
		dst = dst[n:]
		r.run(run, s)
	}
}

// run fills dst with characters of one style.
func (r *reader) run(dst []screen.Cell, s screen.Style) {
	for x := 0; x < len(dst) && r.err == nil; {
		if len(r.b) > 0 && r.b[0] == tokenRepeat {
			r.b = r.b[1:]
			n := r.count(1, len(dst)-x)
			if x == 0 || dst[x-1].Span != screen.Single {
				r.fail("nothing to repeat")
			}
			for ; n > 0 && r.err == nil; n-- {
				dst[x] = dst[x-1]
				x++
			}
			continue
		}
		dst[x] = r.cell(s)
		if dst[x].Span != screen.WideLead {
			x++
			continue
		}
		if x+1 == len(dst) {
			r.fail("half a character")
			return
		}
		dst[x+1] = screen.Cell{Style: s, Span: screen.WideRest}
		x += 2
	}
}

// cell reads one character.
func (r *reader) cell(s screen.Style) screen.Cell {
	c := screen.Cell{Style: s}
	token := byte(0xFF)
	if len(r.b) > 0 && r.b[0] <= tokenBoth {
		token = r.byte()
	}
	switch token {
	case tokenBlank:
		return c
	case tokenWide:
		c.Span = screen.WideLead
	case tokenBoth:
		c.Span = screen.WideLead
		c.Marks = r.marks()
	case tokenMarks:
		c.Marks = r.marks()
	}
	if c.Rune = r.rune(); r.err == nil && !screen.CellRune(c.Rune) {
		r.fail("character %U", c.Rune)
	}
	return c
}

func (r *reader) marks() string {
	var b strings.Builder
	for n := r.count(1, screen.MaxMarks); n > 0 && r.err == nil; n-- {
		m := r.rune()
		if !screen.CellMark(m) {
			r.fail("mark %U", m)
		}
		b.WriteRune(m)
	}
	return b.String()
}
