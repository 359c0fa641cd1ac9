// Package raster turns a picture into terminal cells: two colours and a glyph each, by half-blocks, by finer block glyphs with
// the best two-colour fit, or by letters; in true colour or in the palette that a terminal has.
//
// It is pure: a picture goes in (Fitter), and out come cells, strings with hand-made SGR (Rows; ECMA-48 8.3.117), or the bytes
// that bring a terminal from the cells that it shows to others (Encoder). Each of them keeps what it needs to make only what
// changed and belongs to one goroutine, the one that draws. Nothing here waits, writes, or knows where a terminal is.
package raster

import (
	"strconv"

	"assist/screen"

	"github.com/charmbracelet/colorprofile"
)

// Depth is how many colours the cells may use.
type Depth uint8

// The depths. Mono draws by brightness with shades or dots and no colour at all, for NO_COLOR and terminals without any.
const (
	TrueColor Depth = iota
	Colors256
	Colors16
	Mono
)

// DepthOf is the depth that a terminal of profile p shows.
func DepthOf(p colorprofile.Profile) Depth {
	switch {
	case p >= colorprofile.TrueColor:
		return TrueColor
	case p == colorprofile.ANSI256:
		return Colors256
	case p == colorprofile.ANSI:
		return Colors16
	}
	return Mono
}

// Colour is what the terminal draws with, at a depth: 0xRRGGBB or the number in its palette; or one of those below.
type Colour uint32

const (
	// Default is the terminal's own colour.
	Default Colour = 1 << 24
	// unset: whatever it was before.
	unset Colour = 1 << 25
)

// Cell is what one place of the terminal shows. In the modes with a mask its bits, row by row from the upper left, are drawn in
// FG and the others in BG. Glyph 0 is a space, whose FG is Default.
type Cell struct {
	FG, BG Colour
	Glyph  uint8
}

// solid is a cell of one colour.
func solid(c Colour) Cell { return Cell{FG: Default, BG: c} }

const reset = "\x1b[m"

// full is c in eight bits a channel.
func full(c screen.RGB565) Colour {
	r, g, b := c.RGB()
	return Colour(r)<<16 | Colour(g)<<8 | Colour(b)
}

// luma is the brightness of c from 0 to 255 (Rec. 601 weights).
func luma(c screen.RGB565) int {
	r, g, b := c.RGB()
	return (299*int(r) + 587*int(g) + 114*int(b)) / 1000
}

// decimal are the numbers of a byte as they stand in a sequence.
var decimal = func() (t [256]string) {
	for i := range t {
		t[i] = strconv.Itoa(i)
	}
	return t
}()

// appendColour appends the parameters of one colour; base is '3' for the foreground, '4' for the background.
func appendColour(b []byte, c Colour, base byte, d Depth) []byte {
	switch {
	case c == Default:
		return append(b, base, '9')
	case d == Colors16 && c < 8:
		return append(b, base, '0'+byte(c))
	case d == Colors16 && base == '3':
		return append(b, '9', '0'+byte(c-8))
	case d == Colors16:
		return append(b, '1', '0', '0'+byte(c-8))
	case d == Colors256:
		b = append(b, base, '8', ';', '5', ';')
		return append(b, decimal[c&255]...)
	}
	b = append(b, base, '8', ';', '2', ';')
	b = append(b, decimal[c>>16&255]...)
	b = append(b, ';')
	b = append(b, decimal[c>>8&255]...)
	b = append(b, ';')
	return append(b, decimal[c&255]...)
}
