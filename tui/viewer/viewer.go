// Package viewer is the pane that shows the customer's display: which part of it, how large, and what a cell of it means in
// display pixels.
//
// The pane belongs to the goroutine of the tea.Program. It never waits for a picture: it draws the newest that it was given,
// and while the host has not answered a zoom or a resize yet it shows the old one under the new viewport. It asks for
// nothing by itself; Wanted says what should be asked of the host. Which way the picture reaches the terminal is a seam of
// its own (Renderer).
package viewer

import (
	"fmt"
	"image"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/cell"
)

// Pane is the picture and its lens.
type Pane struct {
	Lens Lens

	follow   Follow
	focus    screen.Focus
	monitor  int // that was shown last; 0: the whole display
	overview bool
	inset    inset
	kept     *screen.Picture // what inset has seen last

	render  Renderer
	depth   raster.Depth
	place   image.Point
	got     *screen.Picture // newest of the host
	shown   *screen.Picture // what is drawn: got, or got under the wanted viewport
	from    *screen.Picture // what shown was made of
	pointer screen.Pointer
	others  []Other // in display pixels
	covered []image.Rectangle
}

// New makes a pane that draws by r.
func New(r Renderer) *Pane { return &Pane{render: r} }

// SetSize gives the pane its rectangle of the terminal, in cells.
func (p *Pane) SetSize(r image.Rectangle) {
	p.place, p.Lens.Cells = r.Min, r.Size()
}

// SetDepth says how many colours the terminal shows.
func (p *Pane) SetDepth(d raster.Depth) { p.depth = d }

// SetMode says by which means cells show pixels. What is looked at stays.
func (p *Pane) SetMode(m raster.Mode) {
	whole := p.Lens.Fits()
	p.Lens.Mode = m
	if whole {
		p.Lens.Scale = 0
	}
}

// Mode is what SetMode said last.
func (p *Pane) Mode() raster.Mode { return p.Lens.Mode }

// Hide says that the view has no picture in it.
func (p *Pane) Hide() { p.render.Hide() }

// SetDisplay tells the size of the customer's display; when it changes, the lens goes back to the whole.
func (p *Pane) SetDisplay(size image.Point) {
	if size != p.Lens.Display {
		p.Lens = Lens{Display: size, Cells: p.Lens.Cells, Mode: p.Lens.Mode}
	}
}

// SetPicture hands over the newest picture.
func (p *Pane) SetPicture(pic *screen.Picture) { p.got = pic }

// SetPointer tells where the customer's pointer is, and pans after it if it should.
func (p *Pane) SetPointer(at screen.Pointer) {
	moved := at.At != p.pointer.At
	p.pointer = at
	if moved && p.follow == FollowPointer && !at.Hidden {
		p.Lens = p.Lens.Follow(at.At)
	}
}

// SetOthers tells where other agents point, in display pixels.
func (p *Pane) SetOthers(o []Other) { p.others = o }

// Cover names the cells of the terminal that dialogs and notices lie on.
func (p *Pane) Cover(r ...image.Rectangle) { p.covered = r }

// Wanted is the viewport that the pane would like to show.
func (p *Pane) Wanted() screen.Viewport { return p.Lens.Viewport() }

// current brings shown up to date and returns it; nil before the first picture.
func (p *Pane) current() *screen.Picture {
	want := p.Wanted()
	switch {
	case p.got == nil || want.Grid == (image.Point{}):
		p.shown = nil
	case p.got.Viewport.Same(want):
		p.shown = p.got
	case p.shown == nil || p.from != p.got || !p.shown.Viewport.Same(want):
		p.shown = resample(p.got, want)
	}
	p.from = p.got
	return p.shown
}

// View draws the pane, exactly as large as it was made.
func (p *Pane) View() cell.Block {
	f := Frame{Picture: p.current(), Size: p.Lens.Cells, Place: p.place, Mode: p.Lens.Mode, Depth: p.depth, Covered: p.covered}
	if f.Picture != nil && !p.pointer.Hidden {
		if at, seen := PixelOf(f.Picture.Viewport, p.pointer.At); seen {
			f.Pointer = &at
		}
	}
	if f.Picture != nil {
		f.Others = seen(p.others, f.Picture.Viewport)
		f.Picture = p.withInset(f.Picture)
	}
	return p.render.Rows(f)
}

// withInset is pic with the overview on it, where that is wanted and of use.
func (p *Pane) withInset(pic *screen.Picture) *screen.Picture {
	if p.kept != p.got && p.got != nil {
		p.inset.keep(p.got, p.Lens.Display, p.Lens.Mode.Grain())
		p.kept = p.got
	}
	if !p.overview || p.Lens.Fits() || p.inset.whole == nil || !p.inset.bounds(pic.Viewport.Grid).In(image.Rectangle{Max: pic.Viewport.Grid}) {
		return pic
	}
	return p.inset.on(pic)
}

// Point translates a cell of the terminal into display pixels: the middle of what that cell shows. It reports false beside
// the picture, together with the nearest point in it.
func (p *Pane) Point(at image.Point) (image.Point, bool) {
	pic := p.current()
	if pic == nil {
		return image.Point{}, false
	}
	size := p.Lens.Mode.Cells(pic.Viewport.Grid)
	c := at.Sub(p.place).Sub(Placed(p.Lens.Cells, size))
	return PointOf(pic.Viewport, p.Lens.Mode, c), c.In(image.Rectangle{Max: size})
}

// Drag pans by cells of the terminal, as if the picture were held.
func (p *Pane) Drag(d image.Point) {
	scale := p.Lens.Now()
	p.Lens = p.Lens.Pan(image.Pt(-int(float64(d.X)*scale), -int(float64(2*d.Y)*scale)))
}

// Nudge pans by an eighth of what is seen, in the direction of d.
func (p *Pane) Nudge(d image.Point) {
	r := p.Wanted().Region
	p.Lens = p.Lens.Pan(image.Pt(d.X*max(1, r.Dx()/8), d.Y*max(1, r.Dy()/8)))
}

// Focus is the point that a zoom by key holds: the pointer where it is seen, else the middle.
func (p *Pane) Focus() image.Point {
	r := p.Wanted().Region
	if p.pointer.At.In(r) && !p.pointer.Hidden {
		return p.pointer.At
	}
	return image.Pt(r.Min.X+r.Dx()/2, r.Min.Y+r.Dy()/2)
}

// Zoom says in words how large the picture is.
func (p *Pane) Zoom() string {
	if p.Lens.Display.X == 0 {
		return ""
	}
	if p.Lens.Fits() {
		return "whole screen"
	}
	s := fmt.Sprintf("%.3g:1", p.Lens.Now()/p.Lens.Closest())
	if p.follow != Stay {
		s += ", " + p.follow.String()
	}
	return s
}
