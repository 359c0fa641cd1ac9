package raster

import (
	"image"
	"slices"

	"assist/screen"
)

// Mark is something drawn over the picture, such as the customer's pointer.
type Mark struct {
	At     image.Point // pixel of the grid where the sprite's hot spot, its top left, lands
	Sprite Sprite
	Fill   screen.RGB565 // of the inside, and of 'x'; 0: white, and what stands out
}

// Rows keeps the rows of cells of the last picture, so that only what changed is made anew. The zero value is ready.
type Rows struct {
	depth Depth
	size  image.Point
	drawn []screen.RGB565 // pixels that rows shows, marks included
	next  []screen.RGB565 // scratch of the same size
	rows  []string
	buf   []byte
	made  int
}

// Draw returns one string for each row of cells of p, (Grid.Y+1)/2 of them, each Grid.X cells wide. The slice is valid
// until the next call; the strings stay.
func (r *Rows) Draw(p *screen.Picture, d Depth, marks ...Mark) []string {
	grid := p.Viewport.Grid
	if grid.X <= 0 || grid.Y <= 0 || len(p.Pix) < grid.X*grid.Y {
		return nil
	}
	fresh := r.size != grid || r.depth != d
	if fresh {
		r.size, r.depth = grid, d
		r.drawn = make([]screen.RGB565, grid.X*grid.Y)
		r.next = make([]screen.RGB565, grid.X*grid.Y)
		r.rows = make([]string, (grid.Y+1)/2)
	}
	copy(r.next, p.Pix[:grid.X*grid.Y])
	for _, m := range marks {
		m.paint(r.next, grid)
	}
	r.made = 0
	for y := range r.rows {
		from, to := 2*y*grid.X, min((2*y+2)*grid.X, len(r.next))
		if fresh || !slices.Equal(r.next[from:to], r.drawn[from:to]) {
			r.rows[y] = r.row(r.next[from:to])
			r.made++
		}
	}
	r.drawn, r.next = r.next, r.drawn
	return r.rows
}

// Made is how many rows the last Draw made anew.
func (r *Rows) Made() int { return r.made }

// row makes one row of cells from one or two rows of pixels.
func (r *Rows) row(pix []screen.RGB565) string {
	top, bottom := pix[:r.size.X], pix[r.size.X:]
	if len(bottom) == 0 {
		bottom = nil
	}
	r.buf = AppendRow(r.buf[:0], top, bottom, r.depth)
	return string(r.buf)
}
