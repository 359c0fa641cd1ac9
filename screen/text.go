package screen

import (
	"image"
	"strings"
	"unicode"
)

// Limits of a text grid (threats A16) and of what stands in one cell.
const (
	MaxColumns = 1000
	MaxRows    = 500
	MaxMarks   = 4 // combining marks on one character
)

// Colour of text: the default, one of the 256 of the palette, or red, green and blue.
type Colour uint32

// DefaultColour is whatever the terminal that shows it uses.
const DefaultColour Colour = 0

const (
	colourPalette Colour = 1 << 24
	colourRGB     Colour = 2 << 24
)

// PaletteColour is number n of the palette of 256.
func PaletteColour(n uint8) Colour { return colourPalette | Colour(n) }

// RGBColour is a colour by its channels.
func RGBColour(r, g, b uint8) Colour { return colourRGB | Colour(r)<<16 | Colour(g)<<8 | Colour(b) }

// Palette is the number in the palette, if c is one of it.
func (c Colour) Palette() (n uint8, ok bool) { return uint8(c), c&^0xFF == colourPalette }

// RGB gives the channels, if c has them.
func (c Colour) RGB() (r, g, b uint8, ok bool) {
	return uint8(c >> 16), uint8(c >> 8), uint8(c), c>>24 == colourRGB>>24
}

// Valid says whether c is one of the three kinds.
func (c Colour) Valid() bool {
	_, palette := c.Palette()
	_, _, _, rgb := c.RGB()
	return c == DefaultColour || palette || rgb
}

// Attr is a set of the attributes of text (ECMA-48, SGR).
type Attr uint16

// The attributes. The last three bits are the kind of underline.
const (
	Bold Attr = 1 << iota
	Faint
	Italic
	Blink
	Reverse
	Hidden
	Strike
	Overline
	Protected // against selective erase (DECSCA); it is not seen

	UnderlineMask Attr = 7 << 12
	Underline     Attr = 1 << 12 // the kinds of SGR 4:1 to 4:5
	DoubleLine    Attr = 2 << 12
	CurlyLine     Attr = 3 << 12
	DottedLine    Attr = 4 << 12
	DashedLine    Attr = 5 << 12
)

const allAttrs = Bold | Faint | Italic | Blink | Reverse | Hidden | Strike | Overline | Protected | UnderlineMask

// Style is how a cell is drawn.
type Style struct {
	Fg, Bg, Line Colour // Line is the underline's; the default is Fg
	Attr         Attr
}

// Valid says whether every part of s is known to this build.
func (s Style) Valid() bool {
	return s.Fg.Valid() && s.Bg.Valid() && s.Line.Valid() && s.Attr&^allAttrs == 0 && s.Attr&UnderlineMask <= DashedLine
}

// Span says how a cell takes part in a wide character.
type Span uint8

// The spans.
const (
	Single Span = iota
	WideLead
	WideRest // the second cell of a wide character; it has no rune of its own
)

// Cell is one place of a text grid. The zero value is a blank one.
type Cell struct {
	Marks string // combining marks on Rune, at most MaxMarks
	Style Style
	Rune  rune // 0: nothing was written here
	Span  Span
}

// Text is what stands in the cell: a space where nothing was written, nothing in the second half of a wide character.
func (c Cell) Text() string {
	switch {
	case c.Span == WideRest:
		return ""
	case c.Rune == 0:
		return " "
	}
	return string(c.Rune) + c.Marks
}

// Row is one line of a text grid, as wide as the grid.
type Row struct {
	Cells   []Cell
	Wrapped bool // the next row goes on with the same line of the program
}

// Length is how many cells of r were written, up to the last one.
func (r Row) Length() int {
	for n := len(r.Cells); n > 0; n-- {
		if r.Cells[n-1].Rune != 0 || r.Cells[n-1].Span == WideRest {
			return n
		}
	}
	return 0
}

// Caret is the form of a text cursor (DECSCUSR).
type Caret uint8

// The forms.
const (
	BlockCaret Caret = iota
	UnderlineCaret
	BarCaret
)

// Cursor of a text grid.
type Cursor struct {
	At     image.Point // column and row, from 0
	Hidden bool
	Form   Caret
	Steady bool // does not blink
}

// TextModes are what a program has asked of the terminal, as far as it changes what input means or how the screen looks.
type TextModes uint16

// The modes.
const (
	CursorKeys     TextModes = 1 << iota // application cursor keys (DECCKM)
	Keypad                               // application keypad (DECKPAM)
	BracketedPaste                       // 2004
	AlternateScreen
	ReverseScreen // DECSCNM
	NewLine       // Enter sends CR and LF (LNM)
	FocusReports  // 1004
	MouseX10      // 9: presses only
	MouseButtons  // 1000: presses and releases
	MouseDrags    // 1002: motion while a button is down
	MouseMotion   // 1003: all motion
	MouseSGR      // 1006: the reports are decimal
	MouseUTF8     // 1005
	MouseURXVT    // 1015
	WheelKeys     // 1007: on the alternate screen the wheel is cursor keys

	AllTextModes TextModes = 1<<iota - 1
)

// WantsMouse says whether the program has asked for the mouse.
func (m TextModes) WantsMouse() bool { return m&(MouseX10|MouseButtons|MouseDrags|MouseMotion) != 0 }

// Has says whether all of want is on.
func (m TextModes) Has(want TextModes) bool { return m&want == want }

// TextGrid is one state of a terminal. It never changes once it is handed out; grids may share rows.
type TextGrid struct {
	Seq    uint64 // grows with every state
	Size   image.Point
	Rows   []Row // Size.Y of Size.X cells
	Cursor Cursor
	Modes  TextModes
	Oldest uint64 // number of the oldest line of scrollback that is kept
	Top    uint64 // number of the first row of Rows, when all lines that ever scrolled off are counted from 0
}

// NewTextGrid is an empty grid.
func NewTextGrid(size image.Point) *TextGrid {
	g := &TextGrid{Size: size, Rows: make([]Row, size.Y)}
	cells := make([]Cell, size.X*size.Y)
	for y := range g.Rows {
		g.Rows[y].Cells = cells[y*size.X : (y+1)*size.X : (y+1)*size.X]
	}
	return g
}

// TextSize keeps the size of a grid within the limits.
func TextSize(p image.Point) image.Point {
	return image.Pt(max(1, min(p.X, MaxColumns)), max(1, min(p.Y, MaxRows)))
}

// CellRune says whether r may stand in a cell: not a control, nothing invisible or that reorders a line, no private use but
// that of the first plane, no noncharacter (threats 2.4, rules 3 to 5).
func CellRune(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7F:
		return true
	case r < 0xA1 || r > unicode.MaxRune || r >= 0xD800 && r <= 0xDFFF || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF:
		return r == 0xA0
	case r < 0x300:
		return r != 0xAD
	case r >= 0xE000 && r <= 0xF8FF: // glyphs of shells' and editors' fonts: seen, one cell wide
		return true
	case r == 0x034F || r == 0x115F || r == 0x1160 || r == 0x17B4 || r == 0x17B5 || r == 0x3164 || r == 0xFFA0:
		return false
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Mn, unicode.Me) || r == 0xFFFD
}

// CellMark says whether r may combine with the rune of a cell.
func CellMark(r rune) bool {
	switch {
	case r < 0x300, r == 0x034F, r == 0x17B4, r == 0x17B5, r >= 0x180B && r <= 0x180F, r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0100 && r <= 0xE01EF:
		return false
	}
	return unicode.In(r, unicode.Mn, unicode.Me)
}

// Text is the row up to its last written cell.
func (r Row) Text() string {
	var b strings.Builder
	for _, c := range r.Cells[:r.Length()] {
		b.WriteString(c.Text())
	}
	return b.String()
}
