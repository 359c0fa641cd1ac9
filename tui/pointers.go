package tui

import (
	"image/color"

	"assist/screen"
	"assist/tui/cell"
	"assist/tui/theme"
	"assist/tui/viewer"
)

// others is where the other agents point, each under its name and in its colour.
func (m *model) others() []viewer.Other {
	var out []viewer.Other
	for _, p := range m.state.Pointers {
		who, known := m.state.Roster.Member(p.Member)
		if !known || p.Member == m.state.Self {
			continue
		}
		style, ink := m.theme.Tag(uint32(p.Member))
		out = append(out, viewer.Other{
			At: p.At, Name: theme.Mark(uint32(p.Member)) + " " + cell.Clean(who.Name), Style: style, Fill: fill(ink),
		})
	}
	return out
}

// fill is a colour as pictures have it, 0 for none.
func fill(c color.Color) screen.RGB565 {
	if c == nil {
		return 0
	}
	r, g, b, _ := c.RGBA()
	return max(1, screen.RGB565(r>>11<<11|g>>10<<5|b>>11))
}
