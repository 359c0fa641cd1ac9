package viewer

import (
	"image"
	"testing"

	"assist/screen"
	"assist/screen/raster"

	"pgregory.net/rapid"
)

func TestWholeDisplayAtBestFit(t *testing.T) {
	for _, c := range []struct {
		name           string
		display, cells image.Point
		grid           image.Point
	}{
		{"full HD in 80x22", image.Pt(1920, 1080), image.Pt(80, 22), image.Pt(78, 44)},
		{"full HD in 160x48", image.Pt(1920, 1080), image.Pt(160, 48), image.Pt(160, 90)},
		{"upright display", image.Pt(1080, 1920), image.Pt(80, 22), image.Pt(25, 44)},
		{"tiny display is not blown up", image.Pt(40, 30), image.Pt(200, 60), image.Pt(40, 30)},
		{"no room", image.Pt(1920, 1080), image.Pt(0, 22), image.Point{}},
		{"display unknown", image.Point{}, image.Pt(80, 22), image.Point{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Lens{Display: c.display, Cells: c.cells}.Viewport()
			if v.Grid != c.grid {
				t.Errorf("grid %v, want %v", v.Grid, c.grid)
			}
			if c.grid != (image.Point{}) && v.Region != (image.Rectangle{Max: c.display}) {
				t.Errorf("region %v is not the whole display", v.Region)
			}
		})
	}
}

func TestZoomCycle(t *testing.T) {
	l := Lens{Display: image.Pt(1920, 1080), Cells: image.Pt(160, 48)}
	about := image.Pt(400, 300)
	two := l.Cycle(about)
	if v := two.Viewport(); two.Now() != 2 || v.Grid != image.Pt(160, 96) || v.Region.Size() != image.Pt(320, 192) {
		t.Errorf("first press: scale %v, %v", two.Now(), v)
	}
	one := two.Cycle(about)
	if v := one.Viewport(); one.Now() != 1 || v.Grid != v.Region.Size() {
		t.Errorf("second press: scale %v, %v", one.Now(), v)
	}
	if back := one.Cycle(about); !back.Fits() {
		t.Errorf("third press: scale %v", back.Now())
	}
}

func TestZoomHoldsThePoint(t *testing.T) {
	l := Lens{Display: image.Pt(1920, 1080), Cells: image.Pt(160, 48)}
	about := image.Pt(960, 540)
	before := l.Viewport()
	after := l.In(about).Viewport()
	b, _ := PixelOf(before, about)
	a, seen := PixelOf(after, about)
	if d := a.Sub(b); !seen || d.X*d.X > 4 || d.Y*d.Y > 16 {
		t.Errorf("the point moved from pixel %v to %v", b, a)
	}
}

func TestFollowKeepsThePointerInSight(t *testing.T) {
	l := Lens{Display: image.Pt(1920, 1080), Cells: image.Pt(160, 48)}.At(1, image.Pt(100, 100))
	for _, p := range []image.Point{{0, 0}, {1919, 1079}, {960, 540}, {0, 1079}} {
		l = l.Follow(p)
		if !p.In(l.Viewport().Region) {
			t.Errorf("%v is not in %v", p, l.Viewport().Region)
		}
	}
	still := l.Follow(l.Center)
	if still != l {
		t.Error("a pointer in the middle moved the view")
	}
}

func TestCellMeansTheMiddleOfWhatItShows(t *testing.T) {
	v := screen.Viewport{Region: image.Rect(100, 200, 1700, 1100), Grid: image.Pt(160, 90)} // 10x10 display pixels a grid pixel
	for cell, want := range map[image.Point]image.Point{
		{0, 0}:     {105, 210},
		{159, 44}:  {1695, 1090},
		{80, 22}:   {905, 650},
		{-5, -5}:   {105, 210},
		{999, 999}: {1695, 1090},
	} {
		if got := PointOf(v, raster.Half, cell); got != want {
			t.Errorf("cell %v: %v, want %v", cell, got, want)
		}
	}
	odd := screen.Viewport{Region: image.Rect(0, 0, 10, 30), Grid: image.Pt(1, 3)}
	if got := PointOf(odd, raster.Half, image.Pt(0, 1)); got != image.Pt(5, 25) {
		t.Errorf("half cell at the bottom: %v, want (5,25)", got)
	}
}

// Whatever is zoomed, panned and resized: the host is never asked for anything outside the display, for more grid than the
// region has pixels or than fits the cells; and a cell's point is shown by that very cell.
func TestLensKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 8000)
		l := Lens{
			Display: image.Pt(side.Draw(t, "w"), side.Draw(t, "h")),
			Cells:   image.Pt(rapid.IntRange(1, 3000).Draw(t, "cols"), rapid.IntRange(1, 1500).Draw(t, "rows")),
			Mode:    rapid.SampledFrom(append(raster.Modes(), raster.Pixels)).Draw(t, "mode"),
		}
		for range rapid.IntRange(0, 12).Draw(t, "moves") {
			p := image.Pt(rapid.IntRange(0, l.Display.X-1).Draw(t, "x"), rapid.IntRange(0, l.Display.Y-1).Draw(t, "y"))
			switch rapid.IntRange(0, 5).Draw(t, "move") {
			case 0:
				l = l.In(p)
			case 1:
				l = l.Out(p)
			case 2:
				l = l.Cycle(p)
			case 3:
				l = l.Pan(p.Sub(image.Pt(l.Display.X/2, l.Display.Y/2)))
			case 4:
				l = l.Follow(p)
			case 5:
				l.Cells = image.Pt(rapid.IntRange(1, 3000).Draw(t, "cols"), rapid.IntRange(1, 1500).Draw(t, "rows"))
			}
		}
		v := l.Viewport()
		if err := v.Check(l.Display); err != nil {
			t.Fatal(err)
		}
		if v.Grid.X > v.Region.Dx() || v.Grid.Y > v.Region.Dy() {
			t.Fatalf("grid %v for region %v", v.Grid, v.Region)
		}
		grain := l.Mode.Grain()
		if c := l.Mode.Cells(v.Grid); c.X > l.Cells.X || c.Y > l.Cells.Y {
			t.Fatalf("%v cells do not fit %v", c, l.Cells)
		}
		c := image.Pt(rapid.IntRange(0, l.Mode.Cells(v.Grid).X-1).Draw(t, "cell x"), rapid.IntRange(0, l.Mode.Cells(v.Grid).Y-1).Draw(t, "cell y"))
		at := PointOf(v, l.Mode, c)
		px, seen := PixelOf(v, at)
		if !seen || px.X/grain.X != c.X || px.Y/grain.Y != c.Y {
			t.Fatalf("cell %v is point %v, which is pixel %v (seen %v) of %v", c, at, px, seen, v)
		}
	})
}
