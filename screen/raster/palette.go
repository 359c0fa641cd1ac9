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

// table16 has an entry for each of the 65,536 colours, made when a terminal first needs it.
var table16 = sync.OnceValue(func() *[1 << 16]uint8 {
	var t [1 << 16]uint8
	for i := range t {
		r, g, b := screen.RGB565(i).RGB()
		t[i] = search16(int(r), int(g), int(b))
	}
	return &t
})

// table256 is the same for the cube and the 24 greys (256colres.pl).
var table256 = sync.OnceValue(func() *[1 << 16]uint8 {
	var t [1 << 16]uint8
	for i := range t {
		r, g, b := screen.RGB565(i).RGB()
		t[i] = search256(int(r), int(g), int(b))
	}
	return &t
})

func nearest256(c Colour) uint8 { return table256()[c>>19&31<<11|c>>10&63<<5|c>>3&31] }

// colour256 is what xterm shows for a number from 16 on.
func colour256(n uint8) Colour {
	if n >= 232 {
		return (8 + 10*Colour(n-232)) * 0x010101
	}
	n -= 16
	return Colour(cubeLevels[n/36])<<16 | Colour(cubeLevels[n/6%6])<<8 | Colour(cubeLevels[n%6])
}

// search256 takes the nearer of the best of the cube and the best grey.
func search256(r, g, b int) uint8 {
	level := func(v int) (best int) {
		for i, l := range cubeLevels {
			if d := cubeLevels[best] - v; max(l-v, v-l) < max(d, -d) {
				best = i
			}
		}
		return best
	}
	x, y, z := level(r), level(g), level(b)
	grey := min(23, max(0, ((r+g+b)/3-3)/10))
	if v := 8 + 10*grey; distance(r, g, b, v, v, v) < distance(r, g, b, cubeLevels[x], cubeLevels[y], cubeLevels[z]) {
		return uint8(232 + grey)
	}
	return uint8(16 + 36*x + 6*y + z)
}

func nearest16(c Colour) uint8 { return table16()[c>>19&31<<11|c>>10&63<<5|c>>3&31] }

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
