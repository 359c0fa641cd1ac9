// Package textcodec turns states of a text grid into small messages and back. A message says what moved up or down, which
// cells changed, where the cursor is; all of a series go through one streaming zstd, so that what was said once costs little
// the second time. The size of a grid, and every count before memory is asked for, has its limit.
//
// An Encoder and a Decoder belong to one goroutine each. Nothing here knows how messages travel or when they are made. The
// decoder believes nothing: what may not stand in a cell, halves of wide characters, unknown styles and sizes beyond the
// limits are ErrMalformed, and it holds no more than the grid, its window and maxUpdate.
package textcodec

import (
	"encoding/binary"
	"errors"
	"fmt"

	"assist/screen"
)

// ErrMalformed says that a message breaks the rules of this codec, or follows one that did.
var ErrMalformed = errors.New("malformed text")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

const (
	window    = 64 << 10 // bytes that the compression looks back
	maxUpdate = 32 << 20 // bytes of one message, decompressed; the largest grid with every cell different takes less
	maxStyles = 4096     // that a series may name
)

// What an update brings; a byte of these comes first.
const (
	hasSize   = 1 << iota // width, height: the grid begins anew, blank
	hasCursor             // column, row, form and flags; else it is behind the last changed cell
	hasModes
	hasScroll // top, count, by: rows top..top+count move to top-by..; where they came from is blank
	hasTop    // oldest, top
	hasWraps  // rows whose Wrapped changed
	hasCells  // spans
)

// How a cell begins; anything else is the character itself.
const (
	tokenBlank  = 0x00
	tokenWide   = 0x01 // a character of two cells
	tokenMarks  = 0x02 // marks, their number first, come before the character
	tokenBoth   = 0x03
	tokenRepeat = 0x04 // the last cell again, so often
)

// cursorFlags are those of a cursor in one byte.
func cursorFlags(c screen.Cursor) byte {
	b := byte(c.Form) << 2
	if c.Hidden {
		b |= 1
	}
	if c.Steady {
		b |= 2
	}
	return b
}

// sameRow compares by content; rows that are shared are the same without a look.
func sameRow(a, b []screen.Cell) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 0 || &a[0] == &b[0] {
		return true
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// appendStyle names a style: by its number, with its definition where it is new.
func appendStyle(b []byte, styles map[screen.Style]uint64, s screen.Style) []byte {
	if id, known := styles[s]; known {
		return binary.AppendUvarint(b, id)
	}
	id := uint64(len(styles))
	styles[s] = id
	b = binary.AppendUvarint(b, id)
	for _, c := range [...]screen.Colour{s.Fg, s.Bg, s.Line} {
		b = binary.AppendUvarint(b, colourCode(c))
	}
	return binary.AppendUvarint(b, uint64(s.Attr))
}

// Colours are numbers: 0 the default, then the palette, then all others by their channels.
const (
	firstRGB = 257
	lastRGB  = firstRGB + 1<<24 - 1
)

func colourCode(c screen.Colour) uint64 {
	if n, ok := c.Palette(); ok {
		return 1 + uint64(n)
	}
	if r, g, b, ok := c.RGB(); ok {
		return firstRGB + uint64(r)<<16 + uint64(g)<<8 + uint64(b)
	}
	return 0
}

// colourOf is the colour of a code up to lastRGB.
func colourOf(code int) screen.Colour {
	switch {
	case code == 0:
		return screen.DefaultColour
	case code < firstRGB:
		return screen.PaletteColour(uint8(code - 1))
	}
	rgb := code - firstRGB
	return screen.RGBColour(uint8(rgb>>16), uint8(rgb>>8), uint8(rgb))
}

func newStyles() map[screen.Style]uint64 { return map[screen.Style]uint64{{}: 0} }

// appendCells writes cells, which begin and end at whole characters, as runs of one style.
func appendCells(b []byte, styles map[screen.Style]uint64, cells []screen.Cell) []byte {
	for len(cells) > 0 {
		n := 1
		for n < len(cells) && (cells[n].Style == cells[0].Style || cells[n].Span == screen.WideRest) {
			n++
		}
		b = appendStyle(b, styles, cells[0].Style)
		b = binary.AppendUvarint(b, uint64(n))
		b = appendRun(b, cells[:n])
		cells = cells[n:]
	}
	return b
}

// worthRepeating is how many equal cells are written as one and a number.
const worthRepeating = 4

func appendRun(b []byte, cells []screen.Cell) []byte {
	for i := 0; i < len(cells); {
		c := cells[i]
		b = appendCell(b, c)
		if c.Span == screen.WideLead {
			i += 2
			continue
		}
		n := 1
		for i+n < len(cells) && cells[i+n] == c {
			n++
		}
		if n >= worthRepeating {
			b = binary.AppendUvarint(append(b, tokenRepeat), uint64(n-1))
		} else {
			n = 1
		}
		i += n
	}
	return b
}

func appendCell(b []byte, c screen.Cell) []byte {
	if c.Rune == 0 {
		return append(b, tokenBlank)
	}
	token := byte(0)
	if c.Span == screen.WideLead {
		token = tokenWide
	}
	if c.Marks != "" {
		token |= tokenMarks
	}
	if token != 0 {
		b = append(b, token)
	}
	if c.Marks != "" {
		marks := []rune(c.Marks)
		b = append(b, byte(len(marks)))
		b = append(b, c.Marks...)
	}
	return append(b, string(c.Rune)...)
}
