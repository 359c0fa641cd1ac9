package vt

import (
	"fmt"

	"assist/screen"
)

// plainAttrs are the attributes by the code that sets them (ECMA-48, SGR).
var plainAttrs = map[int]screen.Attr{
	1: screen.Bold, 2: screen.Faint, 3: screen.Italic, 5: screen.Blink, 6: screen.Blink, 7: screen.Reverse, 8: screen.Hidden,
	9: screen.Strike, 53: screen.Overline,
}

// clears are the attributes by the code that takes them away.
var clears = map[int]screen.Attr{
	22: screen.Bold | screen.Faint, 23: screen.Italic, 24: screen.UnderlineMask, 25: screen.Blink, 27: screen.Reverse,
	28: screen.Hidden, 29: screen.Strike, 55: screen.Overline,
}

// sgr changes the style of what is written from now on.
func (t *Terminal) sgr() {
	if len(t.params) == 0 {
		t.style = t.resetStyle()
		return
	}
	for i := 0; i < len(t.params); {
		end := i + 1
		for end < len(t.params) && t.sub[end] {
			end++
		}
		i += t.rendition(i, end)
	}
}

// resetStyle keeps protection, which is none of SGR's.
func (t *Terminal) resetStyle() screen.Style {
	return screen.Style{Attr: t.style.Attr & screen.Protected}
}

// rendition obeys the parameter at i, whose colon parts go up to end, and says how many it took.
func (t *Terminal) rendition(i, end int) int {
	s := &t.style
	code := t.p(i, 0)
	switch {
	case code == 0:
		*s = t.resetStyle()
	case code == 4:
		s.Attr &^= screen.UnderlineMask
		kind := 1
		if end > i+1 {
			kind = max(0, t.params[i+1])
		}
		if kind <= 5 {
			s.Attr |= screen.Attr(kind) * screen.Underline
		}
	case code == 21:
		s.Attr = s.Attr&^screen.UnderlineMask | screen.DoubleLine
	case code >= 30 && code <= 37:
		s.Fg = screen.PaletteColour(uint8(code - 30))
	case code >= 40 && code <= 47:
		s.Bg = screen.PaletteColour(uint8(code - 40))
	case code >= 90 && code <= 97:
		s.Fg = screen.PaletteColour(uint8(code - 82))
	case code >= 100 && code <= 107:
		s.Bg = screen.PaletteColour(uint8(code - 92))
	case code == 39:
		s.Fg = screen.DefaultColour
	case code == 49:
		s.Bg = screen.DefaultColour
	case code == 59:
		s.Line = screen.DefaultColour
	case code == 38 || code == 48 || code == 58:
		return t.colour(code, i, end)
	default:
		s.Attr = s.Attr&^clears[code] | plainAttrs[code]
	}
	return end - i
}

// colour reads an extended colour, in colon parts (ISO 8613-6) or as parameters of their own. It says how many it took.
func (t *Terminal) colour(code, i, end int) int {
	parts, taken := t.params[i+1:end], end-i
	colons := len(parts) > 0
	if !colons {
		n := map[int]int{5: 2, 2: 4}[t.p(i+1, 0)]
		if n == 0 || i+1+n > len(t.params) {
			return len(t.params) - i
		}
		parts, taken = t.params[i+1:i+1+n], n+1
	}
	var c screen.Colour
	switch {
	case parts[0] == 5 && len(parts) >= 2 && parts[1] <= 255:
		c = screen.PaletteColour(uint8(max(0, parts[1])))
	case parts[0] == 2 && len(parts) >= 4:
		rgb := parts[1:4]
		if colons && len(parts) >= 5 { // after the colour space
			rgb = parts[2:5]
		}
		for _, v := range rgb {
			if v > 255 {
				return taken
			}
		}
		c = screen.RGBColour(uint8(max(0, rgb[0])), uint8(max(0, rgb[1])), uint8(max(0, rgb[2])))
	default:
		return taken
	}
	switch code {
	case 38:
		t.style.Fg = c
	case 48:
		t.style.Bg = c
	default:
		t.style.Line = c
	}
	return taken
}

// styleCodes are the parameters of SGR that set s.
func styleCodes(s screen.Style) (out []string) {
	for _, code := range [...]int{1, 2, 3, 5, 7, 8, 9, 53} {
		if s.Attr&plainAttrs[code] != 0 {
			out = append(out, fmt.Sprint(code))
		}
	}
	switch kind := (s.Attr & screen.UnderlineMask) / screen.Underline; kind {
	case 0:
	case 1:
		out = append(out, "4")
	case 2:
		out = append(out, "21")
	default:
		out = append(out, fmt.Sprintf("4:%d", kind))
	}
	for _, c := range [...]struct {
		colour           screen.Colour
		code, low, light int
	}{{s.Fg, 38, 30, 82}, {s.Bg, 48, 40, 92}, {s.Line, 58, 0, 0}} {
		if n, ok := c.colour.Palette(); ok {
			switch {
			case n < 8 && c.low > 0:
				out = append(out, fmt.Sprint(c.low+int(n)))
			case n < 16 && c.low > 0:
				out = append(out, fmt.Sprint(c.light+int(n)))
			default:
				out = append(out, fmt.Sprintf("%d:5:%d", c.code, n))
			}
		}
		if r, g, b, ok := c.colour.RGB(); ok {
			out = append(out, fmt.Sprintf("%d:2::%d:%d:%d", c.code, r, g, b))
		}
	}
	return out
}
