package raster

import (
	"image"
	"strconv"
)

// The states of a place of the terminal that is not known to show a cell. No cell looks like them.
var (
	lost = Cell{FG: unset, BG: unset, Glyph: 1} // it shows something else
	held = Cell{FG: unset, BG: unset, Glyph: 2} // it belongs to somebody else now
)

// Encoder makes the bytes that bring a terminal from the cells that it shows to those that it should. It belongs to one
// goroutine, holds what the terminal shows, and makes no garbage.
type Encoder struct {
	Tolerance int // difference of a channel, in 255, that counts as none; 0: exact

	mode  Mode
	depth Depth
	size  image.Point
	at    image.Point // of the first cell on the terminal, counted from 0
	shown []Cell
	from  image.Point // cell where the next call begins: what did not fit comes first

	fg, bg  Colour // the pen; unset: unknown
	line    int    // row of the terminal's cursor within a call; negative: unknown
	scratch []byte
}

// Reset places size cells at a place of the terminal. All of them are held until Free.
func (e *Encoder) Reset(size, at image.Point, m Mode, d Depth) {
	e.mode, e.depth, e.size, e.at, e.from = m, d, size, at, image.Point{}
	if n := size.X * size.Y; cap(e.shown) < n {
		e.shown = make([]Cell, n)
	}
	e.shown = e.shown[:size.X*size.Y]
	for i := range e.shown {
		e.shown[i] = held
	}
	if e.scratch == nil {
		e.scratch = make([]byte, 0, 256)
	}
}

// Size is how many cells there are.
func (e *Encoder) Size() image.Point { return e.size }

// Free says that the cell at x, y may be written, and shows something else now.
func (e *Encoder) Free(x, y int) { e.shown[y*e.size.X+x] = lost }

// Hold says that the cell at x, y belongs to somebody else until Free.
func (e *Encoder) Hold(x, y int) { e.shown[y*e.size.X+x] = held }

// Lose says that everything that may be written shows something else now, such as after another depth was chosen.
func (e *Encoder) Lose() {
	for i, c := range e.shown {
		if c != held {
			e.shown[i] = lost
		}
	}
}

// Remake is Reset for another mode or depth at the same place: what may be written stays so.
func (e *Encoder) Remake(m Mode, d Depth) {
	e.mode, e.depth = m, d
	e.Lose()
}

// Append appends what has to be written for want, which has the size of Reset, and stops after about budget bytes (0: never);
// more says that something differs still. The rest comes first when it is called again. The pen is reset at the end.
func (e *Encoder) Append(b []byte, want []Cell, budget int) (out []byte, more bool) {
	if len(want) != len(e.shown) {
		return b, false
	}
	start := len(b)
	e.fg, e.bg, e.line = unset, unset, -1
	limit := -1
	if budget > 0 {
		limit = start + budget
	}
	from := e.from
	for i := range e.size.Y + 1 {
		x0, x1, y := 0, e.size.X, (from.Y+i)%max(1, e.size.Y)
		switch i {
		case 0:
			x0 = from.X
		case e.size.Y:
			x1 = from.X
		}
		if b, e.from = e.row(b, want, y, x0, x1, limit); e.from.X >= 0 {
			more = true
			break
		}
	}
	if !more {
		e.from = image.Point{}
	}
	if len(b) > start {
		b = append(b, reset...)
	}
	return b, more
}

// row appends what differs in row y from column x0 to x1, and says where it stopped because b reached limit; a negative column:
// it did not.
func (e *Encoder) row(b []byte, want []Cell, y, x0, x1, limit int) (out []byte, at image.Point) {
	want = want[y*e.size.X : (y+1)*e.size.X]
	shown := e.shown[y*e.size.X : (y+1)*e.size.X]
	cursor := -1 // column of the terminal's cursor; -1: elsewhere
	for x := x0; x < x1; x++ {
		if shown[x] == want[x] || shown[x] == held || e.like(want[x], shown[x]) {
			continue
		}
		if limit >= 0 && len(b) > limit {
			return b, image.Pt(x, y)
		}
		if cursor != x {
			b = e.move(b, shown, cursor, x, y)
		}
		b, shown[x] = e.write(b, want[x])
		cursor, e.line = x+1, y
	}
	return b, image.Pt(-1, y)
}

// move appends the shortest way to column x of row y: writing again what stands between, stepping, or going there.
func (e *Encoder) move(b []byte, shown []Cell, cursor, x, y int) []byte {
	if cursor < 0 && e.line >= 0 && e.line == y-1 && x+e.at.X == 0 {
		return append(b, '\r', '\n')
	}
	if cursor < 0 {
		b = append(b, 0x1b, '[')
		b = strconv.AppendInt(b, int64(y+e.at.Y+1), 10)
		if x+e.at.X > 0 {
			b = append(b, ';')
			b = strconv.AppendInt(b, int64(x+e.at.X+1), 10)
		}
		return append(b, 'H')
	}
	gap := x - cursor
	step := 3
	if gap > 1 {
		step = 4 + gap/10
	}
	if gap <= 6 {
		fg, bg := e.fg, e.bg
		again, k := e.scratch[:0], cursor
		for ; k < x && len(again) <= step && shown[k].FG != unset; k++ {
			again, _ = e.write(again, shown[k])
		}
		if k == x && len(again) <= step {
			return append(b, again...)
		}
		e.fg, e.bg = fg, bg
	}
	b = append(b, 0x1b, '[')
	if gap > 1 {
		b = strconv.AppendInt(b, int64(gap), 10)
	}
	return append(b, 'C')
}

// near says whether two colours count as the same.
func (e *Encoder) near(a, b Colour) bool {
	if a == b {
		return true
	}
	if e.Tolerance == 0 || e.depth != TrueColor || a >= Default || b >= Default {
		return false
	}
	return apart(a>>16&255, b>>16&255) <= e.Tolerance && apart(a>>8&255, b>>8&255) <= e.Tolerance && apart(a&255, b&255) <= e.Tolerance
}

func apart(a, b Colour) int { return max(int(a)-int(b), int(b)-int(a)) }

// like says whether two cells differ by less than the tolerance.
func (e *Encoder) like(a, b Cell) bool {
	return e.Tolerance > 0 && a.Glyph == b.Glyph && e.near(a.BG, b.BG) && (a.Glyph == 0 || e.near(a.FG, b.FG))
}

// write appends one cell where the cursor is, and says what it shows then: with a tolerance the pen is kept where it is near
// enough.
func (e *Encoder) write(b []byte, c Cell) ([]byte, Cell) {
	if c.Glyph == 0 {
		b = e.ink(b, unset, c.BG)
		return append(b, ' '), Cell{Default, e.bg, 0}
	}
	if swapped, ok := e.swapped(c); ok {
		b = e.ink(b, swapped.FG, swapped.BG)
		return append(b, e.mode.Glyph(swapped.Glyph)...), Cell{e.bg, e.fg, c.Glyph}
	}
	b = e.ink(b, c.FG, c.BG)
	return append(b, e.mode.Glyph(c.Glyph)...), Cell{e.fg, e.bg, c.Glyph}
}

// swapped is the same cell with its colours and its mask turned around, where that is the shorter way from the pen. Half-blocks
// stay as they are: in many fonts the two halves leave different hairlines.
func (e *Encoder) swapped(c Cell) (Cell, bool) {
	if !e.mode.fits() || e.cost(c.FG, c.BG) <= e.cost(c.BG, c.FG) {
		return c, false
	}
	g := e.mode.Grain()
	out := Cell{c.BG, c.FG, c.Glyph ^ uint8(1<<(g.X*g.Y)-1)}
	return out, e.mode != Octant || !turned(out.Glyph)
}

// cost is how many colours have to be sent for a pen.
func (e *Encoder) cost(fg, bg Colour) (n int) {
	if !e.near(e.fg, fg) {
		n++
	}
	if !e.near(e.bg, bg) {
		n++
	}
	return n
}

// ink appends the SGR that brings the pen to fg and bg; an unset fg is left alone.
func (e *Encoder) ink(b []byte, fg, bg Colour) []byte {
	newFG, newBG := fg != unset && !e.near(e.fg, fg), !e.near(e.bg, bg)
	if !newFG && !newBG {
		return b
	}
	b = append(b, 0x1b, '[')
	if newFG {
		b = appendColour(b, fg, '3', e.depth)
		e.fg = fg
	}
	if newBG {
		if newFG {
			b = append(b, ';')
		}
		b = appendColour(b, bg, '4', e.depth)
		e.bg = bg
	}
	return append(b, 'm')
}
