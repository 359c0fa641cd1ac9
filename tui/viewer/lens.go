package viewer

import (
	"image"
	"math"

	"assist/screen"
	"assist/screen/raster"
)

// Lens is which part of the display is looked at and how large: pure arithmetic between display pixels, grid pixels and
// cells. A cell is taken to be twice as high as wide.
type Lens struct {
	Display image.Point // of the customer, in pixels; zero: not known yet
	Cells   image.Point // room for the picture
	Mode    raster.Mode // decides how many grid pixels a cell shows
	Scale   float64     // display pixels along a cell's width; 0: whatever shows the whole display
	Center  image.Point // display pixels; only looked at while zoomed
}

// Closest is the scale of the largest magnification: a grid pixel is one display pixel wide or high, and nothing is gained
// beyond it.
func (l Lens) Closest() float64 {
	g := l.Mode.Grain()
	return max(float64(g.X), float64(g.Y)/2)
}

// step is how much one press of + or a notch of the wheel zooms.
const step = 1.5

// room is the grid that the cells give, in pixels, within what a viewport may ask for.
func (l Lens) room() image.Point {
	grain := l.Mode.Grain()
	g := image.Pt(min(grain.X*l.Cells.X, screen.MaxGrid), min(grain.Y*l.Cells.Y, screen.MaxGrid))
	for g.X*g.Y > screen.MaxPixels {
		g.Y /= 2
	}
	return g
}

// pixel is the display pixels along width and height of a grid pixel.
func (l Lens) pixel(scale float64) (w, h float64) {
	g := l.Mode.Grain()
	return scale / float64(g.X), 2 * scale / float64(g.Y)
}

// FitScale is the scale at which the whole display is seen, never below Closest.
func (l Lens) FitScale() float64 {
	room := l.room()
	if room.X <= 0 || room.Y <= 0 || l.Display.X <= 0 {
		return l.Closest()
	}
	w, h := l.pixel(1)
	return max(l.Closest(), float64(l.Display.X)/(float64(room.X)*w), float64(l.Display.Y)/(float64(room.Y)*h))
}

// Fits says whether the whole display is seen.
func (l Lens) Fits() bool { return l.Scale == 0 || l.Scale >= l.FitScale() }

// Now is the scale in use.
func (l Lens) Now() float64 {
	if l.Fits() {
		return l.FitScale()
	}
	return max(l.Closest(), l.Scale)
}

// Viewport is what to ask the host for. It is empty while the display or the room is unknown.
func (l Lens) Viewport() screen.Viewport {
	room := l.room()
	if l.Display.X <= 0 || l.Display.Y <= 0 || room.X <= 0 || room.Y <= 0 {
		return screen.Viewport{}
	}
	w, h := l.pixel(l.Now())
	size := image.Pt(
		min(l.Display.X, int(float64(room.X)*w+0.5)),
		min(l.Display.Y, int(float64(room.Y)*h+0.5)),
	)
	grid := image.Pt(
		max(1, min(room.X, size.X, int(float64(size.X)/w+0.5))),
		max(1, min(room.Y, size.Y, int(float64(size.Y)/h+0.5))),
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
	l.Scale = max(l.Closest(), scale)
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
	case !l.Fits() && now <= l.Closest():
		return l.At(math.Inf(1), about)
	case now > 2*l.Closest():
		return l.At(2*l.Closest(), about)
	}
	return l.At(l.Closest(), about)
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

// Show is the lens that shows r whole, in the middle, as large as it can be.
func (l Lens) Show(r image.Rectangle) Lens {
	part := l
	part.Display, part.Scale = r.Size(), 0
	l.Scale = part.FitScale()
	if r.Empty() || l.Scale >= l.FitScale() {
		l.Scale = 0
		return l
	}
	l.Center = r.Min.Add(r.Size().Div(2))
	return l.settled()
}

// Shows says whether r is wholly in view.
func (l Lens) Shows(r image.Rectangle) bool { return r.In(l.Viewport().Region) }

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
func PointOf(v screen.Viewport, m raster.Mode, c image.Point) image.Point {
	if v.Grid.X <= 0 || v.Grid.Y <= 0 {
		return v.Region.Min
	}
	grain := m.Grain()
	left, right := within(c.X, grain.X, v.Grid.X)
	top, bottom := within(c.Y, grain.Y, v.Grid.Y)
	return image.Pt(
		v.Region.Min.X+(left+right)*v.Region.Dx()/(2*v.Grid.X),
		v.Region.Min.Y+(top+bottom)*v.Region.Dy()/(2*v.Grid.Y),
	)
}

// within is the grid pixels that cell c shows along one axis, of n; c is brought to the nearest cell that shows any.
func within(c, grain, n int) (from, to int) {
	from = max(0, min(c*grain, (n-1)/grain*grain))
	return from, min(from+grain, n)
}

// PixelOf is the grid pixel that shows the middle of display pixel p, and whether it is seen at all.
func PixelOf(v screen.Viewport, p image.Point) (image.Point, bool) {
	if !p.In(v.Region) {
		return image.Point{}, false
	}
	d := p.Sub(v.Region.Min)
	return image.Pt((2*d.X+1)*v.Grid.X/(2*v.Region.Dx()), (2*d.Y+1)*v.Grid.Y/(2*v.Region.Dy())), true
}
