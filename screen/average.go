package screen

import "encoding/binary"

// The average adds two display pixels at once: a 64-bit word holds B G R x B G R x, and its even bytes (B and R) are added
// in lanes of 16 bits. The odd ones are what is left of the plain sum of the words. A lane takes 257 times 255.
const (
	lanes   = 0x00FF00FF00FF00FF
	maxLane = 257
)

// Row averages the grid pixels x0..x1 of row y into dst, which has room for x1-x0. Each channel is the mean of the display
// pixels that belong to the grid pixel, rounded to the nearest of 5, 6 and 5 bits: cut off instead it would be 3 in 255 too dark,
// and a fifth of a decibel farther from the display. The grid's region has to lie inside f.
func (g *Grid) Row(dst []RGB565, f *Frame, y, x0, x1 int) {
	top, bottom := part(g.y, y)
	h := bottom - top
	if (g.narrow+2)/2*h > maxLane {
		g.largeRow(dst, f, y, x0, x1)
		return
	}
	narrow, wide := inverse(g.narrow*h), inverse((g.narrow+1)*h)
	line := f.Pix[top*f.Stride:]
	for x := x0; x < x1; x++ {
		left, right := part(g.x, x)
		w, inv := right-left, narrow
		if w > g.narrow {
			inv = wide
		}
		sum, even := addBox(line[left*4:], f.Stride, w, h)
		r, green, b := split(sum, even)
		dst[x-x0] = inv.round(r, green, b)
	}
}

// addBox adds w by h pixels that begin at p: the plain sum of the words, and that of their even bytes.
func addBox(p []byte, stride, w, h int) (sum, even uint64) {
	for {
		line := p[:w*4]
		for len(line) >= 16 {
			a, b := binary.LittleEndian.Uint64(line), binary.LittleEndian.Uint64(line[8:])
			sum += a + b
			even += a&lanes + b&lanes
			line = line[16:]
		}
		if len(line) >= 8 {
			a := binary.LittleEndian.Uint64(line)
			sum += a
			even += a & lanes
			line = line[8:]
		}
		if len(line) >= 4 {
			a := uint64(binary.LittleEndian.Uint32(line))
			sum += a
			even += a & lanes
		}
		if h--; h == 0 {
			return sum, even
		}
		p = p[stride:]
	}
}

// split takes the channels out of what addBox added. The sum may have wrapped around: only the unused byte is lost.
func split(sum, even uint64) (r, g, b uint64) {
	odd := (sum - even) >> 8
	return even>>16&0xFFFF + even>>48, odd&0xFFFF + odd>>32&0xFFFF, even&0xFFFF + even>>32&0xFFFF
}

// means takes the mean of n bytes of each channel, in 5 and in 6 bits.
type means struct{ five, six uint64 }

// shift makes sum*five>>shift with its half added equal 31*sum/(255*n) rounded, for every sum of n bytes: the error of the inverse,
// at most 1 in 2^shift, times 255*n stays below the least distance from a half, 1/(510*n), while n is below 700,000.
const shift, half = 56, 1 << 55

func inverse(n int) means { return means{31<<shift/(255*uint64(n)) + 1, 63<<shift/(255*uint64(n)) + 1} }

func (m means) round(r, g, b uint64) RGB565 {
	return RGB565((r*m.five+half)>>shift<<11 | (g*m.six+half)>>shift<<5 | (b*m.five+half)>>shift)
}

// largeRow is Row for boxes that the lanes cannot hold at once.
func (g *Grid) largeRow(dst []RGB565, f *Frame, y, x0, x1 int) {
	for x := x0; x < x1; x++ {
		box := g.Source(x, y)
		var r, green, b uint64
		for top := box.Min.Y; top < box.Max.Y; top++ {
			for left := box.Min.X; left < box.Max.X; left += 2 * maxLane {
				w := min(2*maxLane, box.Max.X-left)
				r1, g1, b1 := split(addBox(f.Pix[top*f.Stride+left*4:], f.Stride, w, 1))
				r, green, b = r+r1, green+g1, b+b1
			}
		}
		dst[x-x0] = nearest(r, green, b, uint64(box.Dx()*box.Dy()))
	}
}

// nearest is what means.round gives, for any n.
func nearest(r, g, b, n uint64) RGB565 {
	return RGB565((62*r+255*n)/(510*n)<<11 | (126*g+255*n)/(510*n)<<5 | (62*b+255*n)/(510*n))
}
