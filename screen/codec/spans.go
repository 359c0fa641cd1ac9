package codec

import (
	"encoding/binary"

	"assist/screen"
)

// Tuning is how exact a message has to be. The zero value is exact and whole.
type Tuning struct {
	Tolerance int  // of a channel, in 1/255: a pixel that differs from what was sent by no more stays as it is
	Coarse    bool // 4 bits a channel: about a third fewer bytes of a photo or a film
	Limit     int  // bytes of an update before compression; what does not fit is left for the next message. 0: maxUpdate
}

func (t Tuning) exact() bool { return t.Tolerance == 0 && !t.Coarse }

// coarse keeps 4 bits of each channel and repeats them in the low ones, so that black and white stay what they are.
func coarse(c screen.RGB565) screen.RGB565 {
	r, g, b := c>>12, c>>7&15, c>>1&15
	return (r<<1|r>>3)<<11 | (g<<2|g>>2)<<5 | b<<1 | b>>3
}

// near says whether two colours differ by at most t in each channel.
func near(a, b screen.RGB565, t int) bool {
	return apart(a>>11, b>>11, 8) <= t && apart(a>>5&63, b>>5&63, 4) <= t && apart(a&31, b&31, 8) <= t
}

func apart(a, b screen.RGB565, step int) int {
	d := int(a) - int(b)
	return max(d, -d) * step
}

// spans gathers the pixels that differ from what a viewer has.
type spans struct {
	skip   int // of the span that is open
	run    int
	last   int // the pixel after it
	where  []byte
	pixels []byte // to set
}

func (s *spans) reset() {
	s.where, s.pixels = s.where[:0], s.pixels[:0]
	s.skip, s.run, s.last = 0, 0, 0
}

func (s *spans) size() int { return len(s.where) + len(s.pixels) }

// gap is how many pixels that stay the same are set again rather than end a span: that saves about 15 % of the bytes of
// moving text. More saves little.
const gap = 4

// differ adds the spans of row, which begins at pixel at, and notes in sent what is set.
func (s *spans) differ(row, sent []screen.RGB565, at int) {
	for i := 0; i < len(row); {
		if row[i] == sent[i] {
			i++
			continue
		}
		from, end := i, i+1
		for i++; i < len(row) && i <= end+gap; i++ {
			if row[i] != sent[i] {
				end = i + 1
			}
		}
		for _, c := range row[from:end] {
			s.pixels = binary.LittleEndian.AppendUint16(s.pixels, uint16(c))
		}
		copy(sent[from:], row[from:end])
		i = end
		if at+from > s.last {
			s.close()
			s.skip, s.run = at+from-s.last, 0
		}
		s.run += end - from
		s.last = at + end
	}
}

func (s *spans) close() {
	if s.run > 0 {
		s.where = binary.AppendUvarint(s.where, uint64(s.skip))
		s.where = binary.AppendUvarint(s.where, uint64(s.run))
	}
}

// settle makes row what t allows to send of it where sent is shown now, and says whether that is less than exact.
func settle(row, sent []screen.RGB565, t Tuning) (rough bool) {
	for i, c := range row {
		if c == sent[i] {
			continue
		}
		now := c
		if t.Coarse {
			now = coarse(c)
		}
		if near(c, sent[i], t.Tolerance) {
			now = sent[i]
		}
		rough = rough || now != c
		row[i] = now
	}
	return rough
}
