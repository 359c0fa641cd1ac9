package raster

import (
	"image"

	"assist/screen"
)

// Sprite is a small drawing of '#' (outline), '.' (inside) and ' ' (nothing), one string a row of pixels.
type Sprite []string

// The colours of a sprite: a white arrow with a black edge is seen on any ground.
const (
	outline screen.RGB565 = 0x0000
	inside  screen.RGB565 = 0xFFFF
)

// arrows are drawings of the pointer, the smallest first.
var arrows = []Sprite{
	{
		"#",
		"##",
		"#.#",
		"#..#",
		"####",
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

func (m Mark) paint(pix []screen.RGB565, grid image.Point) {
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
				pix[y*grid.X+x] = inside
			}
		}
	}
}
