package raster

import (
	"fmt"
	"image"
	"strings"
)

// Mode is by which means a cell shows pixels.
type Mode uint8

// The modes. The glyphs of Half and ASCII are everywhere; quadrants are in Unicode 3.2, sextants in 13, octants in 16, and few
// fonts have the last two, so that they are for terminals that draw them by themselves.
const (
	Half Mode = iota
	Quadrant
	Sextant
	Octant
	ASCII
	Pixels // not by glyphs: the terminal shows images (kitty graphics or iTerm2's)
)

var modeNames = [...]string{"half", "quadrant", "sextant", "octant", "ascii", "pixels"}

// Modes are all modes that work by glyphs, the finest last but for ASCII.
func Modes() []Mode { return []Mode{Half, Quadrant, Sextant, Octant, ASCII} }

func (m Mode) String() string { return modeNames[m] }

// ParseMode reads the name of a mode.
func ParseMode(s string) (Mode, error) {
	for i, name := range modeNames {
		if s == name {
			return Mode(i), nil
		}
	}
	return Half, fmt.Errorf("unknown glyphs %q, want one of %s", s, strings.Join(modeNames[:], ", "))
}

// Grain is how many pixels a cell shows. Images are sent with 4x8 a cell: 640x360 of a desktop in 160x45 cells read well and
// cost as much as half-blocks.
func (m Mode) Grain() image.Point {
	switch m {
	case Quadrant:
		return image.Pt(2, 2)
	case Sextant:
		return image.Pt(2, 3)
	case Octant:
		return image.Pt(2, 4)
	case Pixels:
		return image.Pt(4, 8)
	}
	return image.Pt(1, 2)
}

// Cells is how many cells a grid of pixels takes.
func (m Mode) Cells(grid image.Point) image.Point {
	g := m.Grain()
	return image.Pt((grid.X+g.X-1)/g.X, (grid.Y+g.Y-1)/g.Y)
}

// fits says whether cells of m are two colours and a mask.
func (m Mode) fits() bool { return m == Quadrant || m == Sextant || m == Octant }

// ReadFrom is how many pixels of a desktop a cell's width may show for interface text of 13 pixels to be readable: measured on
// an editor, a web page and a terminal.
func (m Mode) ReadFrom() float64 {
	switch m {
	case Quadrant:
		return 4
	case Sextant:
		return 4.5
	case Octant, Pixels:
		return 5
	}
	return 3
}

// Glyphs beyond the masks of Half: its shades, darkest first, and the full block.
const (
	shade0   = 0
	shade1   = 4
	shade4   = 3 // the mask with both halves
	lastHalf = 6
)

var glyphs = [...]*[256]string{
	Half: {0: " ", 1: "▀", 2: "▄", shade4: "█", shade1: "░", 5: "▒", lastHalf: "▓"}, Quadrant: quadrants(), Sextant: sextants(),
	Octant: octants(), ASCII: letters(), Pixels: {0: " "},
}

// Glyph is the text that draws glyph g of m, one cell wide; empty: there is none.
func (m Mode) Glyph(g uint8) string { return glyphs[m][g] }

func quadrants() *[256]string {
	var t [256]string
	for i, r := range []rune(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█") {
		t[i] = string(r)
	}
	return &t
}

// sextants are U+1FB00 to U+1FB3B in the order of their masks, without those that are older.
func sextants() *[256]string {
	t := [256]string{0: " ", 21: "▌", 42: "▐", 63: "█"}
	next := rune(0x1FB00)
	for i := range 64 {
		if t[i] == "" {
			t[i] = string(next)
			next++
		}
	}
	return &t
}

// octants are U+1CD00 to U+1CDE5 in the order of their masks, without those that are older or elsewhere.
func octants() *[256]string {
	t := [256]string{
		0x00: " ", 0x01: "\U0001CEA8", 0x02: "\U0001CEAB", 0x03: "\U0001FB82", 0x05: "▘", 0x0A: "▝", 0x0F: "▀", 0x14: "\U0001FBE6", 0x28: "\U0001FBE7",
		0x3F: "\U0001FB85", 0x40: "\U0001CEA3", 0x50: "▖", 0x55: "▌", 0x5A: "▞", 0x5F: "▛", 0x80: "\U0001CEA0", 0xA0: "▗", 0xA5: "▚", 0xAA: "▐",
		0xAF: "▜", 0xC0: "▂", 0xF0: "▄", 0xF5: "▙", 0xFA: "▟", 0xFC: "▆", 0xFF: "█",
	}
	next := rune(0x1CD00)
	for i := range t {
		if t[i] == "" {
			t[i] = string(next)
			next++
		}
	}
	return &t
}

// turned says whether octant mask m is better drawn as the rest of the cell in the other colour: its own glyph is of the quarters of
// Legacy Computing Supplement, which foot 1.21 and others that draw octants by themselves leave to the font, while that of the rest
// is an octant like all.
func turned(m uint8) bool {
	switch m {
	case 0x01, 0x02, 0x14, 0x28, 0x40, 0x80:
		return true
	}
	return false
}

// letters are printable ASCII under their own numbers; 0 is a space too.
func letters() *[256]string {
	t := [256]string{0: " "}
	for c := ' '; c <= '~'; c++ {
		t[c] = string(c)
	}
	return &t
}
