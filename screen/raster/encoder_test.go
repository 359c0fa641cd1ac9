package raster

import (
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"assist/screen"
)

func free(e *Encoder) {
	for i := range e.size.X * e.size.Y {
		e.Free(i%e.size.X, i/e.size.X)
	}
}

func encoder(m Mode, d Depth, size image.Point) *Encoder {
	e := &Encoder{}
	e.Reset(size, image.Pt(4, 2), m, d)
	free(e)
	return e
}

func TestEncoderBytes(t *testing.T) {
	e := encoder(Half, TrueColor, image.Pt(4, 2))
	R, G, B := Colour(0xFF0000), Colour(0x00FF00), Colour(0x0000FF)
	want := []Cell{solid(R), solid(R), {G, B, 1}, solid(B), solid(R), solid(R), solid(R), solid(R)}
	got, more := e.Append(nil, want, 0)
	if w := "^[3;5H^[48;2;255;0;0m  ^[38;2;0;255;0;48;2;0;0;255m▀ ^[4;5H^[48;2;255;0;0m    ^[m"; visible(string(got)) != w || more {
		t.Errorf("all: %s, more %v\nwant %s", visible(string(got)), more, w)
	}
	if got, _ := e.Append(nil, want, 0); len(got) != 0 {
		t.Errorf("nothing: %s", visible(string(got)))
	}
	want[0], want[3] = solid(B), solid(G)
	if got, _ := e.Append(nil, want, 0); visible(string(got)) != "^[3;5H^[48;2;0;0;255m ^[2C^[48;2;0;255;0m ^[m" {
		t.Errorf("two with a gap: %s", visible(string(got)))
	}
	want[4], want[6] = solid(G), solid(G)
	want[5] = solid(R)
	if got, _ := e.Append(nil, want, 0); visible(string(got)) != "^[4;5H^[48;2;0;255;0m ^[C ^[m" {
		t.Errorf("a step: %s", visible(string(got)))
	}
	e.Lose()
	e.Hold(0, 0)
	if got, _ := e.Append(nil, want, 0); !strings.HasPrefix(visible(string(got)), "^[3;6H") {
		t.Errorf("a held cell: %s", visible(string(got)))
	}
}

func TestEncoderTurnsFineGlyphsAround(t *testing.T) {
	e := encoder(Quadrant, Colors16, image.Pt(2, 1))
	got, _ := e.Append(nil, []Cell{{1, 2, 0b0001}, {2, 1, 0b0100}}, 0)
	if w := "^[3;5H^[31;42m▘▜^[m"; visible(string(got)) != w {
		t.Errorf("%s, want %s", visible(string(got)), w)
	}
}

// Whatever the budget, the cells arrive, the newest last; rows take turns.
func TestEncoderKeepsItsBudget(t *testing.T) {
	size := image.Pt(80, 20)
	e := encoder(Half, TrueColor, size)
	dice := rand.New(rand.NewPCG(5, 6))
	noise := func() []Cell {
		out := make([]Cell, size.X*size.Y)
		for i := range out {
			out[i] = Cell{Colour(dice.IntN(1 << 24)), Colour(dice.IntN(1 << 24)), 1}
		}
		return out
	}
	want := noise()
	first := map[string]bool{}
	for range 60 {
		b, _ := e.Append(nil, want, 1000)
		if len(b) > 1000+64 {
			t.Fatalf("%d bytes", len(b))
		}
		first[string(b[:strings.IndexByte(string(b), 'H')])] = true
		want = noise()
	}
	if len(first) < 12 {
		t.Errorf("only %d places were begun at: some rows never get their turn", len(first))
	}
	for more := true; more; {
		_, more = e.Append(nil, want, 1000)
	}
	if !slices.Equal(e.shown, want) {
		t.Error("the newest picture is not shown in the end")
	}
}

func TestToleranceKeepsThePen(t *testing.T) {
	e := encoder(Half, TrueColor, image.Pt(3, 1))
	e.Tolerance = 6
	got, _ := e.Append(nil, []Cell{solid(0x101010), solid(0x141012), solid(0x181010)}, 0)
	if w := "^[3;5H^[48;2;16;16;16m  ^[48;2;24;16;16m ^[m"; visible(string(got)) != w {
		t.Errorf("%s, want %s", visible(string(got)), w)
	}
	if got, _ := e.Append(nil, []Cell{solid(0x161016), solid(0x0A1010), solid(0x181010)}, 0); len(got) != 0 {
		t.Errorf("near enough, and yet %s", visible(string(got)))
	}
	if got, _ := e.Append(nil, []Cell{solid(0x171010), solid(0x101010), solid(0x181010)}, 0); len(got) == 0 {
		t.Error("errors add up")
	}
}

func TestEncoderMakesNoGarbage(t *testing.T) {
	for _, m := range Modes() {
		size := image.Pt(160, 48)
		grid := image.Pt(size.X*m.Grain().X, size.Y*m.Grain().Y)
		p := [2]*screen.Picture{noisy(grid, 1), noisy(grid, 2)}
		var f [2]Fitter
		var cells [2][]Cell
		for i := range f {
			cells[i], _ = f[i].Fit(p[i], m, TrueColor)
		}
		e := encoder(m, TrueColor, size)
		buf := make([]byte, 0, 1<<20)
		n := 0
		if a := testing.AllocsPerRun(10, func() { n++; e.Append(buf, cells[n%2], 0) }); a != 0 {
			t.Errorf("%v: %v allocations a frame", m, a)
		}
		if a := testing.AllocsPerRun(10, func() { n++; f[0].Fit(p[n%2], m, TrueColor) }); a != 0 {
			t.Errorf("%v: %v allocations a fit", m, a)
		}
	}
}

func noisy(grid image.Point, seed uint64) *screen.Picture {
	dice := rand.New(rand.NewPCG(seed, seed))
	p := &screen.Picture{Viewport: screen.Viewport{Grid: grid}, Pix: make([]screen.RGB565, grid.X*grid.Y)}
	for i := range p.Pix {
		p.Pix[i] = screen.RGB565(dice.IntN(1 << 16))
	}
	return p
}

// A frame of 160x48 cells of which every pixel changes: the fit and the bytes.
func BenchmarkWholeFrame(b *testing.B) {
	for _, m := range []Mode{Half, Quadrant, Sextant, Octant} {
		b.Run(m.String(), func(b *testing.B) {
			size := image.Pt(160, 48)
			grid := image.Pt(size.X*m.Grain().X, size.Y*m.Grain().Y)
			p := [2]*screen.Picture{noisy(grid, 1), noisy(grid, 2)}
			var f Fitter
			e := encoder(m, TrueColor, size)
			buf := make([]byte, 0, 1<<20)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				cells, _ := f.Fit(p[n%2], m, TrueColor)
				e.Append(buf, cells, 0)
			}
		})
	}
}
