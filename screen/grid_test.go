package screen

import (
	"image"
	"testing"

	"pgregory.net/rapid"
)

func drawViewport(t *rapid.T, display image.Point) Viewport {
	side := func(name string, n int) (from, to int) {
		from = rapid.IntRange(0, n-1).Draw(t, name+" from")
		return from, rapid.IntRange(from+1, n).Draw(t, name+" to")
	}
	x0, x1 := side("x", display.X)
	y0, y1 := side("y", display.Y)
	return Viewport{
		Region: image.Rect(x0, y0, x1, y1),
		Grid:   image.Pt(rapid.IntRange(1, 40).Draw(t, "columns"), rapid.IntRange(1, 40).Draw(t, "rows")),
	}
}

func drawFrame(t *rapid.T, size image.Point) *Frame {
	stride := size.X*4 + 4*rapid.IntRange(0, 3).Draw(t, "padding")
	f := &Frame{Size: size, Stride: stride, Pix: make([]byte, stride*size.Y)}
	seed := rapid.Uint32().Draw(t, "pixels")
	white := rapid.Bool().Draw(t, "white")
	for i := range f.Pix {
		seed = seed*1664525 + 1013904223
		f.Pix[i] = byte(seed >> 24)
		if white {
			f.Pix[i] = 255
		}
	}
	return f
}

func drawSize(t *rapid.T) image.Point {
	if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
		return image.Pt(rapid.IntRange(500, 1500).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h"))
	}
	return image.Pt(rapid.IntRange(1, 90).Draw(t, "w"), rapid.IntRange(1, 90).Draw(t, "h"))
}

// naive is the definition: the mean of each channel, a pixel at a time, and which of its values shows the nearest to it.
func naive(f *Frame, box image.Rectangle) RGB565 {
	var r, g, b, n uint32
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			p := f.Pix[y*f.Stride+x*4:]
			b, g, r, n = b+uint32(p[0]), g+uint32(p[1]), r+uint32(p[2]), n+1
		}
	}
	level := func(sum, most uint32) RGB565 { // k*255/most is the nearest to sum/n; of two that are as near, the brighter
		k := uint32(0)
		for k < most && 2*sum*most >= (2*k+1)*255*n {
			k++
		}
		return RGB565(k)
	}
	return level(r, 31)<<11 | level(g, 63)<<5 | level(b, 31)
}

func TestRowIsTheMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := drawSize(t)
		f, g := drawFrame(t, size), NewGrid(drawViewport(t, size))
		x0 := rapid.IntRange(0, g.Size().X-1).Draw(t, "first")
		x1 := rapid.IntRange(x0+1, g.Size().X).Draw(t, "end")
		dst := make([]RGB565, x1-x0)
		for y := range g.Size().Y {
			g.Row(dst, f, y, x0, x1)
			for i, got := range dst {
				if want := naive(f, g.Source(x0+i, y)); got != want {
					t.Fatalf("pixel %d,%d of %v: %04x, want %04x", x0+i, y, g.Source(x0+i, y), got, want)
				}
			}
		}
	})
}

func TestGridCoversItsRegionOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawViewport(t, drawSize(t))
		g := NewGrid(v)
		seen := make(map[int]int)
		for x := range v.Grid.X {
			s := g.Source(x, 0)
			if s.Min.X < v.Region.Min.X || s.Max.X > v.Region.Max.X || s.Empty() {
				t.Fatalf("column %d is %v, region %v", x, s, v.Region)
			}
			for i := s.Min.X; i < s.Max.X; i++ {
				seen[i]++
			}
		}
		for i := v.Region.Min.X; i < v.Region.Max.X; i++ {
			if seen[i] == 0 || seen[i] > 1 && v.Region.Dx() >= v.Grid.X {
				t.Fatalf("display column %d belongs to %d grid columns", i, seen[i])
			}
		}
	})
}

func TestTargetIsWhatShowsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := drawSize(t)
		g := NewGrid(drawViewport(t, size))
		r := drawViewport(t, size).Region
		want := image.Rectangle{}
		for y := range g.Size().Y {
			for x := range g.Size().X {
				if g.Source(x, y).Overlaps(r) {
					want = want.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		if got := g.Target(r); got != want {
			t.Fatalf("%v lands on %v, want %v", r, got, want)
		}
	})
}

func TestFit(t *testing.T) {
	for _, c := range []struct{ display, box, want image.Point }{
		{image.Pt(1920, 1080), image.Pt(320, 192), image.Pt(320, 180)},
		{image.Pt(1920, 1080), image.Pt(160, 90), image.Pt(160, 90)},
		{image.Pt(1080, 1920), image.Pt(320, 192), image.Pt(108, 192)},
		{image.Pt(32767, 1), image.Pt(80, 48), image.Pt(80, 1)},
		{image.Pt(1, 32767), image.Pt(80, 48), image.Pt(1, 48)},
		{image.Pt(640, 480), image.Pt(2000, 1200), image.Pt(1600, 1200)},
		{image.Pt(0, 480), image.Pt(80, 48), image.Point{}},
		{image.Pt(640, 480), image.Pt(80, 0), image.Point{}},
	} {
		if got := Fit(c.display, c.box); got != c.want {
			t.Errorf("Fit(%v, %v) = %v, want %v", c.display, c.box, got, c.want)
		}
	}
}

func TestCheckViewport(t *testing.T) {
	display := image.Pt(1920, 1080)
	all := image.Rectangle{Max: display}
	for _, c := range []struct {
		v  Viewport
		ok bool
	}{
		{Viewport{Region: all, Grid: image.Pt(320, 192)}, true},
		{Viewport{Region: image.Rect(1919, 1079, 1920, 1080), Grid: image.Pt(1, 1)}, true},
		{Viewport{Region: all, Grid: image.Pt(2048, 1024)}, true},
		{Viewport{Region: all, Grid: image.Pt(2048, 1025)}, false},
		{Viewport{Region: all, Grid: image.Pt(2049, 1)}, false},
		{Viewport{Region: all, Grid: image.Pt(0, 10)}, false},
		{Viewport{Region: all, Grid: image.Pt(-1, -1)}, false},
		{Viewport{Region: image.Rect(0, 0, 1921, 1080), Grid: image.Pt(10, 10)}, false},
		{Viewport{Region: image.Rect(-1, 0, 1920, 1080), Grid: image.Pt(10, 10)}, false},
		{Viewport{Grid: image.Pt(10, 10)}, false},
	} {
		if err := c.v.Check(display); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.v, err)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	f := &Frame{Size: image.Pt(1920, 1080), Stride: 7680, Pix: make([]byte, 7680*1080)}
	g := NewGrid(Viewport{Region: image.Rectangle{Max: f.Size}, Grid: image.Pt(320, 192)})
	dst := make([]RGB565, 320)
	b.SetBytes(int64(len(f.Pix)))
	for b.Loop() {
		for y := range 192 {
			g.Row(dst, f, y, 0, 320)
		}
	}
}
