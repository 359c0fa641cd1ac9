package raster

import (
	"image"
	"strings"
	"testing"

	"assist/screen"

	"github.com/charmbracelet/colorprofile"
)

// Letters stand for colours in the drawings of these tests.
var inks = map[rune]screen.RGB565{'.': 0x0000, 'w': 0xFFFF, 'r': 0xF800, 'g': 0x07E0, 'b': 0x001F}

func drawing(rows ...string) *screen.Picture {
	p := &screen.Picture{Viewport: screen.Viewport{Grid: image.Pt(len(rows[0]), len(rows))}}
	for _, row := range rows {
		for _, c := range row {
			p.Pix = append(p.Pix, inks[c])
		}
	}
	return p
}

func visible(s string) string { return strings.ReplaceAll(s, "\x1b", "^") }

func TestRowsAsDrawings(t *testing.T) {
	for _, c := range []struct {
		name string
		pic  *screen.Picture
		d    Depth
		want []string
	}{
		{"solid cells are spaces", drawing("rr", "rr"), TrueColor, []string{"^[48;2;255;0;0m  ^[m"}},
		{"halves", drawing("rg", "bb"), TrueColor, []string{"^[38;2;255;0;0;48;2;0;0;255m▀^[38;2;0;255;0m▀^[m"}},
		{"the pen is kept over a space", drawing("rbr", "bbb"), TrueColor, []string{"^[38;2;255;0;0;48;2;0;0;255m▀ ▀^[m"}},
		{"an odd last row leaves its lower half", drawing("w", "w", "r"), TrueColor, []string{"^[48;2;255;255;255m ^[m", "^[38;2;255;0;0;49m▀^[m"}},
		{"256 colours", drawing("w", "r"), Colors256, []string{"^[38;5;231;48;5;196m▀^[m"}},
		{"16 colours", drawing("w.", "rr"), Colors16, []string{"^[97;101m▀^[30m▀^[m"}},
		{"shades", drawing(".w.", ".ww"), Mono, []string{" █▒"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Rows
			got := r.Draw(c.pic, Half, c.d)
			for i := range got {
				if visible(got[i]) != c.want[i] {
					t.Errorf("row %d\n got %s\nwant %s", i, visible(got[i]), c.want[i])
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("%d rows, want %d", len(got), len(c.want))
			}
		})
	}
}

func TestOnlyChangedRowsAreMade(t *testing.T) {
	var r Rows
	r.Draw(drawing("ww", "ww", "..", ".."), Half, TrueColor)
	if r.Made() != 2 {
		t.Fatalf("first picture made %d rows, want 2", r.Made())
	}
	r.Draw(drawing("ww", "ww", "..", ".r"), Half, TrueColor)
	if r.Made() != 1 {
		t.Errorf("one changed row made %d", r.Made())
	}
	r.Draw(drawing("ww", "ww", "..", ".r"), Half, TrueColor)
	if r.Made() != 0 {
		t.Errorf("the same picture made %d rows", r.Made())
	}
	r.Draw(drawing("ww", "ww", "..", ".r"), Half, Colors16)
	if r.Made() != 2 {
		t.Errorf("another depth made %d rows, want all 2", r.Made())
	}
}

func TestMarkMovesAndLeavesNothingBehind(t *testing.T) {
	var r Rows
	plain := strings.Join(r.Draw(drawing("rrrrr", "rrrrr", "rrrrr", "rrrrr"), Half, TrueColor), "\n")
	marked := strings.Join(r.Draw(drawing("rrrrr", "rrrrr", "rrrrr", "rrrrr"), Half, TrueColor, Mark{At: image.Pt(1, 1), Sprite: Pointer(20)}), "\n")
	if marked == plain {
		t.Error("the mark is not seen")
	}
	again := strings.Join(r.Draw(drawing("rrrrr", "rrrrr", "rrrrr", "rrrrr"), Half, TrueColor), "\n")
	if again != plain {
		t.Error("the mark left something behind")
	}
	for _, at := range []image.Point{{-1, -1}, {4, 3}, {100, 100}, {-100, 2}} {
		r.Draw(drawing("rrrrr", "rrrrr", "rrrrr", "rrrrr"), Half, TrueColor, Mark{At: at, Sprite: Pointer(1)})
	}
}

func TestSmallPointerStandsOut(t *testing.T) {
	for ground, want := range map[string]screen.RGB565{"w": 0x0000, ".": 0xFFFF, "g": 0x0000, "b": 0xFFFF} {
		p := drawing(ground+ground, ground+ground)
		Mark{Sprite: Pointer(25)}.paint(p.Pix, p.Viewport.Grid)
		if p.Pix[0] != want {
			t.Errorf("on %s the pointer is %04x, want %04x", ground, p.Pix[0], want)
		}
	}
}

func TestPointerGrowsWithTheZoom(t *testing.T) {
	far, near := Pointer(25), Pointer(1)
	if len(far) >= len(near) {
		t.Errorf("pointer of %d rows from afar, %d at 1:1", len(far), len(near))
	}
}

func TestShortPictureIsNotDrawn(t *testing.T) {
	var r Rows
	p := drawing("ww", "ww")
	p.Pix = p.Pix[:3]
	if rows := r.Draw(p, Half, TrueColor); rows != nil {
		t.Errorf("drew %q from 3 of 4 pixels", rows)
	}
}

func TestDepthOf(t *testing.T) {
	for p, want := range map[colorprofile.Profile]Depth{
		colorprofile.TrueColor: TrueColor, colorprofile.ANSI256: Colors256, colorprofile.ANSI: Colors16,
		colorprofile.ASCII: Mono, colorprofile.NoTTY: Mono, colorprofile.Unknown: Mono,
	} {
		if got := DepthOf(p); got != want {
			t.Errorf("%v: depth %d, want %d", p, got, want)
		}
	}
}

func TestPalettesHitTheirOwnColours(t *testing.T) {
	for _, c := range []struct {
		c       screen.RGB565
		at256   Colour
		at16    uint8
		meaning string
	}{{0x0000, 16, 0, "black"}, {0xFFFF, 231, 15, "white"}, {0xF800, 196, 9, "red"}, {0x07E0, 46, 10, "green"}} {
		for place := range uint8(16) {
			if g := tone(full(c.c), Colors256, place); g != c.at256 {
				t.Errorf("%s at place %d: 256 colours gave %d, want %d", c.meaning, place, g, c.at256)
			}
		}
		if g := nearest16(full(c.c)); g != c.at16 {
			t.Errorf("%s: 16 colours gave %d, want %d", c.meaning, g, c.at16)
		}
	}
}

func BenchmarkRowsWholePicture(b *testing.B) {
	p := &screen.Picture{Viewport: screen.Viewport{Grid: image.Pt(160, 90)}, Pix: make([]screen.RGB565, 160*90)}
	var r Rows
	for n := 0; b.Loop(); n++ {
		for i := range p.Pix {
			p.Pix[i] = screen.RGB565(i*31 + n*977)
		}
		r.Draw(p, Half, TrueColor)
	}
}
