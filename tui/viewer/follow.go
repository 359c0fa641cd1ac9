package viewer

import (
	"image"

	"assist/screen"
)

// Follow is what the view goes after while zoomed.
type Follow uint8

// What can be followed.
const (
	FollowPointer Follow = iota
	FollowCaret          // where something was typed last
	FollowWindow         // the window that has the keyboard
	Stay
)

var followNames = [...]string{"follows the pointer", "follows what is typed", "follows the active window", "stays"}

func (f Follow) String() string { return followNames[f] }

// Next is what comes after f when a person asks for something else.
func (f Follow) Next() Follow { return (f + 1) % (Stay + 1) }

// SetFollow says what to go after from now on, and goes there.
func (p *Pane) SetFollow(f Follow) {
	p.follow = f
	switch {
	case f == FollowPointer && !p.pointer.Hidden:
		p.Lens = p.Lens.Follow(p.pointer.At)
	case f == FollowCaret:
		p.toCaret()
	case f == FollowWindow:
		p.toWindow()
	}
}

// Following is what the view goes after.
func (p *Pane) Following() Follow { return p.follow }

// SetFocus tells where the customer's machine expects attention.
func (p *Pane) SetFocus(f screen.Focus) {
	was := p.focus
	p.focus = f
	switch {
	case p.follow == FollowCaret && f.Caret != was.Caret:
		p.toCaret()
	case p.follow == FollowWindow && f.Window != was.Window:
		p.toWindow()
	}
}

func (p *Pane) toCaret() {
	if c := p.focus.Caret; !c.Empty() {
		p.Lens = p.Lens.Follow(c.Min.Add(c.Size().Div(2)))
	}
}

// toWindow brings the window into the middle, or as much of it from its upper left as there is room for.
func (p *Pane) toWindow() {
	w := p.focus.Window
	if w.Empty() || p.Lens.Fits() || p.Lens.Shows(w) {
		return
	}
	room := p.Wanted().Region.Size()
	at := w.Min.Add(w.Size().Div(2))
	if w.Dx() > room.X {
		at.X = w.Min.X + room.X/2
	}
	if w.Dy() > room.Y {
		at.Y = w.Min.Y + room.Y/2
	}
	p.Lens.Center = at
	p.Lens = p.Lens.settled()
}

// Read zooms so far in that interface text can be read by the glyphs in use, about the pointer; or back to the whole display
// when it is that near already.
func (p *Pane) Read() {
	scale := p.Lens.Mode.ReadFrom()
	if !p.Lens.Fits() && p.Lens.Now() <= scale {
		p.Lens.Scale = 0
		return
	}
	at := p.Focus()
	p.Lens = p.Lens.At(scale, at)
	p.Lens.Center = at
	p.Lens = p.Lens.settled()
}

// Monitor goes on to the next monitor, and behind the last one back to the whole display. It returns the monitor's number, 0 for
// the whole.
func (p *Pane) Monitor(all []screen.Monitor) int {
	p.monitor = (p.monitor + 1) % (len(all) + 1)
	if p.monitor == 0 {
		p.Lens.Scale = 0
		return 0
	}
	p.Lens = p.Lens.Show(all[p.monitor-1].Bounds)
	if p.follow != Stay { // the pointer may be on another one
		p.follow = Stay
	}
	return p.monitor
}

// inset is a part of the pane where the whole display is seen small.
type inset struct {
	whole *screen.Picture // as it was seen last, part by part
}

// insetShare is how large the inset is: a third of the picture along each side at most.
const insetShare = 3

// keep puts what a picture shows onto the small whole. What was never in view stays dark, what is out of view is as it was.
func (o *inset) keep(p *screen.Picture, display image.Point, grain image.Point) {
	box := image.Pt(p.Viewport.Grid.X/insetShare, p.Viewport.Grid.Y/insetShare)
	size := screen.Fit(image.Pt(display.X*grain.X*2/grain.Y, display.Y), box) // pixels need not be square
	if size.X < 8 || size.Y < 8 {
		o.whole = nil
		return
	}
	v := screen.Viewport{Region: image.Rectangle{Max: display}, Grid: size}
	if o.whole == nil || !o.whole.Viewport.Same(v) {
		old := o.whole
		o.whole = &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, size.X*size.Y)}
		for i := range o.whole.Pix {
			o.whole.Pix[i] = unseen
		}
		if old != nil && old.Viewport.Region == v.Region {
			o.whole = resample(old, v)
		}
	}
	seen := resample(p, v)
	for y := range size.Y {
		for x := range size.X {
			at := image.Pt((2*x+1)*display.X/(2*size.X), (2*y+1)*display.Y/(2*size.Y))
			if at.In(p.Viewport.Region) {
				o.whole.Pix[y*size.X+x] = seen.Pix[y*size.X+x]
			}
		}
	}
}

// bounds is where the inset lies in a picture of grid g: at the lower right, a pixel of frame around it.
func (o *inset) bounds(g image.Point) image.Rectangle {
	size := o.whole.Viewport.Grid
	at := g.Sub(size).Sub(image.Pt(1, 1))
	return image.Rectangle{Min: at, Max: at.Add(size)}
}

// The colours of the inset's frame and of the frame of what is in view.
const (
	insetEdge screen.RGB565 = 0x0000
	viewEdge  screen.RGB565 = 0xFFE0
)

// on is p with the inset, and in it a frame around what p shows.
func (o *inset) on(p *screen.Picture) *screen.Picture {
	out := *p
	g := p.Viewport.Grid
	out.Pix = append([]screen.RGB565(nil), p.Pix...)
	box := o.bounds(g)
	size := box.Size()
	for y := range size.Y {
		copy(out.Pix[(box.Min.Y+y)*g.X+box.Min.X:], o.whole.Pix[y*size.X:(y+1)*size.X])
	}
	edge(out.Pix, g, box.Inset(-1), insetEdge)
	d, r := o.whole.Viewport.Region.Size(), p.Viewport.Region
	edge(out.Pix, g, image.Rect(
		box.Min.X+r.Min.X*size.X/d.X, box.Min.Y+r.Min.Y*size.Y/d.Y,
		box.Min.X+(r.Max.X*size.X+d.X-1)/d.X, box.Min.Y+(r.Max.Y*size.Y+d.Y-1)/d.Y,
	), viewEdge)
	return &out
}

// edge draws the outline of r.
func edge(pix []screen.RGB565, g image.Point, r image.Rectangle, c screen.RGB565) {
	dot := func(x, y int) {
		if x >= 0 && y >= 0 && x < g.X && y < g.Y {
			pix[y*g.X+x] = c
		}
	}
	for x := r.Min.X; x < r.Max.X; x++ {
		dot(x, r.Min.Y)
		dot(x, r.Max.Y-1)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dot(r.Min.X, y)
		dot(r.Max.X-1, y)
	}
}

// ToggleOverview shows the whole display small in a corner while zoomed, or no more; it says which.
func (p *Pane) ToggleOverview() bool {
	p.overview = !p.overview
	return p.overview
}

// InOverview is the point of the display that a cell of the terminal shows in the inset; false: it lies elsewhere.
func (p *Pane) InOverview(at image.Point) (image.Point, bool) {
	pic := p.current()
	if pic == nil || !p.overview || p.Lens.Fits() || p.inset.whole == nil {
		return image.Point{}, false
	}
	grain := p.Lens.Mode.Grain()
	c := at.Sub(p.place).Sub(Placed(p.Lens.Cells, p.Lens.Mode.Cells(pic.Viewport.Grid)))
	px := image.Pt(c.X*grain.X+grain.X/2, c.Y*grain.Y+grain.Y/2)
	box := p.inset.bounds(pic.Viewport.Grid)
	if !px.In(box) {
		return image.Point{}, false
	}
	d, size := p.Lens.Display, box.Size()
	px = px.Sub(box.Min)
	return image.Pt((2*px.X+1)*d.X/(2*size.X), (2*px.Y+1)*d.Y/(2*size.Y)), true
}

// Center brings a point of the display into the middle.
func (p *Pane) Center(at image.Point) {
	p.Lens.Center = at
	p.Lens = p.Lens.settled()
}
