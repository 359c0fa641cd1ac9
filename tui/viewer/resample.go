package viewer

import (
	"image"

	"assist/screen"
)

// unseen is the colour of what an older picture does not show.
const unseen screen.RGB565 = 0x18E3

// resample shows as much of p as there is under another viewport, by nearest pixel. It stands in until the host sends the
// real one, so that zoom and resize answer at once.
func resample(p *screen.Picture, v screen.Viewport) *screen.Picture {
	out := &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, v.Grid.X*v.Grid.Y), Seq: p.Seq, Captured: p.Captured}
	column := make([]int, v.Grid.X)
	for x := range column {
		column[x] = source(x, v.Grid.X, v.Region.Min.X, v.Region.Dx(), p.Viewport.Region.Min.X, p.Viewport.Region.Dx(), p.Viewport.Grid.X)
	}
	for y := range v.Grid.Y {
		from := source(y, v.Grid.Y, v.Region.Min.Y, v.Region.Dy(), p.Viewport.Region.Min.Y, p.Viewport.Region.Dy(), p.Viewport.Grid.Y)
		row := out.Pix[y*v.Grid.X : (y+1)*v.Grid.X]
		for x := range row {
			row[x] = unseen
			if at := image.Pt(column[x], from); at.X >= 0 && at.Y >= 0 {
				row[x] = p.Pix[at.Y*p.Viewport.Grid.X+at.X]
			}
		}
	}
	return out
}

// source is the old pixel under the middle of pixel i of n, along one axis; -1 where the old picture has none.
func source(i, n, min, size, oldMin, oldSize, oldN int) int {
	at := min + (2*i+1)*size/(2*n) - oldMin
	if at < 0 || at >= oldSize || oldSize <= 0 {
		return -1
	}
	return at * oldN / oldSize
}
