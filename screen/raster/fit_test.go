package raster

import (
	"image"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"assist/screen"
)

// exhaustive is the least error of all masks of a patch.
func exhaustive(p *patch) (best int64) {
	for mask := range 1 << (p.n - 1) {
		best = max(best, p.score(uint8(mask)))
	}
	return best
}

func TestSplitIsAsGoodAsTryingAll(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	var lost, total int64
	for range 20000 {
		p := patch{n: []int{4, 6, 8}[dice.IntN(3)]}
		a, b := of(Colour(dice.IntN(1<<24))), of(Colour(dice.IntN(1<<24)))
		for i := range p.n { // two colours, blended and with grain, as edges of a picture are
			w, grain := int32(dice.IntN(101)), int32(dice.IntN(25))
			if dice.IntN(3) > 0 {
				w = w / 51 * 100
			}
			for c := range 3 {
				v := (a[c]*w+b[c]*(100-w))/100 + grain
				p.pix[i] = p.pix[i]<<8 | Colour(max(0, min(255, v)))
			}
		}
		p.measure()
		_, got := p.split()
		best := exhaustive(&p)
		lost += best - got
		total += p.total() - best
	}
	if share := float64(lost) / float64(total); share > 0.02 {
		t.Errorf("the split's error is %.1f %% above the least", 100*share)
	}
}

func TestTwoColoursAreKeptExactly(t *testing.T) {
	p := patch{n: 8}
	for mask := range 255 {
		for i := range p.n {
			p.pix[i] = map[bool]Colour{true: 0x123456, false: 0xABCDEF}[mask>>i&1 == 1]
		}
		fg, bg, got := p.fit(0)
		for i := range p.n {
			shown := bg
			if got>>i&1 == 1 {
				shown = fg
			}
			if shown != p.pix[i] {
				t.Fatalf("mask %08b: pixel %d is %06x, want %06x", mask, i, shown, p.pix[i])
			}
		}
	}
}

// A still edge with a little grain keeps its glyphs; an edge that moves does not.
func TestFineGlyphsDoNotDance(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	frame := func(edge int) *screen.Picture {
		p := &screen.Picture{Viewport: screen.Viewport{Grid: image.Pt(80, 80)}, Pix: make([]screen.RGB565, 80*80)}
		for i := range p.Pix {
			v := 60 + dice.IntN(10)
			if i%80+i/80 > edge {
				v += 70
			}
			p.Pix[i] = screen.RGB565(v>>3<<11 | v>>2<<5 | v>>3)
		}
		return p
	}
	var f Fitter
	first, _ := f.Fit(frame(80), Octant, TrueColor)
	was := slices.Clone(first)
	flips := func(p *screen.Picture) (n int) {
		now, _ := f.Fit(p, Octant, TrueColor)
		for i, c := range now {
			if c.Glyph != 0 && was[i].Glyph != 0 {
				n += min(bits.OnesCount8(c.Glyph^was[i].Glyph), 8-bits.OnesCount8(c.Glyph^was[i].Glyph))
			}
		}
		was = slices.Clone(now)
		return n
	}
	if n := flips(frame(80)); n > 40 {
		t.Errorf("%d dots of a still picture changed", n)
	}
	if n := flips(frame(84)); n < 40 {
		t.Errorf("only %d dots changed when the edge moved", n)
	}
}

// No cell of octants needs a glyph that is not one of the block of octants or older than those.
func TestOctantsAreOfOneBlock(t *testing.T) {
	var f Fitter
	e := encoder(Octant, TrueColor, image.Pt(1, 1))
	strange := func(r rune) bool { return r >= 0x1CE00 && r < 0x1D000 || r >= 0x1FBD0 && r < 0x1FBF0 }
	for mask := range 256 {
		p := &screen.Picture{Viewport: screen.Viewport{Grid: image.Pt(2, 4)}, Pix: make([]screen.RGB565, 8)}
		for i := range p.Pix {
			p.Pix[i] = map[bool]screen.RGB565{true: 0xFFFF, false: 0x1234}[mask>>i&1 == 1]
		}
		cells, _ := f.Fit(p, Octant, TrueColor)
		r, _ := utf8.DecodeRuneInString(Octant.Glyph(cells[0].Glyph))
		if strange(r) {
			t.Errorf("mask %08b is drawn by U+%X", mask, r)
		}
		e.fg, e.bg = cells[0].BG, cells[0].FG // so that the other way round would be shorter
		if b, _ := e.write(nil, cells[0]); strings.ContainsFunc(string(b), strange) {
			t.Errorf("mask %08b is written as %q", mask, b)
		}
		for i := range p.Pix {
			shown := cells[0].BG
			if cells[0].Glyph>>i&1 == 1 {
				shown = cells[0].FG
			}
			if shown != full(p.Pix[i]) {
				t.Fatalf("mask %08b: pixel %d is %06x", mask, i, shown)
			}
		}
	}
}

func TestOnlyChangedCellsAreFitted(t *testing.T) {
	var f Fitter
	p := drawing("wwww....", "wwww....", "w.w.w.w.", ".w.w.w.w")
	cells, size := f.Fit(p, Octant, TrueColor)
	if size != image.Pt(4, 1) || f.Made() != 1 {
		t.Fatalf("%v cells, %d rows made", size, f.Made())
	}
	before := slices.Clone(cells)
	p.Pix[0] = inks['r']
	cells, _ = f.Fit(p, Octant, TrueColor)
	if slices.Equal(cells, before) || !slices.Equal(cells[1:], before[1:]) {
		t.Errorf("%v became %v", before, cells)
	}
}

// A flat colour is as bright in the mean as it should be, and calm: its parts differ by a step of the greys or one of the cube.
func TestDitherIsCalm(t *testing.T) {
	for _, c := range []Colour{0x305080, 0x2E4A62, 0xC0A040, 0x777777, 0x0C0C0C, 0x90C0F0, 0xFFFFFF, 0x000000} {
		var sum rgb
		least, most := 255, 0
		bright := func(v rgb) int { return int(v[0]*30+v[1]*59+v[2]*11) / 100 }
		for place := range uint8(16) {
			v := of(colour256(uint8(tone(c, Colors256, place))))
			sum = sum.plus(v)
			least, most = min(least, bright(v)), max(most, bright(v))
		}
		if d := bright(of(sum.mean(16))) - bright(of(c)); d > 16 || d < -16 {
			t.Errorf("%06x is %d brighter in the mean", c, d)
		}
		if most-least > 40 {
			t.Errorf("%06x is drawn from %d to %d", c, least, most)
		}
	}
	if colour256(uint8(tone(0xFFFFFF, Colors256, 0))) != 0xFFFFFF || colour256(uint8(tone(0, Colors256, 15))) != 0 {
		t.Error("black and white have grain")
	}
}
