package console

import (
	"encoding/binary"
	"errors"
	"image"

	"assist/screen"
)

// The machine's own console as vcs(4) shows it: /dev/vcsa has rows, columns, cursor and two bytes a cell, /dev/vcsu a Unicode
// character a cell in four bytes.

var errVCS = errors.New("the console's device says something else than vcs(4)")

// vgaColours are the colours of the hardware in the order of ECMA-48: the bits of red and blue change places.
var vgaColours = [8]uint8{0, 4, 2, 6, 1, 5, 3, 7}

// parseVCS makes a grid of what the two devices gave.
func parseVCS(attrs, runes []byte) (*screen.TextGrid, error) {
	if len(attrs) < 4 {
		return nil, errVCS
	}
	size := image.Pt(int(attrs[1]), int(attrs[0]))
	cells := attrs[4:]
	if size.X == 0 || size.Y == 0 || len(cells) < 2*size.X*size.Y || len(runes) < 4*size.X*size.Y {
		return nil, errVCS
	}
	g := screen.NewTextGrid(size)
	for i := range size.X * size.Y {
		c := &g.Rows[i/size.X].Cells[i%size.X]
		c.Style = vgaStyle(cells[2*i+1])
		if r := rune(binary.NativeEndian.Uint32(runes[4*i:])); r != ' ' && screen.CellRune(r) {
			c.Rune = r
		}
	}
	g.Cursor.At = image.Pt(min(int(attrs[2]), size.X-1), min(int(attrs[3]), size.Y-1))
	return g, nil
}

// vgaStyle reads an attribute: foreground in the low four bits, background in the next three, blinking. Light grey on black is
// what the console draws by default.
func vgaStyle(a byte) (s screen.Style) {
	const plain = 7
	if fg := a & 15; fg != plain {
		s.Fg = screen.PaletteColour(vgaColours[fg&7] | fg&8)
	}
	if bg := a >> 4 & 7; bg != 0 {
		s.Bg = screen.PaletteColour(vgaColours[bg])
	}
	if a&0x80 != 0 {
		s.Attr |= screen.Blink
	}
	return s
}
