package screen

import (
	"fmt"
	"image"
)

// Check says why v cannot be shown of a display of that size, in display pixels: a grid or region beyond the limits, or a
// region that is empty or not wholly on the display. nil: it can.
func (v Viewport) Check(display image.Point) error {
	if err := v.limits(); err != nil {
		return err
	}
	if !v.Region.In(image.Rectangle{Max: display}) {
		return fmt.Errorf("region %v is not on the display of %v", v.Region, display)
	}
	return nil
}

// limits checks what holds on every display.
func (v Viewport) limits() error {
	switch {
	case v.Grid.X < 1 || v.Grid.Y < 1 || v.Grid.X > MaxGrid || v.Grid.Y > MaxGrid || v.Grid.X*v.Grid.Y > MaxPixels:
		return fmt.Errorf("grid %v: %d pixels a side and %d in all are allowed", v.Grid, MaxGrid, MaxPixels)
	case v.Region.Empty() || !v.Region.In(image.Rect(0, 0, MaxDisplay, MaxDisplay)):
		return fmt.Errorf("region %v is empty or beyond %d pixels", v.Region, MaxDisplay)
	}
	return nil
}

// Fit is the largest grid inside box that has the shape of display: what a whole display is averaged to. Pixels are
// square on both sides. It is at least 1x1, and zero where display or box is empty.
func Fit(display, box image.Point) image.Point {
	if display.X <= 0 || display.Y <= 0 || box.X <= 0 || box.Y <= 0 {
		return image.Point{}
	}
	if display.X*box.Y > display.Y*box.X { // the width decides
		return image.Pt(box.X, max(1, box.X*display.Y/display.X))
	}
	return image.Pt(max(1, box.Y*display.X/display.Y), box.Y)
}

// Grid divides a region of the display among the pixels of a viewport's grid. Where the region is at least as large as the
// grid every display pixel belongs to exactly one grid pixel; where it is smaller, grid pixels repeat display pixels.
// It never changes once it is made.
type Grid struct {
	region image.Rectangle
	size   image.Point
	x, y   []int // display coordinate where each column and row begins, and one more for the end
	narrow int   // width of the narrowest columns; the others have one pixel more
}

// NewGrid divides the region of v, which has passed Check.
func NewGrid(v Viewport) *Grid {
	g := &Grid{region: v.Region, size: v.Grid}
	g.x = divide(v.Region.Min.X, v.Region.Dx(), v.Grid.X)
	g.y = divide(v.Region.Min.Y, v.Region.Dy(), v.Grid.Y)
	g.narrow = max(1, v.Region.Dx()/v.Grid.X)
	return g
}

func divide(from, length, parts int) []int {
	b := make([]int, parts+1)
	for i := range b {
		b[i] = from + i*length/parts
	}
	return b
}

// Size is the size of the grid, in its pixels.
func (g *Grid) Size() image.Point { return g.size }

// Region is the part of the display that the grid shows, in display pixels.
func (g *Grid) Region() image.Rectangle { return g.region }

// Source is the part of the display that the grid pixel at x, y shows.
func (g *Grid) Source(x, y int) image.Rectangle {
	x0, x1 := part(g.x, x)
	y0, y1 := part(g.y, y)
	return image.Rect(x0, y0, x1, y1)
}

// part is what the i-th part covers: at least one pixel, also where there are fewer pixels than parts.
func part(b []int, i int) (from, to int) {
	return b[i], max(b[i+1], b[i]+1)
}

// Target is the smallest rectangle of grid pixels that show something of r, empty when none does.
func (g *Grid) Target(r image.Rectangle) image.Rectangle {
	r = r.Intersect(g.region)
	if r.Empty() {
		return image.Rectangle{}
	}
	x0, x1 := parts(g.x, r.Min.X, r.Max.X)
	y0, y1 := parts(g.y, r.Min.Y, r.Max.Y)
	return image.Rect(x0, y0, x1, y1)
}

// parts are the parts that cover something of the pixels from..to, which lie inside.
func parts(b []int, from, to int) (first, end int) {
	n, length := len(b)-1, b[len(b)-1]-b[0]
	first = min((from-b[0])*n/length, n-1)
	for first > 0 && max(b[first], b[first-1]+1) > from {
		first--
	}
	for max(b[first+1], b[first]+1) <= from {
		first++
	}
	end = min((to-1-b[0])*n/length, n-1)
	for end > 0 && b[end] >= to {
		end--
	}
	for end+1 < n && b[end+1] < to {
		end++
	}
	return first, end + 1
}
