package raster

// most is how many pixels a cell of the finest glyphs has.
const most = 8

// rgb is a colour or a sum of colours, by channel.
type rgb [3]int32

func of(c Colour) rgb { return rgb{int32(c >> 16 & 255), int32(c >> 8 & 255), int32(c & 255)} }

func (a rgb) plus(b rgb) rgb  { return rgb{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a rgb) minus(b rgb) rgb { return rgb{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a rgb) dot(b rgb) int32 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// unit is what scores count in: 1/65536 of a squared difference.
const unit = 1 << 16

// inverse is unit/n.
var inverse = [most + 1]int64{0, unit, unit / 2, unit / 3, unit / 4, unit / 5, unit / 6, unit / 7, unit / 8}

// square is the squared length of a sum over n pixels, divided by n, in units.
func (a rgb) square(n int) int64 {
	return (int64(a[0])*int64(a[0]) + int64(a[1])*int64(a[1]) + int64(a[2])*int64(a[2])) * inverse[n]
}

// mean is the colour of a sum over n pixels.
func (a rgb) mean(n int32) Colour {
	if n == 0 {
		return Default
	}
	h := n / 2
	return Colour((a[0]+h)/n)<<16 | Colour((a[1]+h)/n)<<8 | Colour((a[2]+h)/n)
}

// patch is the pixels of one cell, row by row.
type patch struct {
	n   int
	pix [most]Colour
	v   [most]rgb
	sum rgb
}

// same says whether the patch has one colour.
func (p *patch) same() bool {
	for _, c := range p.pix[1:p.n] {
		if c != p.pix[0] {
			return false
		}
	}
	return true
}

func (p *patch) measure() {
	p.sum = rgb{}
	for i, c := range p.pix[:p.n] {
		p.v[i] = of(c)
		p.sum = p.sum.plus(p.v[i])
	}
}

// pair is the mask when there are exactly two colours, which needs no search.
func (p *patch) pair() (mask uint8, ok bool) {
	last := p.pix[p.n-1]
	other := last
	for i, c := range p.pix[:p.n-1] {
		switch {
		case c == last:
		case other == last || c == other:
			other = c
			mask |= 1 << i
		default:
			return 0, false
		}
	}
	return mask, true
}

// split is the mask of the best two groups along the line between the two pixels that lie farthest apart; that of all n-1
// thresholds on it is as good as trying every mask. The last pixel is always ground. score grows as the error falls.
func (p *patch) split() (mask uint8, score int64) {
	a, b := p.farthest()
	axis := p.v[b].minus(p.v[a])
	var at [most]int32
	var order [most]int
	for i := range p.n {
		at[i] = p.v[i].dot(axis)
		j := i
		for ; j > 0 && at[order[j-1]] > at[i]; j-- {
			order[j] = order[j-1]
		}
		order[j] = i
	}
	var sum rgb
	var now uint8
	score = -1
	for k := 1; k < p.n; k++ {
		now |= 1 << order[k-1]
		sum = sum.plus(p.v[order[k-1]])
		if s := sum.square(k) + p.sum.minus(sum).square(p.n-k); s > score {
			mask, score = now, s
		}
	}
	if mask>>(p.n-1) == 1 {
		mask ^= 1<<p.n - 1
	}
	return mask, score
}

// farthest are the pixel that lies farthest from the mean and the one farthest from that.
func (p *patch) farthest() (a, b int) {
	most := int32(-1)
	for i := range p.n {
		d := rgb{p.v[i][0]*int32(p.n) - p.sum[0], p.v[i][1]*int32(p.n) - p.sum[1], p.v[i][2]*int32(p.n) - p.sum[2]}
		if l := d.dot(d); l > most {
			a, most = i, l
		}
	}
	most = -1
	for i := range p.n {
		d := p.v[i].minus(p.v[a])
		if l := d.dot(d); l > most {
			b, most = i, l
		}
	}
	return a, b
}

// score is what split calls so, for a given mask.
func (p *patch) score(mask uint8) int64 {
	s, n := p.part(mask)
	if n == 0 || int(n) == p.n {
		return p.sum.square(p.n)
	}
	return s.square(int(n)) + p.sum.minus(s).square(p.n-int(n))
}

// part is the sum and the number of the pixels in mask.
func (p *patch) part(mask uint8) (s rgb, n int32) {
	for i := range p.n {
		if mask>>i&1 == 1 {
			s = s.plus(p.v[i])
			n++
		}
	}
	return s, n
}

// total is the sum of the squares: the score of no error at all.
func (p *patch) total() (t int64) {
	for _, v := range p.v[:p.n] {
		t += int64(v.dot(v)) * unit
	}
	return t
}

// steady is how much worse than the best a mask may be that is shown already: a sixteenth of the error, and 8 in 255 for each
// pixel. Without it fine glyphs dance on moving pictures.
func (p *patch) steady(best, old int64) bool {
	t := p.total()
	return t-old <= (t-best)+(t-best)/16+int64(p.n)*8*8*unit
}

// fit is the two colours and the mask that show the patch best; old is the mask that is shown, if any.
func (p *patch) fit(old uint8) (fg, bg Colour, mask uint8) {
	if p.same() {
		return Default, p.pix[0], 0
	}
	p.measure()
	mask, exact := p.pair()
	best := p.total()
	if !exact {
		mask, best = p.split()
	}
	if old != 0 && old != mask && p.steady(best, p.score(old)) {
		mask = old
	}
	s, n := p.part(mask)
	return s.mean(n), p.sum.minus(s).mean(int32(p.n) - n), mask
}
