package raster

import (
	"testing"
	"unicode/utf8"
)

func TestGlyphsAreThoseOfUnicode(t *testing.T) {
	for _, c := range []struct {
		m    Mode
		mask uint8
		want rune
	}{
		{Quadrant, 0b0001, 0x2598},
		{Quadrant, 0b0110, 0x259E},
		{Quadrant, 0b1110, 0x259F},
		{Sextant, 1, 0x1FB00},
		{Sextant, 20, 0x1FB13},
		{Sextant, 22, 0x1FB14},
		{Sextant, 41, 0x1FB27},
		{Sextant, 43, 0x1FB28},
		{Sextant, 62, 0x1FB3B},
		// The names say which octants are set: 3, 23, 1234567, 18, 1234568, 8.
		{Octant, 0x04, 0x1CD00},
		{Octant, 0x06, 0x1CD01},
		{Octant, 0x7F, 0x1CD70},
		{Octant, 0x81, 0x1CD71},
		{Octant, 0xBF, 0x1CDAB},
		{Octant, 0x80, 0x1CEA0},
		{Octant, 0xFE, 0x1CDE5},
		{Octant, 0x3F, 0x1FB85},
		{ASCII, 'x', 'x'},
	} {
		if got, _ := utf8.DecodeRuneInString(c.m.Glyph(c.mask)); got != c.want {
			t.Errorf("%v %#x is U+%04X, want U+%04X", c.m, c.mask, got, c.want)
		}
	}
	for _, m := range []Mode{Quadrant, Sextant, Octant} {
		seen := map[string]bool{}
		for i := range 1 << (m.Grain().X * m.Grain().Y) {
			g := m.Glyph(uint8(i))
			if utf8.RuneCountInString(g) != 1 || seen[g] {
				t.Errorf("%v %#x: %q is no glyph, or one that was there already", m, i, g)
			}
			seen[g] = true
		}
	}
}

func TestModeNames(t *testing.T) {
	for _, m := range append(Modes(), Pixels) {
		if got, err := ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%v became %v: %v", m, got, err)
		}
	}
	if _, err := ParseMode("braille"); err == nil {
		t.Error("braille was taken")
	}
}
