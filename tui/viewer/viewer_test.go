package viewer

import (
	"image"
	"strings"
	"testing"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/cell"
)

const red, blue screen.RGB565 = 0xF800, 0x001F

// halves is a picture of display whose left half is red and whose right half is blue.
func halves(v screen.Viewport, display image.Point) *screen.Picture {
	p := &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, v.Grid.X*v.Grid.Y)}
	for i := range p.Pix {
		x := v.Region.Min.X + (2*(i%v.Grid.X)+1)*v.Region.Dx()/(2*v.Grid.X)
		p.Pix[i] = red
		if x >= display.X/2 {
			p.Pix[i] = blue
		}
	}
	return p
}

func pane(cells image.Point) *Pane {
	p := New(&Plain{})
	p.SetSize(image.Rectangle{Min: image.Pt(0, 1), Max: cells.Add(image.Pt(0, 1))})
	p.SetDisplay(image.Pt(1000, 500))
	p.pointer.Hidden = true
	return p
}

// drawn writes R, B and . for the cells of a view of plain colours.
func drawn(b cell.Block) string {
	var out []string
	for _, line := range b {
		s := strings.NewReplacer("\x1b[48;2;255;0;0m", "<R>", "\x1b[48;2;0;0;255m", "<B>", "\x1b[48;2;24;28;24m", "<.>", "\x1b[m", "<_>").Replace(line)
		row, ink := "", byte('_')
		for i := 0; i < len(s); i++ {
			if s[i] == '<' {
				ink = s[i+1]
				i += 2
				continue
			}
			row += string(ink)
		}
		out = append(out, row)
	}
	return strings.Join(out, "\n")
}

func TestPictureStandsInTheMiddle(t *testing.T) {
	p := pane(image.Pt(12, 3))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	if got, want := drawn(p.View()), "RRRRRRBBBBBB\nRRRRRRBBBBBB\nRRRRRRBBBBBB"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p = pane(image.Pt(16, 3))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	if got, want := drawn(p.View()), "__RRRRRRBBBBBB__\n__RRRRRRBBBBBB__\n__RRRRRRBBBBBB__"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestZoomAnswersBeforeTheHostDoes(t *testing.T) {
	p := pane(image.Pt(12, 3))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	p.View()
	p.Lens = p.Lens.At(30, image.Pt(600, 250))
	got := drawn(p.View())
	if !strings.HasPrefix(got, "R") || !strings.Contains(got, "B") || strings.Contains(got, ".") {
		t.Errorf("the old picture under the new viewport is\n%s", got)
	}
	p.Lens = p.Lens.At(1e9, image.Point{})
	p.got = halves(screen.Viewport{Region: image.Rect(0, 0, 500, 500), Grid: image.Pt(6, 6)}, image.Pt(1000, 500))
	if got, want := drawn(p.View()), "RRRRRR......\nRRRRRR......\nRRRRRR......"; got != want {
		t.Errorf("what was never seen:\n%s\nwant\n%s", got, want)
	}
}

func TestClickMeansWhatIsDrawn(t *testing.T) {
	p := pane(image.Pt(16, 3))
	if _, ok := p.Point(image.Pt(5, 2)); ok {
		t.Error("a cell means something before the first picture")
	}
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	for _, c := range []struct {
		cell, want image.Point
		in         bool
	}{
		{image.Pt(2, 1), image.Pt(41, 83), true},
		{image.Pt(13, 3), image.Pt(958, 416), true},
		{image.Pt(1, 1), image.Pt(41, 83), false},
		{image.Pt(14, 2), image.Pt(958, 250), false},
		{image.Pt(5, 0), image.Pt(291, 83), false},
	} {
		if got, in := p.Point(c.cell); got != c.want || in != c.in {
			t.Errorf("cell %v: %v in=%v, want %v in=%v", c.cell, got, in, c.want, c.in)
		}
	}
}

func TestPointerIsDrawnWhereItIs(t *testing.T) {
	p := pane(image.Pt(12, 3))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	before := p.View()
	p.SetPointer(screen.Pointer{At: image.Pt(900, 400)})
	after := p.View()
	if before[0] != after[0] || before[2] == after[2] {
		t.Errorf("the pointer at the lower right changed row 0: %v, row 2: %v", before[0] != after[0], before[2] != after[2])
	}
}

func TestDepthReachesTheCells(t *testing.T) {
	p := pane(image.Pt(12, 3))
	p.SetDepth(raster.Colors16)
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	if got := p.View()[0]; !strings.Contains(got, "\x1b[101m") {
		t.Errorf("16 colours drew %q", got)
	}
}

func TestZoomInWords(t *testing.T) {
	p := pane(image.Pt(12, 3))
	if got := p.Zoom(); got != "whole screen" {
		t.Error(got)
	}
	p.Lens = p.Lens.At(2, image.Pt(10, 10))
	if got := p.Zoom(); got != "2:1, follows the pointer" {
		t.Error(got)
	}
}
