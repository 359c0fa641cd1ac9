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

// shown are the recordings of which pictures are drawn.
var shown = []struct{ file, what string }{{"typing", "an editor"}, {"scroll", "a web page"}, {"term", "a terminal"}, {"video", "photos"}}

// loss is how many dB a mode may lose to what its glyphs could do: the best of all masks, from eight bits a channel. The host
// sends five or six, which is most of it.
const loss = 0.4

// TestPicturesOfModes draws the cells of every mode as a terminal would, from the recordings of the folder CORPUS, and compares
// them with the average at 640x360, and with the best that could be done with the same glyphs. With PICTURES set to a file it writes them side by side there: a column a mode, as the README shows it.
func TestPicturesOfModes(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS names no folder with recordings")
	}
	modes := []Mode{Half, Quadrant, Sextant, Octant}
	part := image.Rect(0, 0, 320, 180)
	sheet := image.NewRGBA(image.Rect(0, 0, len(modes)*(part.Dx()+8), len(shown)*(part.Dy()+8)))
	for row, l := range shown {
		frames := decode(t, filepath.Join(dir, l.file+".mkv"))
		frames = []frame{frames[0], frames[len(frames)/2]}
		for col, m := range modes {
			var sum, best float64
			var img *image.RGBA
			for _, f := range frames {
				want := average(f.display, image.Pt(640, 360))
				best += squares(terminal(bestCells(f.display, m), m), want)
				img = terminal(cellsOf(f.display, m), m)
				sum += squares(img, want)
			}
			n := len(frames) * 640 * 360 * 3
			t.Logf("%-10s %-8v %.1f dB of %.1f", l.what, m, psnr(sum, n), psnr(best, n))
			if psnr(sum, n) < psnr(best, n)-loss {
				t.Errorf("%s in %v: %.2f dB, %.2f could be had", l.what, m, psnr(sum, n), psnr(best, n))
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

// bestCells tries every mask, with eight bits a channel.
func bestCells(f *screen.Frame, m Mode) (out []Cell) {
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
		mask, best := uint8(0), int64(-1)
		for try := range 1 << (p.n - 1) {
			if s := p.score(uint8(try)); s > best {
				mask, best = uint8(try), s
			}
		}
		s, n := p.part(mask)
		out = append(out, Cell{s.mean(n), p.sum.minus(s).mean(int32(p.n) - n), mask})
	}
	return out
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

// squares is the sum of the squared differences of a picture and R, G, B bytes.
func squares(img *image.RGBA, want []byte) (sum float64) {
	for i := range len(want) / 3 {
		for c := range 3 {
			d := float64(img.Pix[4*i+c]) - float64(want[3*i+c])
			sum += d * d
		}
	}
	return sum
}

func psnr(sum float64, n int) float64 { return 10 * math.Log10(255*255*float64(n)/sum) }
