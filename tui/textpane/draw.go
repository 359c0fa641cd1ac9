package textpane

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"assist/screen"
	"assist/tui/cell"
)

// draw writes a row as text with its styles, exactly as wide as the pane.
func (p *Pane) draw(row screen.Row, d drawn) string {
	var b strings.Builder
	marked := matches(row, d.words)
	now := screen.Style{}
	width := 0
	set := func(s screen.Style) {
		if s != now {
			b.WriteString(p.sgr(s))
			now = s
		}
	}
	for x := d.pan; x < len(row.Cells) && width < p.size.X; x++ {
		c := row.Cells[x]
		s := c.Style
		if d.reverse {
			s.Attr ^= screen.Reverse
		}
		if x >= d.from && x < d.to || x < len(marked) && marked[x] {
			s.Attr ^= screen.Reverse
		}
		if x == d.caret {
			s.Attr ^= screen.Reverse
		}
		text, w := c.Text(), 1
		switch {
		case c.Span == screen.WideLead && width+2 > p.size.X:
			text = " "
		case c.Span == screen.WideLead:
			w = 2
			x++
			if x == d.caret {
				s.Attr ^= screen.Reverse
			}
		case c.Span == screen.WideRest: // its first half is out of sight
			text = " "
		}
		set(s)
		b.WriteString(fitted(text, w))
		width += w
	}
	set(screen.Style{})
	if len(row.Cells)-d.pan < p.size.X && width < p.size.X {
		if p.back { // scrollback is kept up to what was written
			b.WriteString(strings.Repeat(" ", p.size.X-width))
		} else {
			b.WriteString(beyond(p.size.X - width))
		}
	}
	return b.String()
}

// fitted is a cell's text, or a mark of its size where the terminal's library would make it another width.
func fitted(text string, w int) string {
	if len(text) == 1 || cell.Width(text) == w {
		return text
	}
	return string(cell.Blank) + strings.Repeat(" ", w-1)
}

// matches says of each cell of row whether it is part of words, which are in lower case.
func matches(row screen.Row, words string) []bool {
	if words == "" {
		return nil
	}
	var text strings.Builder
	var at []int // cell of each byte
	for x, c := range row.Cells {
		s := strings.ToLower(c.Text())
		text.WriteString(s)
		for range len(s) {
			at = append(at, x)
		}
	}
	out := make([]bool, len(row.Cells))
	for from, s := 0, text.String(); ; {
		i := strings.Index(s[from:], words)
		if i < 0 {
			return out
		}
		for j := from + i; j < from+i+len(words); j++ {
			out[at[j]] = true
		}
		from += i + len(words)
	}
}

// attributes are the codes of SGR.
var attributes = []struct {
	attr screen.Attr
	code string
}{
	{screen.Bold, "1"},
	{screen.Faint, "2"},
	{screen.Italic, "3"},
	{screen.Blink, "5"},
	{screen.Reverse, "7"},
	{screen.Hidden, "8"},
	{screen.Strike, "9"},
	{screen.Overline, "53"},
}

// sgr is the sequence that sets s from whatever was set before.
func (p *Pane) sgr(s screen.Style) string {
	b := []byte("\x1b[0")
	for _, a := range attributes {
		if s.Attr&a.attr != 0 {
			b = append(append(b, ';'), a.code...)
		}
	}
	switch kind := (s.Attr & screen.UnderlineMask) / screen.Underline; kind {
	case 0:
	case 1:
		b = append(b, ";4"...)
	default:
		b = append(b, ";4:"...)
		b = strconv.AppendInt(b, int64(kind), 10)
	}
	b = p.colour(b, s.Fg, 38)
	b = p.colour(b, s.Bg, 48)
	b = p.colour(b, s.Line, 58)
	return string(append(b, 'm'))
}

// colour adds a colour as far as the terminal has it. The sixteen of the palette are the terminal's own.
func (p *Pane) colour(b []byte, c screen.Colour, code int) []byte {
	if c == screen.DefaultColour || p.profile <= colorprofile.ASCII {
		return b
	}
	n, palette := c.Palette()
	if !palette {
		red, green, blue, _ := c.RGB()
		rgb := color.RGBA{red, green, blue, 255}
		if p.profile == colorprofile.TrueColor {
			return fmt.Appendf(b, ";%d;2;%d;%d;%d", code, red, green, blue)
		}
		n = uint8(ansi.Convert256(rgb))
	}
	if p.profile == colorprofile.ANSI && n > 15 {
		n = uint8(ansi.Convert16(ansi.IndexedColor(n)))
	}
	switch {
	case n < 8 && code != 58:
		b = append(b, ';')
		return strconv.AppendInt(b, int64(code-8+int(n)), 10) // 30 and on, 40 and on
	case n < 16 && code != 58:
		b = append(b, ';')
		return strconv.AppendInt(b, int64(code+52-8+int(n)), 10) // 90 and on, 100 and on
	}
	b = append(b, ';')
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, ";5;"...)
	return strconv.AppendInt(b, int64(n), 10)
}
