package painter

import (
	"image"

	"assist/screen"
)

// mostCell is the largest cell for which images are made as large as they are shown, in pixels along a side.
const mostCell = 64

// stretch puts pixels with a margin of one into raw, without the margin and exactly as large as so many cells, and returns that
// size: where text says where an image is, the terminal keeps its shape and leaves bars if the cells have another, and blends its
// edges with nothing if it has to make it larger. Where the size of a cell is not known it stays as it is.
func (t *tiles) stretch(size image.Point, pix []screen.RGB565, cells image.Point) image.Point {
	from := size.Sub(image.Pt(2, 2))
	to := image.Pt(cells.X*t.cell.X, cells.Y*t.cell.Y)
	if to.X <= 0 || to.Y <= 0 || t.cell.X > mostCell || t.cell.Y > mostCell {
		to = from
	}
	t.raw = t.raw[:0]
	across := make([]mixture, to.X)
	for x := range across {
		across[x] = mix(x, from.X, to.X)
	}
	for y := range to.Y {
		down := mix(y, from.Y, to.Y)
		upper, lower := pix[down.at*size.X:][:size.X], pix[(down.at+1)*size.X:][:size.X]
		for _, m := range across {
			a, b := blend(upper[m.at], upper[m.at+1], m.second), blend(lower[m.at], lower[m.at+1], m.second)
			for c := range 3 {
				t.raw = append(t.raw, five(uint8((a[c]*(256-down.second)+b[c]*down.second)>>16)))
			}
		}
	}
	return to
}

// mixture is two neighbouring pixels, the first at at in a row with its margin, and the share of the second in 256.
type mixture struct {
	at     int
	second int
}

// mix says what pixel i of so many is made of, of a row of so many: their middles lie over each other.
func mix(i, from, to int) mixture {
	at := ((2*i+1)*from*256/to - 256) / 2 // of its middle, in 1/256, from the middle of the first
	at += 256                             // the margin
	return mixture{at >> 8, at & 255}
}

func blend(a, b screen.RGB565, second int) [3]int {
	r1, g1, b1 := a.RGB()
	r2, g2, b2 := b.RGB()
	first := 256 - second
	return [3]int{int(r1)*first + int(r2)*second, int(g1)*first + int(g2)*second, int(b1)*first + int(b2)*second}
}
