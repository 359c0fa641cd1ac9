package raster

import (
	"image"
	"strings"

	"assist/screen"
)

// Sprite is a small drawing, one string a row of pixels: '#' outline, '.' inside, 'x' black or white, whichever stands out from
// what is under the sprite, ' ' nothing.
type Sprite []string

// The colours of a sprite: a white arrow with a black edge is seen on any ground.
const (
	outline screen.RGB565 = 0x0000
	inside  screen.RGB565 = 0xFFFF
)

// arrows are drawings of the pointer, the smallest first.
var arrows = []Sprite{
	{
		"x",
		"xx",
		"xxx",
		"xxxx",
		"xx",
		" x",
	},
	{
		"#",
		".#",
		"..#",
		"...#",
		"....#",
		"..###",
		".#",
	},
	{
		"#",
		"##",
		"#.#",
		"#..#",
		"#...#",
		"#....#",
		"#.....#",
		"#......#",
		"#...####",
		"#.#..#",
		"## #..#",
		"#  #..#",
		"    ##",
	},
}

// arrowHeight is how tall a common X11 or Windows pointer is, in display pixels.
const arrowHeight = 19

// Pointer is the arrow whose size is nearest to life where a pixel of the grid shows scale x scale display pixels; it never
// gets so small that one could not see it.
func Pointer(scale float64) Sprite {
	best := arrows[0]
	for _, a := range arrows[1:] {
		if float64(len(a))*scale <= arrowHeight*1.5 {
			best = a
		}
	}
	return best
}

// Wide is s for pixels that are half as wide as high.
func (s Sprite) Wide() Sprite {
	out := make(Sprite, len(s))
	for i, line := range s {
		var b strings.Builder
		for _, c := range line {
			b.WriteRune(c)
			b.WriteRune(c)
		}
		out[i] = b.String()
	}
	return out
}

// standsOut is the ink for what is under the sprite: black on what is light, white on what is dark.
func (m Mark) standsOut(pix []screen.RGB565, grid image.Point) screen.RGB565 {
	light, n := 0, 0
	for dy, line := range m.Sprite {
		for dx := range line {
			if at := m.At.Add(image.Pt(dx, dy)); at.In(image.Rectangle{Max: grid}) {
				light, n = light+luma(pix[at.Y*grid.X+at.X]), n+1
			}
		}
	}
	if light >= 128*n {
		return outline
	}
	return inside
}

func (m Mark) paint(pix []screen.RGB565, grid image.Point) {
	ink, fill := m.Fill, m.Fill
	if m.Fill == 0 {
		ink, fill = m.standsOut(pix, grid), inside
	}
	for dy, line := range m.Sprite {
		y := m.At.Y + dy
		if y < 0 || y >= grid.Y {
			continue
		}
		for dx, c := range line {
			x := m.At.X + dx
			if x < 0 || x >= grid.X {
				continue
			}
			switch c {
			case '#':
				pix[y*grid.X+x] = outline
			case '.':
				pix[y*grid.X+x] = fill
			case 'x':
				pix[y*grid.X+x] = ink
			}
		}
	}
}
