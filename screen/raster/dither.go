package raster

import "assist/screen"

// bayer is the order in which a 4x4 pattern fills (Bayer 1973), 0 to 15.
var bayer = [4][4]uint8{{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}}

// levels256 says, for each place of the pattern and each value of a channel, which level of the cube shows it there; greys256
// the same for the 24 greys. Colours near a level keep it everywhere, or flat ground would be grainy.
var levels256, greys256 = ditherTables()

func ditherTables() (levels, greys [16][256]uint8) {
	var ramp [24]int
	for i := range ramp {
		ramp[i] = 8 + 10*i
	}
	for t := range 16 {
		for v := range 256 {
			levels[t][v] = between(cubeLevels[:], v, t)
			greys[t][v] = between(ramp[:], v, t)
		}
	}
	return levels, greys
}

// between is the level below or above v, the one above where v is nearer to it than place t of the pattern asks for: from a
// fifth of the way on in the first place to four fifths in the last.
func between(levels []int, v, t int) uint8 {
	i := 0
	for i+1 < len(levels) && levels[i+1] <= v {
		i++
	}
	if i+1 == len(levels) || v <= levels[i] {
		return uint8(i)
	}
	if way := float64(v-levels[i]) / float64(levels[i+1]-levels[i]); way > 0.2+0.6*(float64(t)+0.5)/16 {
		i++
	}
	return uint8(i)
}

// dithered256 is the palette's colour for c at place t of the pattern.
func dithered256(c Colour, t uint8) Colour {
	r, g, b := int(c>>16&255), int(c>>8&255), int(c&255)
	grey := (r + g + b) / 3
	if max(r, g, b)-min(r, g, b) <= 8 && grey >= 8 && grey <= 238 {
		return Colour(232) + Colour(greys256[t][grey])
	}
	return 16 + 36*Colour(levels256[t][r]) + 6*Colour(levels256[t][g]) + Colour(levels256[t][b])
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
