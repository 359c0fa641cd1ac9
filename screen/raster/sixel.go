package raster

import (
	"image"
	"strconv"
)

// The levels of red, green and blue in a Sixel's palette: 6*7*6 = 252 colours of the 256 that terminals take.
var sixelLevels = [3]int{6, 7, 6}

// AppendSixel appends img as a Sixel (DEC STD 070), scaled to size pixels by averaging, with ordered dither. It takes tens of
// milliseconds, so it is for still pictures.
func AppendSixel(b []byte, img image.Image, size image.Point) []byte {
	if size.X <= 0 || size.Y <= 0 || img.Bounds().Empty() {
		return b
	}
	index := sixelIndex(img, size)
	b = append(b, "\x1bP0;1q\"1;1;"...)
	b = strconv.AppendInt(b, int64(size.X), 10)
	b = append(b, ';')
	b = strconv.AppendInt(b, int64(size.Y), 10)
	var used [256]bool
	for _, c := range index {
		used[c] = true
	}
	for c, is := range used { // all before the first dot: xterm draws the first band in its old colours otherwise
		if is {
			b = sixelColour(strconv.AppendInt(append(b, '#'), int64(c), 10), c)
		}
	}
	for top := 0; top < size.Y; top += 6 {
		b = sixelBand(b, index, size, top)
	}
	return append(b, "\x1b\\"...)
}

// sixelIndex is the palette's colour of each pixel.
func sixelIndex(img image.Image, size image.Point) []uint8 {
	out := make([]uint8, size.X*size.Y)
	from := img.Bounds()
	for y := range size.Y {
		for x := range size.X {
			box := image.Rect(from.Min.X+x*from.Dx()/size.X, from.Min.Y+y*from.Dy()/size.Y, from.Min.X+(x+1)*from.Dx()/size.X, from.Min.Y+(y+1)*from.Dy()/size.Y)
			box.Max = image.Pt(max(box.Max.X, box.Min.X+1), max(box.Max.Y, box.Min.Y+1))
			var sum [3]int
			for sy := box.Min.Y; sy < box.Max.Y; sy++ {
				for sx := box.Min.X; sx < box.Max.X; sx++ {
					r, g, bl, _ := img.At(sx, sy).RGBA()
					sum = [3]int{sum[0] + int(r>>8), sum[1] + int(g>>8), sum[2] + int(bl>>8)}
				}
			}
			n, c := box.Dx()*box.Dy(), 0
			for i, levels := range sixelLevels {
				way := sum[i]/n*(levels-1)*16 + (int(bayer[y&3][x&3])*10+50)*255/16 // from a fifth to four fifths of a step, as between does
				c = c*levels + min(levels-1, way/(255*16))
			}
			out[y*size.X+x] = uint8(c)
		}
	}
	return out
}

// sixelBand appends six rows: for each colour in them the dots that it has, as a run-length code.
func sixelBand(b []byte, index []uint8, size image.Point, top int) []byte {
	var used [256]bool
	high := min(6, size.Y-top)
	for _, c := range index[top*size.X : (top+high)*size.X] {
		used[c] = true
	}
	for c, is := range used {
		if !is {
			continue
		}
		b = strconv.AppendInt(append(b, '#'), int64(c), 10)
		last, run := byte(0), 0
		for x := range size.X {
			dots := byte(0)
			for i := range high {
				if int(index[(top+i)*size.X+x]) == c {
					dots |= 1 << i
				}
			}
			if dots != last && run > 0 {
				b = sixelRun(b, last, run)
				run = 0
			}
			last, run = dots, run+1
		}
		if last != 0 {
			b = sixelRun(b, last, run)
		}
		b = append(b, '$')
	}
	return append(b, '-')
}

// sixelColour appends what colour c is, in hundredths.
func sixelColour(b []byte, c int) []byte {
	levels := [3]int{c / (sixelLevels[1] * sixelLevels[2]), c / sixelLevels[2] % sixelLevels[1], c % sixelLevels[2]}
	b = append(b, ";2"...)
	for i, l := range levels {
		b = strconv.AppendInt(append(b, ';'), int64((l*100+(sixelLevels[i]-1)/2)/(sixelLevels[i]-1)), 10)
	}
	return b
}

func sixelRun(b []byte, dots byte, n int) []byte {
	if n > 3 {
		b = strconv.AppendInt(append(b, '!'), int64(n), 10)
		n = 1
	}
	for range n {
		b = append(b, '?'+dots)
	}
	return b
}
