package raster

import (
	"sync"

	"assist/screen"
)

// ansi16 are the colours that xterm gives the 16 names (XTerm-col.ad); other terminals differ a little.
var ansi16 = [16][3]int{
	{0, 0, 0},
	{205, 0, 0},
	{0, 205, 0},
	{205, 205, 0},
	{0, 0, 238},
	{205, 0, 205},
	{0, 205, 205},
	{229, 229, 229},
	{127, 127, 127},
	{255, 0, 0},
	{0, 255, 0},
	{255, 255, 0},
	{92, 92, 255},
	{255, 0, 255},
	{0, 255, 255},
	{255, 255, 255},
}

// cubeLevels are the six levels of a channel in xterm's 6x6x6 cube (256colres.pl).
var cubeLevels = [6]int{0, 95, 135, 175, 215, 255}

// One entry for each of the 65,536 colours, made when a terminal first needs it.
var (
	table256 = sync.OnceValue(func() *[1 << 16]uint8 { return tabulate(search256) })
	table16  = sync.OnceValue(func() *[1 << 16]uint8 { return tabulate(search16) })
)

func nearest256(c screen.RGB565) uint8 { return table256()[c] }
func nearest16(c screen.RGB565) uint8  { return table16()[c] }

func tabulate(search func(r, g, b int) uint8) *[1 << 16]uint8 {
	var t [1 << 16]uint8
	for i := range t {
		r, g, b := screen.RGB565(i).RGB()
		t[i] = search(int(r), int(g), int(b))
	}
	return &t
}

// search256 finds the nearest colour among the cube (16..231) and the grey ramp (232..255); the first 16 are left out,
// because people change them.
func search256(r, g, b int) uint8 {
	ri, gi, bi := cubeLevel(r), cubeLevel(g), cubeLevel(b)
	cube := distance(r, g, b, cubeLevels[ri], cubeLevels[gi], cubeLevels[bi])
	step := max(0, min(23, ((r+g+b)/3-3)/10))
	grey := 8 + 10*step
	if distance(r, g, b, grey, grey, grey) < cube {
		return uint8(232 + step)
	}
	return uint8(16 + 36*ri + 6*gi + bi)
}

func cubeLevel(v int) int {
	switch {
	case v < 48:
		return 0
	case v < 115:
		return 1
	}
	return (v - 35) / 40
}

func search16(r, g, b int) uint8 {
	best, at := -1, 0
	for i, c := range ansi16 {
		if d := distance(r, g, b, c[0], c[1], c[2]); best < 0 || d < best {
			best, at = d, i
		}
	}
	return uint8(at)
}

// distance weighs the channels as the eye does, the redder the pair the more red counts ("redmean").
func distance(r1, g1, b1, r2, g2, b2 int) int {
	mean := (r1 + r2) / 2
	r, g, b := r1-r2, g1-g2, b1-b2
	return (512+mean)*r*r>>8 + 4*g*g + (767-mean)*b*b>>8
}
