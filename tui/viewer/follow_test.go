package viewer

import (
	"image"
	"testing"

	"assist/screen"
	"assist/screen/raster"
)

var fullHD = image.Pt(1920, 1080)

func near(at image.Point, mode raster.Mode, scale float64) *Pane {
	p := New(&Plain{})
	p.SetSize(image.Rect(0, 1, 160, 49))
	p.SetDisplay(fullHD)
	p.SetMode(mode)
	p.SetPointer(screen.Pointer{At: at})
	p.Lens = p.Lens.At(scale, at)
	return p
}

func TestFollowsWhatIsTypedAndTheActiveWindow(t *testing.T) {
	p := near(image.Pt(100, 100), raster.Half, 2)
	p.SetFollow(FollowCaret)
	p.SetFocus(screen.Focus{Caret: image.Rect(1500, 900, 1510, 916)})
	if !p.Lens.Shows(image.Rect(1500, 900, 1510, 916)) {
		t.Errorf("the caret is not in %v", p.Wanted().Region)
	}
	p.SetPointer(screen.Pointer{At: image.Pt(10, 10)})
	if p.Lens.Shows(image.Rect(10, 10, 11, 11)) {
		t.Error("it follows the pointer all the same")
	}
	p.SetFollow(FollowWindow)
	window := image.Rect(200, 100, 400, 250)
	p.SetFocus(screen.Focus{Window: window})
	if !p.Lens.Shows(window) {
		t.Errorf("the window is not in %v", p.Wanted().Region)
	}
	p.SetFocus(screen.Focus{Window: image.Rect(700, 300, 1900, 1000)})
	if got := p.Wanted().Region.Min; got != image.Pt(700, 300) {
		t.Errorf("of a window that is too large the view shows from %v on", got)
	}
	p.SetFollow(Stay)
	before := p.Lens
	p.SetFocus(screen.Focus{Window: window, Caret: image.Rect(1, 1, 2, 2)})
	p.SetPointer(screen.Pointer{At: image.Pt(1900, 1000)})
	if p.Lens != before {
		t.Error("it does not stay")
	}
}

func TestReadingZoomFitsTheGlyphs(t *testing.T) {
	for mode, width := range map[raster.Mode]int{raster.Half: 480, raster.Quadrant: 640, raster.Sextant: 720, raster.Octant: 800, raster.Pixels: 800} {
		p := near(image.Pt(900, 500), mode, 1)
		p.Lens.Scale = 0
		p.Read()
		if r := p.Wanted().Region; r.Dx() != width || !image.Pt(900, 500).In(r.Inset(100)) {
			t.Errorf("%v: %v is in view, %d wide", mode, r, r.Dx())
		}
		p.Read()
		if !p.Lens.Fits() {
			t.Errorf("%v: the second press shows %v", mode, p.Wanted().Region)
		}
	}
}

func TestMonitorsTakeTurns(t *testing.T) {
	p := near(image.Pt(5, 5), raster.Half, 1)
	all := []screen.Monitor{{Name: "left", Bounds: image.Rect(0, 0, 960, 1080)}, {Name: "right", Bounds: image.Rect(960, 0, 1920, 1080)}}
	for _, m := range all {
		p.Monitor(all)
		if r := p.Wanted().Region; !m.Bounds.In(r.Inset(-12)) {
			t.Errorf("monitor %s is not in %v", m.Name, r)
		}
	}
	if n := p.Monitor(all); n != 0 || !p.Lens.Fits() {
		t.Errorf("behind the last comes %d", n)
	}
}

func TestOverviewShowsTheWholeAndWhereOneIs(t *testing.T) {
	p := near(image.Pt(1700, 900), raster.Half, 0)
	p.Lens.Scale = 0
	p.SetPicture(halves(p.Wanted(), fullHD))
	p.View()
	p.Lens = p.Lens.At(2, image.Pt(1700, 900))
	p.SetPicture(halves(p.Wanted(), fullHD))
	plain := p.View()
	p.ToggleOverview()
	if with := p.View(); plain[2] != with[2] || plain[46] == with[46] {
		t.Error("the overview is not at the lower right, or not only there")
	}
	pic := p.withInset(p.current())
	box := p.inset.bounds(pic.Viewport.Grid)
	at := func(x, y int) screen.RGB565 {
		return pic.Pix[(box.Min.Y+y*box.Dy()/fullHD.Y)*pic.Viewport.Grid.X+box.Min.X+x*box.Dx()/fullHD.X]
	}
	if at(300, 500) != red || at(1300, 200) != blue {
		t.Errorf("left %04x, right %04x", at(300, 500), at(1300, 200))
	}
	yellow := 0
	for i, c := range pic.Pix {
		if c == viewEdge {
			yellow++
			if !image.Pt(i%pic.Viewport.Grid.X, i/pic.Viewport.Grid.X).In(box) {
				t.Fatal("the frame leaves the overview")
			}
		}
	}
	if yellow < 12 {
		t.Errorf("%d pixels of frame", yellow)
	}
	cell := image.Pt(box.Min.X+box.Dx()/4, 1+(box.Min.Y+box.Dy()/4)/2)
	to, ok := p.InOverview(cell)
	if !ok || to.X < 400 || to.X > 560 || to.Y < 200 || to.Y > 340 {
		t.Errorf("cell %v of the overview is %v, %v", cell, to, ok)
	}
	p.Center(to)
	if !p.Lens.Shows(image.Rectangle{Min: to, Max: to.Add(image.Pt(1, 1))}) {
		t.Errorf("a click there shows %v", p.Wanted().Region)
	}
	if _, ok := p.InOverview(image.Pt(3, 3)); ok {
		t.Error("the upper left belongs to the overview")
	}
}
