package raster

import "assist/screen"

// bayer is the order in which a 4x4 pattern fills (Bayer 1973), 0 to 15.
var bayer = [4][4]uint8{{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}}

// swing is by how much brightness is raised or lowered before the nearest colour is taken, at most, in 255: about a step of the greys.
// Each channel by itself between the levels of the cube, which lie 95 apart at its dark end, would be right in the mean and a
// chequered teal, grey and blue where a desktop is dark blue.
const swing = 9

// steady256 is how near a colour has to be to one of the palette to be that one everywhere, or flat ground would be grainy.
const steady256 = 6

var swings = func() (out [16]int) {
	for t := range out {
		out[t] = (2*t - 15) * swing / 15
	}
	return out
}()

// dithered256 is the palette's colour for c at place t of the pattern.
func dithered256(c Colour, t uint8) Colour {
	own := nearest256(c)
	if near := colour256(own); apart(near>>16, c>>16&255) <= steady256 && apart(near>>8&255, c>>8&255) <= steady256 && apart(near&255, c&255) <= steady256 {
		return Colour(own)
	}
	by := swings[t&15]
	move := func(v Colour) Colour { return Colour(max(0, min(255, int(v&255)+by))) }
	return Colour(nearest256(move(c>>16)<<16 | move(c>>8)<<8 | move(c)))
}

// tone is c as depth d has it, at place t of the dither pattern.
func tone(c Colour, d Depth, t uint8) Colour {
	switch d {
	case Colors256:
		return dithered256(c, t)
	case Colors16:
		return Colour(nearest16(c))
	case Mono:
		return Default
	}
	return c
}

// dot says whether a pixel of brightness light is drawn at place x, y where there are no colours.
func dot(c screen.RGB565, x, y int) bool { return luma(c) > int(bayer[y&3][x&3])*16+7 }
