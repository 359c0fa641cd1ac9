package raster

import (
	"image"

	"assist/screen"
)

// Mark is something drawn over the picture, such as the customer's pointer.
type Mark struct {
	At     image.Point // pixel of the grid where the sprite's hot spot, its top left, lands
	Sprite Sprite
	Fill   screen.RGB565 // of the inside, and of 'x'; 0: white, and what stands out
}

// Rows keeps the rows of cells of the last picture as strings, so that only what changed is made anew. The zero value is ready.
type Rows struct {
	fit  Fitter
	last []Cell
	mode Mode
	deep Depth
	size image.Point
	rows []string
	buf  []byte
	made int
}

// Draw returns one string for each row of cells of p. The slice is valid until the next call; the strings stay.
func (r *Rows) Draw(p *screen.Picture, m Mode, d Depth, marks ...Mark) []string {
	cells, size := r.fit.Fit(p, m, d, marks...)
	if cells == nil {
		return nil
	}
	return r.Strings(cells, size, m, d)
}

// Strings is Draw for cells that were made elsewhere.
func (r *Rows) Strings(cells []Cell, size image.Point, m Mode, d Depth) []string {
	fresh := r.size != size || r.mode != m || r.deep != d
	if fresh {
		r.size, r.mode, r.deep = size, m, d
		r.rows = make([]string, size.Y)
		r.last = make([]Cell, len(cells))
	}
	r.made = 0
	for y := range r.rows {
		row, was := cells[y*size.X:(y+1)*size.X], r.last[y*size.X:(y+1)*size.X]
		if fresh || !equal(row, was) {
			r.buf = AppendRow(r.buf[:0], row, m, d)
			r.rows[y] = string(r.buf)
			copy(was, row)
			r.made++
		}
	}
	return r.rows
}

func equal(a, b []Cell) bool {
	for i, c := range a {
		if c != b[i] {
			return false
		}
	}
	return true
}

// Made is how many rows the last Draw made anew.
func (r *Rows) Made() int { return r.made }

// AppendRow appends one row of cells. It starts with an unknown pen and ends with a reset one; without any colour there is no
// pen at all.
func AppendRow(b []byte, cells []Cell, m Mode, d Depth) []byte {
	if d == Mono {
		for _, c := range cells {
			b = append(b, m.Glyph(c.Glyph)...)
		}
		return b
	}
	e := Encoder{mode: m, depth: d, fg: unset, bg: unset}
	for _, c := range cells {
		b, _ = e.write(b, c)
	}
	return append(b, reset...)
}
