//go:build lab

package raster

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"assist/screen"
)

// shown are the recordings of which pictures are drawn, the frame, and what the best two-colour fit was measured to reach there by
// those who tried the modes first, in dB against the average at 640x360. Of the film they had a frame of the same scene that is not in
// the recording, so there what counts is the best of all masks.
var shown = []struct {
	file, what string
	frame      int
	measured   [4]float64
	other      bool
}{
	{"typing", "an editor", 30, [4]float64{24.8, 25.1, 25.9, 26.9}, false},
	{"scroll", "a web page", 30, [4]float64{22.2, 22.6, 24.6, 24.5}, false},
	{"term", "a terminal", 30, [4]float64{24.1, 24.6, 25.6, 26.2}, false},
	{"video", "photos", 13, [4]float64{26.9, 27.7, 29.2, 29.7}, true},
}

// What may be lost, in dB: by the split to the best of all masks, both from eight bits a channel; and by what the host sends, which
// has five or six.
const (
	lossOfSplit = 0.03
	lossOfSent  = 0.2
)

// TestPicturesOfModes draws the cells of every mode as a terminal would, from the recordings of the folder CORPUS, and compares
// them with the average at 640x360. With PICTURES set to a file it writes them side by side there: a column a mode, as the README
// shows it.
func TestPicturesOfModes(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS names no folder with recordings")
	}
	modes := []Mode{Half, Quadrant, Sextant, Octant}
	part := image.Rect(0, 0, 320, 180)
	sheet := image.NewRGBA(image.Rect(0, 0, len(modes)*(part.Dx()+8), len(shown)*(part.Dy()+8)))
	t.Logf("%-10s %-8s %8s %9s %9s %8s", "dB", "", "measured", "all masks", "the split", "as sent")
	for row, l := range shown {
		frames := decode(t, filepath.Join(dir, l.file+".mkv"))
		f := frames[l.frame].display
		want := average(f, image.Pt(640, 360))
		for col, m := range modes {
			img := terminal(cellsOf(f, m), m)
			best, split, sent := psnr(terminal(trueCells(f, m, bestMask), m), want), psnr(terminal(trueCells(f, m, splitMask), m), want), psnr(img, want)
			t.Logf("%-10s %-8v %8.1f %9.2f %9.2f %8.2f", l.what, m, l.measured[col], best, split, sent)
			if !l.other && split < l.measured[col]-0.05 { // it has one decimal
				t.Errorf("%s in %v: %.2f dB, it was %.1f", l.what, m, split, l.measured[col])
			}
			if split < best-lossOfSplit || sent < split-lossOfSent {
				t.Errorf("%s in %v: %.2f dB, %.2f as sent, %.2f could be had", l.what, m, split, sent, best)
			}
			at := image.Pt(col*(part.Dx()+8), row*(part.Dy()+8))
			draw.Draw(sheet, part.Add(at), img, image.Pt(90, 60), draw.Src)
		}
	}
	if name := os.Getenv("PICTURES"); name != "" {
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := png.Encode(file, sheet); err != nil {
			t.Fatal(err)
		}
	}
}

func cellsOf(f *screen.Frame, m Mode) []Cell {
	g := m.Grain()
	v := screen.Viewport{Region: image.Rectangle{Max: f.Size}, Grid: image.Pt(cells45.X*g.X, cells45.Y*g.Y)}
	grid := screen.NewGrid(v)
	p := &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, v.Grid.X*v.Grid.Y)}
	for y := range v.Grid.Y {
		grid.Row(p.Pix[y*v.Grid.X:(y+1)*v.Grid.X], f, y, 0, v.Grid.X)
	}
	var fit Fitter
	cells, _ := fit.Fit(p, m, TrueColor)
	return cells
}

// trueCells makes cells with eight bits a channel.
func trueCells(f *screen.Frame, m Mode, mask func(*patch) uint8) (out []Cell) {
	g := m.Grain()
	size := image.Pt(cells45.X*g.X, cells45.Y*g.Y)
	pix := average(f, size)
	for i := range cells45.X * cells45.Y {
		p := patch{n: g.X * g.Y}
		for k := range p.n {
			at := ((i/cells45.X*g.Y+k/g.X)*size.X + i%cells45.X*g.X + k%g.X) * 3
			p.pix[k] = Colour(pix[at])<<16 | Colour(pix[at+1])<<8 | Colour(pix[at+2])
		}
		p.measure()
		chosen := mask(&p)
		s, n := p.part(chosen)
		out = append(out, Cell{s.mean(n), p.sum.minus(s).mean(int32(p.n) - n), chosen})
	}
	return out
}

// splitMask is what the console chooses.
func splitMask(p *patch) uint8 {
	_, _, mask := p.fit(0)
	return mask
}

// bestMask tries every mask.
func bestMask(p *patch) uint8 {
	mask, best := uint8(0), int64(-1)
	for try := range 1 << (p.n - 1) {
		if s := p.score(uint8(try)); s > best {
			mask, best = uint8(try), s
		}
	}
	return mask
}

// terminal is how cells look in a terminal whose cells have 4x8 pixels, drawn three times as high so that thirds are exact.
func terminal(cells []Cell, m Mode) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, cells45.X*4, cells45.Y*8))
	g := m.Grain()
	for i, c := range cells {
		for y := range 8 {
			for x := range 4 {
				var sum rgb
				for fine := range 3 {
					ink := c.BG
					if c.Glyph>>((3*y+fine)*g.Y/24*g.X+x*g.X/4)&1 == 1 {
						ink = c.FG
					}
					sum = sum.plus(of(ink))
				}
				v := of(sum.mean(3))
				img.SetRGBA(i%cells45.X*4+x, i/cells45.X*8+y, color.RGBA{uint8(v[0]), uint8(v[1]), uint8(v[2]), 255})
			}
		}
	}
	return img
}

// psnr compares a picture with R, G, B bytes, in dB.
func psnr(img *image.RGBA, want []byte) float64 {
	sum := 0.0
	for i := range len(want) / 3 {
		for c := range 3 {
			d := float64(img.Pix[4*i+c]) - float64(want[3*i+c])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255*float64(len(want))/sum)
}
