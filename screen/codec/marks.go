package codec

import (
	"image"
	"math/bits"

	"assist/screen"
)

// marks is a set of grid pixels, a bit each. Its memory never grows, however much damage is added.
type marks struct {
	size  image.Point
	words int // a row
	bits  []uint64
	row   int // no row above has a mark
	end   int // no row from here on has one
	at    int // next goes on here
}

func newMarks(size image.Point) marks {
	words := (size.X + 63) / 64
	return marks{size: size, words: words, bits: make([]uint64, words*size.Y), row: size.Y}
}

func (m *marks) empty() bool { return m.row >= m.end }

// damage marks what shows something of d, and says whether there is any.
func (m *marks) damage(g *screen.Grid, d screen.Damage) (any bool) {
	for _, r := range d {
		r = g.Target(r)
		m.add(r)
		any = any || !r.Empty()
	}
	return any
}

// add marks r, which lies inside.
func (m *marks) add(r image.Rectangle) {
	if r.Empty() {
		return
	}
	m.row, m.end = min(m.row, r.Min.Y), max(m.end, r.Max.Y)
	first, last := r.Min.X/64, (r.Max.X-1)/64
	head, tail := ^uint64(0)<<(r.Min.X%64), ^uint64(0)>>(63-(r.Max.X-1)%64)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.bits[y*m.words : (y+1)*m.words]
		if first == last {
			row[first] |= head & tail
			continue
		}
		row[first] |= head
		for i := first + 1; i < last; i++ {
			row[i] = ^uint64(0)
		}
		row[last] |= tail
	}
}

// begin lets next start with row y; what is marked above stays for the time after.
func (m *marks) begin(y int) { m.at = max(y, m.row) }

// next takes the first run of marks from where begin said, in reading order, at most a row long.
func (m *marks) next() (y, x0, x1 int, ok bool) {
	for ; m.at < m.end; m.at++ {
		row := m.bits[m.at*m.words : (m.at+1)*m.words]
		for i, w := range row {
			if w == 0 {
				continue
			}
			x0 = i*64 + bits.TrailingZeros64(w)
			return m.at, x0, take(row, x0), true
		}
		if m.at == m.row {
			m.row++
		}
	}
	m.trim()
	return 0, 0, 0, false
}

// trim brings the end up to behind the last row with a mark.
func (m *marks) trim() {
	for ; m.end > m.row; m.end-- {
		if !blank(m.bits[(m.end-1)*m.words : m.end*m.words]) {
			return
		}
	}
	m.row, m.end = m.size.Y, 0
}

func blank(row []uint64) bool {
	for _, w := range row {
		if w != 0 {
			return false
		}
	}
	return true
}

// count is how many marks there are.
func (m *marks) count() (n int) {
	for y := m.row; y < m.end; y++ {
		for _, w := range m.bits[y*m.words : (y+1)*m.words] {
			n += bits.OnesCount64(w)
		}
	}
	return n
}

// move takes the marks of o, a set of the same size.
func (m *marks) move(o *marks) {
	if o.empty() {
		return
	}
	for i := o.row * o.words; i < o.end*o.words; i++ {
		m.bits[i] |= o.bits[i]
		o.bits[i] = 0
	}
	m.row, m.end = min(m.row, o.row), max(m.end, o.end)
	o.row, o.end = o.size.Y, 0
}

// take clears the run that begins at x0 and returns where it ends.
func take(row []uint64, x0 int) int {
	i, from := x0/64, x0%64
	for {
		n := bits.TrailingZeros64(^(row[i] >> from)) // marks in a row from here, shifted-in zeros end it
		row[i] &^= (^uint64(0) >> (64 - n)) << from
		if from+n < 64 || i+1 == len(row) || row[i+1]&1 == 0 {
			return i*64 + from + n
		}
		i, from = i+1, 0
	}
}
