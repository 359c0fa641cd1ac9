package raster

import (
	"image"
	"slices"

	"assist/screen"
)

// Fitter makes cells of pictures. It keeps the last picture, and fits only those cells anew whose pixels changed. The zero
// value is ready; it belongs to one goroutine.
type Fitter struct {
	mode  Mode
	depth Depth
	grid  image.Point
	size  image.Point     // cells
	drawn []screen.RGB565 // pixels that cells shows, marks included
	next  []screen.RGB565 // scratch of the same size
	cells []Cell
	masks []uint8 // of the modes that fit: what was chosen before colours were cut to a palette
	made  int
}

// Fit returns the cells of p, row by row, and how many there are along each side. The slice is valid until the next call. A
// picture with too few pixels gives none.
func (f *Fitter) Fit(p *screen.Picture, m Mode, d Depth, marks ...Mark) ([]Cell, image.Point) {
	grid := p.Viewport.Grid
	if grid.X <= 0 || grid.Y <= 0 || len(p.Pix) < grid.X*grid.Y {
		return nil, image.Point{}
	}
	fresh := f.grid != grid || f.depth != d || f.mode != m || f.cells == nil
	if fresh {
		f.reset(grid, m, d)
	}
	copy(f.next, p.Pix[:grid.X*grid.Y])
	for _, mark := range marks {
		mark.paint(f.next, grid)
	}
	f.made = 0
	tall := m.Grain().Y
	for y := range f.size.Y {
		from, to := y*tall*grid.X, min((y+1)*tall*grid.X, len(f.next))
		if fresh || !slices.Equal(f.next[from:to], f.drawn[from:to]) {
			f.row(y, fresh)
			f.made++
		}
	}
	f.drawn, f.next = f.next, f.drawn
	return f.cells, f.size
}

// Made is how many rows of cells the last Fit made anew.
func (f *Fitter) Made() int { return f.made }

// Drawn is the pixels of the last Fit with its marks, valid until the next.
func (f *Fitter) Drawn() []screen.RGB565 { return f.drawn }

func (f *Fitter) reset(grid image.Point, m Mode, d Depth) {
	f.grid, f.mode, f.depth, f.size = grid, m, d, m.Cells(grid)
	f.drawn = make([]screen.RGB565, grid.X*grid.Y)
	f.next = make([]screen.RGB565, grid.X*grid.Y)
	f.cells = make([]Cell, f.size.X*f.size.Y)
	f.masks = make([]uint8, len(f.cells))
	for i := range f.cells {
		f.cells[i] = solid(Default)
	}
}

// row makes one row of cells.
func (f *Fitter) row(y int, fresh bool) {
	out := f.cells[y*f.size.X : (y+1)*f.size.X]
	switch {
	case f.mode == Pixels:
	case f.mode == ASCII || f.mode == Half && f.depth == Mono:
		f.tones(out, y)
	case f.mode == Half:
		f.halves(out, y)
	case f.depth == Mono:
		f.dots(out, y)
	default:
		f.patches(out, y, fresh)
	}
}

// line is a row of pixels, nil below the picture.
func (f *Fitter) line(y int) []screen.RGB565 {
	if y >= f.grid.Y {
		return nil
	}
	return f.next[y*f.grid.X : (y+1)*f.grid.X]
}

// halves makes cells of one pixel above another. What is below the picture is left to the terminal.
func (f *Fitter) halves(out []Cell, y int) {
	top, bottom := f.line(2*y), f.line(2*y+1)
	above, below := &bayer[2*y&3], &bayer[(2*y+1)&3]
	for x, t := range top {
		upper, lower := tone(full(t), f.depth, above[x&3]), Default
		if bottom != nil {
			lower = tone(full(bottom[x]), f.depth, below[x&3])
		}
		out[x] = Cell{upper, lower, 1}
		if upper == lower {
			out[x] = solid(lower)
		}
	}
}

// ramp are letters by the ink of their upper and lower half, each in four steps.
var ramp = [4][4]byte{{' ', '.', ',', '_'}, {'\'', ':', ';', 'u'}, {'"', '!', '*', 'd'}, {'^', '?', 'P', '#'}}

// tones makes cells without a mask: letters or shades by brightness where there is no colour, else the mean of both pixels.
func (f *Fitter) tones(out []Cell, y int) {
	top, bottom := f.line(2*y), f.line(2*y+1)
	if bottom == nil {
		bottom = top
	}
	for x, t := range top {
		b := bottom[x]
		switch {
		case f.depth != Mono:
			out[x] = solid(tone(of(full(t)).plus(of(full(b))).mean(2), f.depth, bayer[y&3][x&3]))
		case f.mode == ASCII:
			out[x] = Cell{Default, Default, ramp[luma(t)*4/256][luma(b)*4/256]}
		default:
			out[x] = Cell{Default, Default, shades[(luma(t)+luma(b))/2*len(shades)/256]}
		}
	}
}

// shades are the glyphs of Half where there is no colour, darkest first.
var shades = [5]uint8{shade0, shade1, shade1 + 1, lastHalf, shade4}

// dots makes cells without colour from a mask.
func (f *Fitter) dots(out []Cell, y int) {
	g := f.mode.Grain()
	for x := range out {
		mask := uint8(0)
		for i := range g.X * g.Y {
			px, py := x*g.X+i%g.X, y*g.Y+i/g.X
			if px < f.grid.X && py < f.grid.Y && dot(f.next[py*f.grid.X+px], px, py) {
				mask |= 1 << i
			}
		}
		out[x] = Cell{Default, Default, mask}
	}
}

// patches makes cells by the best two-colour fit, those anew whose pixels changed. Pixels beyond the picture are those at its
// edge once more.
func (f *Fitter) patches(out []Cell, y int, fresh bool) {
	g := f.mode.Grain()
	var lines [4]int // where each row of pixels begins
	for j := range g.Y {
		lines[j] = min(y*g.Y+j, f.grid.Y-1) * f.grid.X
	}
	p := patch{n: g.X * g.Y}
	for x := range out {
		left, right := x*g.X, min(x*g.X+1, f.grid.X-1)
		changed := fresh
		for j, from := range lines[:g.Y] {
			a, b := f.next[from+left], f.next[from+right]
			changed = changed || a != f.drawn[from+left] || b != f.drawn[from+right]
			p.pix[2*j], p.pix[2*j+1] = full(a), full(b)
		}
		if !changed {
			continue
		}
		mask := &f.masks[y*f.size.X+x]
		var fg, bg Colour
		fg, bg, *mask = p.fit(*mask)
		out[x] = f.cell(fg, bg, *mask, x, y)
	}
}

// cell cuts a fit to the depth.
func (f *Fitter) cell(fg, bg Colour, mask uint8, x, y int) Cell {
	bg = tone(bg, f.depth, bayer[y&3][x&3])
	if mask == 0 {
		return solid(bg)
	}
	fg = tone(fg, f.depth, bayer[y&3][x&3])
	switch {
	case fg == bg:
		return solid(bg)
	case f.mode == Octant && turned(mask):
		return Cell{bg, fg, ^mask}
	}
	return Cell{fg, bg, mask}
}
