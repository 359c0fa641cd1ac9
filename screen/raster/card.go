package raster

import (
	"fmt"
	"image"

	"assist/screen"
)

// cardSize is how many cells a test card takes, its caption apart.
var cardSize = image.Pt(36, 6)

// Card is a test card of m: rows of cells that show a person whether their terminal draws the mode's glyphs, without gaps and
// one cell wide, and in how many colours; and below it a caption that says what to look for. It is for printing as it is.
func Card(m Mode, d Depth) []string {
	if m == Pixels {
		return []string{"images: asked for by a question to the terminal, not by a card"}
	}
	var f Fitter
	cells, size := f.Fit(cardPicture(m), m, d)
	var out []string
	for y := range size.Y {
		out = append(out, "|"+string(AppendRow(nil, cells[y*size.X:(y+1)*size.X], m, d))+"|")
	}
	return append(out, fmt.Sprintf("%s: a disc and slanting lines without gaps or boxes, and straight bars at both sides", m))
}

// cardPicture has what tells modes apart: a disc, lines at several slants, a run of colours and a run of greys.
func cardPicture(m Mode) *screen.Picture {
	g := m.Grain()
	grid := image.Pt(cardSize.X*g.X, cardSize.Y*g.Y)
	p := &screen.Picture{Viewport: screen.Viewport{Region: image.Rectangle{Max: grid}, Grid: grid}, Pix: make([]screen.RGB565, grid.X*grid.Y)}
	for y := range grid.Y {
		for x := range grid.X {
			// In units of a cell's width, 36 wide and 12 high.
			p.Pix[y*grid.X+x] = cardPoint((float64(x)+0.5)/float64(g.X), (float64(y)+0.5)*2/float64(g.Y))
		}
	}
	return p
}

func cardPoint(x, y float64) screen.RGB565 {
	const ink, ground = screen.RGB565(0xFFFF), screen.RGB565(0x0862)
	switch {
	case x < 12: // a disc
		if dx, dy := x-6, y-6; dx*dx+dy*dy < 30 {
			return ink
		}
	case x < 24: // lines, each flatter than the one before
		for _, slope := range []float64{2, 0.7, 0.25} {
			if d := y - (x-12)*slope; d > -0.5 && d < 0.5+slope/2 {
				return ink
			}
		}
	case y < 6: // hues
		return hue((x - 24) / 12)
	default: // greys
		v := screen.RGB565((x - 24) / 12 * 31.99)
		return v<<11 | v<<6 | v
	}
	return ground
}

// hue is a colour of the circle at h, 0 to 1.
func hue(h float64) screen.RGB565 {
	part := func(from float64) float64 {
		d := h - from
		for d < 0 {
			d++
		}
		switch d *= 6; {
		case d < 1:
			return d
		case d < 3:
			return 1
		case d < 4:
			return 4 - d
		}
		return 0
	}
	r, g, b := part(4.0/6), part(0), part(2.0/6)
	return screen.RGB565(r*31.99)<<11 | screen.RGB565(g*63.99)<<5 | screen.RGB565(b*31.99)
}
