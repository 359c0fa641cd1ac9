// Package vt is a terminal without a screen: it reads what a program writes to its terminal and keeps what would stand there,
// as cells. It behaves as xterm does (TERM=xterm-256color) and answers as a VT220; `make vt-compare` holds it against the
// real one.
//
// A Terminal belongs to one goroutine. It opens nothing, keeps no scrollback (lines that scroll off are handed to Scrolled),
// and no byte of the program leaves it: titles, clipboard requests, images and whatever else it does not know are dropped.
// What stands in a cell has passed screen.CellRune. Everything is bounded: the grid by screen.MaxColumns and MaxRows, a
// sequence by maxParams and maxString.
package vt

import (
	"image"

	"assist/screen"
)

// line is one row and, while it has not changed, what was handed out of it.
type line struct {
	cells   []screen.Cell
	wrapped bool
	double  bool          // DECDWL, DECDHL: half as many characters fit
	shown   []screen.Cell // nil: changed since the last Grid
}

// saved is what DECSC keeps.
type saved struct {
	x, y    int
	style   screen.Style
	sets    [4]byte
	gl      int
	origin  bool
	pending bool
}

// Terminal is the state of one terminal.
type Terminal struct {
	Reply    func([]byte)     // answers to what the program asks; nil: it gets none
	Scrolled func(screen.Row) // a line that left the top of the main screen for good; nil: it is lost
	Cleared  func()           // the program asked for the scrollback to be erased

	w, h     int
	pages    [2][]*line // main and alternate
	page     []*line
	alt      int // 1 while the alternate page is shown
	x, y     int
	pending  bool // the last column was written, the next character goes to the next row
	style    screen.Style
	top, bot int // scroll region, inclusive
	left     int
	right    int
	margins  bool // DECLRMM
	saved    [2]saved
	tabs     []bool
	sets     [4]byte // G0 to G3
	gl       int
	single   int // G2 or G3 for the next character; 0: none
	insert   bool
	origin   bool
	wrap     bool // DECAWM
	back     bool // reverse wraparound
	columns  bool // 40: DECCOLM is heeded
	vt52     bool
	last     rune // for REP
	lastWide bool
	modes    screen.TextModes
	cursor   screen.Cursor
	hold     bool // 2026: the screen is being drawn
	seq      uint64
	parser
}

// New makes a terminal of that size, within the limits of package screen.
func New(size image.Point) *Terminal {
	size = screen.TextSize(size)
	t := &Terminal{w: size.X, h: size.Y}
	t.reset()
	return t
}

// reset is RIS.
func (t *Terminal) reset() {
	for i := range t.pages {
		t.pages[i] = t.newPage(t.w, t.h)
	}
	t.page, t.alt = t.pages[0], 0
	t.modes, t.cursor = screen.WheelKeys, screen.Cursor{}
	t.saved = [2]saved{}
	for i := range t.saved {
		t.saved[i].sets = asciiSets
	}
	t.x, t.y, t.columns, t.vt52, t.hold, t.last = 0, 0, false, false, false, 0
	t.back, t.margins = false, false
	t.tabs = defaultTabs(t.w)
	t.soften()
}

// soften is what RIS and DECSTR have in common.
func (t *Terminal) soften() {
	t.insert, t.origin, t.wrap, t.pending = false, false, true, false
	t.style, t.sets, t.gl, t.single = screen.Style{}, asciiSets, 0, 0
	t.cursor.Hidden = false
	t.modes &^= screen.CursorKeys | screen.Keypad
	t.resetMargins()
}

func (t *Terminal) resetMargins() { t.top, t.bot, t.left, t.right = 0, t.h-1, 0, t.w-1 }

func defaultTabs(w int) []bool {
	tabs := make([]bool, w)
	for i := 8; i < w; i += 8 {
		tabs[i] = true
	}
	return tabs
}

func (t *Terminal) newPage(w, h int) []*line {
	page := make([]*line, h)
	for i := range page {
		page[i] = &line{cells: make([]screen.Cell, w)}
	}
	return page
}

// Size is columns and rows.
func (t *Terminal) Size() image.Point { return image.Pt(t.w, t.h) }

// Modes are those that change what input means.
func (t *Terminal) Modes() screen.TextModes { return t.modes }

// Holding says that the program is in the middle of drawing (mode 2026); whoever shows the grid may wait a moment.
func (t *Terminal) Holding() bool { return t.hold }

// Grid is what the terminal shows now. Rows that did not change are those of the last call.
func (t *Terminal) Grid() *screen.TextGrid {
	t.seq++
	g := &screen.TextGrid{Seq: t.seq, Size: image.Pt(t.w, t.h), Rows: make([]screen.Row, t.h), Modes: t.modes, Cursor: t.cursor}
	g.Cursor.At = image.Pt(t.x, t.y)
	if t.alt == 1 {
		g.Modes |= screen.AlternateScreen
	}
	for i, l := range t.page {
		if l.shown == nil {
			l.shown = append([]screen.Cell(nil), l.cells...)
		}
		g.Rows[i] = screen.Row{Cells: l.shown, Wrapped: l.wrapped}
	}
	return g
}

// Resize changes the size. Nothing is wrapped anew; rows that no longer fit above the cursor scroll off.
func (t *Terminal) Resize(size image.Point) {
	size = screen.TextSize(size)
	if size == t.Size() {
		return
	}
	for i := range t.pages {
		t.pages[i] = t.fitPage(i, size)
	}
	t.page = t.pages[t.alt]
	t.w, t.h = size.X, size.Y
	for i := len(t.tabs); i < t.w; i++ {
		t.tabs = append(t.tabs, i%8 == 0)
	}
	t.tabs = t.tabs[:t.w]
	t.x, t.y, t.pending, t.margins = min(t.x, t.w-1), min(t.y, t.h-1), false, false
	t.resetMargins()
}

// fitPage is page i with another size.
func (t *Terminal) fitPage(i int, size image.Point) []*line {
	page := t.pages[i]
	if extra := t.h - size.Y; extra > 0 {
		below := t.h - 1 - t.y
		if i != t.alt { // where the cursor will be is not known
			below = extra
		}
		up := max(0, extra-below)
		if i == 0 {
			for _, l := range page[:up] {
				t.scrolledOff(l)
			}
		}
		page = page[up : up+size.Y]
		if i == t.alt {
			t.y -= up
		}
	}
	out := append([]*line(nil), page...)
	for len(out) < size.Y {
		out = append(out, &line{})
	}
	for _, l := range out {
		if n := len(l.cells); n > size.X {
			if l.cells[size.X].Span == screen.WideRest {
				l.cells[size.X-1] = screen.Cell{}
			}
			l.cells = l.cells[:size.X:size.X]
		} else {
			l.cells = append(l.cells, make([]screen.Cell, size.X-n)...)
		}
		l.shown, l.wrapped = nil, l.wrapped && size.X == t.w
	}
	return out
}

func (t *Terminal) scrolledOff(l *line) {
	if t.Scrolled != nil {
		t.Scrolled(screen.Row{Cells: l.cells, Wrapped: l.wrapped})
	}
}

func (t *Terminal) reply(s string) {
	if t.Reply != nil {
		t.Reply([]byte(s))
	}
}

// Alternate says whether the alternate page is shown.
func (t *Terminal) Alternate() bool { return t.alt == 1 }
