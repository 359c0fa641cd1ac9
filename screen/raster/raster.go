// Package raster turns a picture into terminal cells: two pixels a cell, the upper one as the foreground of U+2580 (upper
// half block), the lower one as the background; a cell of one colour is a space.
//
// It is pure: a picture goes in, strings with hand-made SGR (ECMA-48 8.3.117) come out. Rows keeps the strings of the last
// picture and makes only those anew whose pixels changed; it belongs to one goroutine, the one that draws. Nothing here
// waits, and nothing here moves the cursor: where a row lands is the business of whoever prints it.
package raster

import (
	"strconv"

	"assist/screen"

	"github.com/charmbracelet/colorprofile"
)

// Depth is how many colours the cells may use.
type Depth uint8

// The depths. Mono draws by brightness with five shades and no colour at all, for NO_COLOR and terminals without any.
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

const (
	upperHalf = "▀"
	reset     = "\x1b[m"
)

// shades are the glyphs of Mono, darkest first.
var shades = [5]string{" ", "░", "▒", "▓", "█"}

// pen is what the terminal draws with: colour codes of the depth in use, or one of the two below.
type pen struct{ fg, bg int32 }

const (
	unset       int32 = -1 // whatever it was before
	defaultTone int32 = -2 // the terminal's own background
)

// AppendRow appends one row of cells to b: top and bottom are two rows of pixels of one length. A nil bottom leaves the
// lower halves to the terminal's background. The row starts with an unknown pen and ends with a reset one.
func AppendRow(b []byte, top, bottom []screen.RGB565, d Depth) []byte {
	if d == Mono {
		return appendShades(b, top, bottom)
	}
	now := pen{unset, unset}
	for x, t := range top {
		upper, lower := tone(t, d), defaultTone
		if bottom != nil {
			lower = tone(bottom[x], d)
		}
		if upper == lower {
			b = now.set(b, unset, lower, d)
			b = append(b, ' ')
			continue
		}
		b = now.set(b, upper, lower, d)
		b = append(b, upperHalf...)
	}
	return append(b, reset...)
}

func appendShades(b []byte, top, bottom []screen.RGB565) []byte {
	for x, t := range top {
		light := luma(t)
		if bottom != nil {
			light = (light + luma(bottom[x])) / 2
		}
		b = append(b, shades[min(light*len(shades)/256, len(shades)-1)]...)
	}
	return b
}

// luma is the brightness of c from 0 to 255 (Rec. 601 weights).
func luma(c screen.RGB565) int {
	r, g, b := c.RGB()
	return (299*int(r) + 587*int(g) + 114*int(b)) / 1000
}

// tone is the code of c at depth d: the 565 colour itself, or a palette index.
func tone(c screen.RGB565, d Depth) int32 {
	switch d {
	case Colors256:
		return int32(nearest256(c))
	case Colors16:
		return int32(nearest16(c))
	}
	return int32(c)
}

// set appends the SGR that brings the pen to fg and bg; unset leaves a side alone.
func (p *pen) set(b []byte, fg, bg int32, d Depth) []byte {
	newFG, newBG := fg != unset && fg != p.fg, bg != p.bg
	if !newFG && !newBG {
		return b
	}
	b = append(b, 0x1b, '[')
	if newFG {
		b = appendColour(b, fg, 30, d)
		p.fg = fg
	}
	if newBG {
		if newFG {
			b = append(b, ';')
		}
		b = appendColour(b, bg, 40, d)
		p.bg = bg
	}
	return append(b, 'm')
}

// appendColour appends the parameters of one colour; base is 30 for the foreground, 40 for the background.
func appendColour(b []byte, code int32, base int64, d Depth) []byte {
	switch {
	case code == defaultTone:
		return strconv.AppendInt(b, base+9, 10)
	case d == Colors16 && code < 8:
		return strconv.AppendInt(b, base+int64(code), 10)
	case d == Colors16:
		return strconv.AppendInt(b, base+60+int64(code-8), 10)
	case d == Colors256:
		b = strconv.AppendInt(b, base+8, 10)
		b = append(b, ";5;"...)
		return strconv.AppendInt(b, int64(code), 10)
	}
	b = strconv.AppendInt(b, base+8, 10)
	b = append(b, ";2;"...)
	r, g, bl := screen.RGB565(code).RGB()
	b = strconv.AppendInt(b, int64(r), 10)
	b = append(b, ';')
	b = strconv.AppendInt(b, int64(g), 10)
	b = append(b, ';')
	return strconv.AppendInt(b, int64(bl), 10)
}
