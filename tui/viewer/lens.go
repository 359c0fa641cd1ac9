package viewer

import (
	"image"
	"math"

	"assist/screen"
)

// Lens is which part of the display is looked at and how large: pure arithmetic between display pixels, grid pixels and
// cells. A cell shows 1x2 grid pixels, which are taken to be square.
type Lens struct {
	Display image.Point // of the customer, in pixels; zero: not known yet
	Cells   image.Point // room for the picture
	Scale   float64     // display pixels along one grid pixel; 0: whatever shows the whole display
	Center  image.Point // display pixels; only looked at while zoomed
}

// Closest is the largest magnification: one display pixel is one grid pixel. Nothing is gained beyond it.
const Closest = 1

// step is how much one press of + or a notch of the wheel zooms.
const step = 1.5

// room is the grid that the cells give, in pixels, within what a viewport may ask for.
func (l Lens) room() image.Point {
	g := image.Pt(min(l.Cells.X, screen.MaxGrid), min(2*l.Cells.Y, screen.MaxGrid))
	for g.X*g.Y > screen.MaxPixels {
		g.Y /= 2
	}
	return g
}

// FitScale is the scale at which the whole display is seen, never below Closest.
func (l Lens) FitScale() float64 {
	room := l.room()
	if room.X <= 0 || room.Y <= 0 || l.Display.X <= 0 {
		return Closest
	}
	return max(Closest, float64(l.Display.X)/float64(room.X), float64(l.Display.Y)/float64(room.Y))
}

// Fits says whether the whole display is seen.
func (l Lens) Fits() bool { return l.Scale == 0 || l.Scale >= l.FitScale() }

// Now is the scale in use.
func (l Lens) Now() float64 {
	if l.Fits() {
		return l.FitScale()
	}
	return max(Closest, l.Scale)
}

// Viewport is what to ask the host for. It is empty while the display or the room is unknown.
func (l Lens) Viewport() screen.Viewport {
	room := l.room()
	if l.Display.X <= 0 || l.Display.Y <= 0 || room.X <= 0 || room.Y <= 0 {
		return screen.Viewport{}
	}
	scale := l.Now()
	size := image.Pt(
		min(l.Display.X, int(float64(room.X)*scale+0.5)),
		min(l.Display.Y, int(float64(room.Y)*scale+0.5)),
	)
	grid := image.Pt(
		max(1, min(room.X, size.X, int(float64(size.X)/scale+0.5))),
		max(1, min(room.Y, size.Y, int(float64(size.Y)/scale+0.5))),
	)
	at := image.Pt((l.Display.X-size.X)/2, (l.Display.Y-size.Y)/2)
	if !l.Fits() {
		at = image.Pt(
			max(0, min(l.Display.X-size.X, l.Center.X-size.X/2)),
			max(0, min(l.Display.Y-size.Y, l.Center.Y-size.Y/2)),
		)
	}
	return screen.Viewport{Region: image.Rectangle{Min: at, Max: at.Add(size)}, Grid: grid}
}

// At is the lens at another scale, holding the display point about where it is seen.
func (l Lens) At(scale float64, about image.Point) Lens {
	before := l.Viewport().Region
	l.Scale = max(Closest, scale)
	if l.Scale >= l.FitScale() {
		l.Scale = 0
		return l
	}
	if before.Empty() {
		l.Center = about
		return l
	}
	middle := image.Pt((before.Min.X+before.Max.X)/2, (before.Min.Y+before.Max.Y)/2)
	after := l
	after.Center = image.Pt(l.Display.X/2, l.Display.Y/2)
	ratio := float64(after.Viewport().Region.Dx()) / float64(before.Dx())
	l.Center = image.Pt(
		about.X+int(math.Round(float64(middle.X-about.X)*ratio)),
		about.Y+int(math.Round(float64(middle.Y-about.Y)*ratio)),
	)
	return l.settled()
}

// In and Out zoom by one step about a display point.
func (l Lens) In(about image.Point) Lens  { return l.At(l.Now()/step, about) }
func (l Lens) Out(about image.Point) Lens { return l.At(l.Now()*step, about) }

// Cycle goes on from fit to 2:1, to 1:1 and back to fit, about a display point.
func (l Lens) Cycle(about image.Point) Lens {
	switch now := l.Now(); {
	case !l.Fits() && now <= Closest:
		return l.At(math.Inf(1), about)
	case now > 2:
		return l.At(2, about)
	}
	return l.At(Closest, about)
}

// Pan moves by display pixels.
func (l Lens) Pan(d image.Point) Lens {
	l.Center = l.settled().Center.Add(d)
	return l.settled()
}

// settled is the lens with its centre where the region really is.
func (l Lens) settled() Lens {
	r := l.Viewport().Region
	l.Center = image.Pt(r.Min.X+r.Dx()/2, r.Min.Y+r.Dy()/2)
	return l
}

// Follow pans just so far that p is seen with some room around it.
func (l Lens) Follow(p image.Point) Lens {
	if l.Fits() {
		return l
	}
	r := l.Viewport().Region
	edge := image.Pt(r.Dx()/8, r.Dy()/8)
	d := image.Pt(outside(p.X, r.Min.X+edge.X, r.Max.X-edge.X), outside(p.Y, r.Min.Y+edge.Y, r.Max.Y-edge.Y))
	if d == (image.Point{}) {
		return l
	}
	return l.Pan(d)
}

// outside is how far v lies before lo or behind hi.
func outside(v, lo, hi int) int {
	switch {
	case v < lo:
		return v - lo
	case v > hi:
		return v - hi
	}
	return 0
}

// PointOf is the middle of what cell c of a picture shows, in display pixels. Cells beside the picture give the nearest.
func PointOf(v screen.Viewport, c image.Point) image.Point {
	if v.Grid.X <= 0 || v.Grid.Y <= 0 {
		return v.Region.Min
	}
	x := max(0, min(c.X, v.Grid.X-1))
	top := max(0, min(2*c.Y, (v.Grid.Y-1)/2*2))
	bottom := min(top+2, v.Grid.Y)
	return image.Pt(
		v.Region.Min.X+(2*x+1)*v.Region.Dx()/(2*v.Grid.X),
		v.Region.Min.Y+(top+bottom)*v.Region.Dy()/(2*v.Grid.Y),
	)
}

// PixelOf is the grid pixel that shows the middle of display pixel p, and whether it is seen at all.
func PixelOf(v screen.Viewport, p image.Point) (image.Point, bool) {
	if !p.In(v.Region) {
		return image.Point{}, false
	}
	d := p.Sub(v.Region.Min)
	return image.Pt((2*d.X+1)*v.Grid.X/(2*v.Region.Dx()), (2*d.Y+1)*v.Grid.Y/(2*v.Region.Dy())), true
}

// CellsOf is how many cells a picture of grid g takes.
func CellsOf(g image.Point) image.Point { return image.Pt(g.X, (g.Y+1)/2) }
