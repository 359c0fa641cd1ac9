package painter

import (
	"image"
	"slices"
	"time"

	"assist/screen/raster"
)

// A sentinel is a private-use rune (planes 15 and 16) that says, modulo 64, at which column and row of the terminal it stands, and
// of which generation it is. Blank or equal filler would not do: the renderer scrolls rows, shifts and erases cells, and would
// move pixels without a word. No two cells near each other are equal, and a cell that has to be written anew gets another
// generation, so that the renderer cannot think that it is there already.
const (
	sentinels   = 0xF0000
	perRow      = 64
	perGen      = perRow * 64
	generations = 30
	split       = 15 // the generation that would hold the end of plane 15, where there are noncharacters, is left out
	phaseStep   = 29 // from a hole to the next, so that the new one does not look like the old one shifted
)

// overdue is after which time a cell that was dug and not written by Bubble Tea is dug again.
const overdue = 300 * time.Millisecond

// hole is where the picture goes.
type hole struct {
	size, at image.Point // cells
	covered  []image.Rectangle
	under    []bool // cells that are covered
	due      []bool // cells that were dug, and that Bubble Tea has not written yet
	nDue     int
	since    time.Time // of the newest digging
	gen      []uint8
	base     uint8
	phase    int
	lines    []string
	buf      []rune
}

func (h *hole) rune(x, y int) rune {
	g := rune(h.gen[y*h.size.X+x])
	if g >= split {
		g++
	}
	return sentinels + g*perGen + rune((y+h.at.Y)%64*perRow+(x+h.at.X+h.phase)%perRow)
}

// sentinel says whether r is one, of this hole or another.
func sentinel(r rune) bool { return r >= sentinels }

// dig makes a hole. All its cells are due.
func (h *hole) dig(size, at image.Point) {
	n := size.X * size.Y
	h.size, h.at, h.covered = size, at, nil
	h.base = (h.base + 1) % generations
	h.phase = (h.phase + phaseStep) % perRow
	h.under, h.due, h.gen = make([]bool, n), make([]bool, n), make([]uint8, n)
	for i := range h.gen {
		h.gen[i], h.due[i] = h.base, true
	}
	h.nDue = n
}

// again gives a cell another generation, so that Bubble Tea writes it.
func (h *hole) again(i int) {
	h.gen[i] = (h.gen[i] + 1) % generations
	if !h.due[i] {
		h.due[i] = true
		h.nDue++
	}
}

// cover says which cells of the terminal lie under something else, and whether that changed the hole: what comes to light must
// be written by Bubble Tea before it is painted, because until then the dialog stands there.
func (h *hole) cover(covered []image.Rectangle, e *raster.Encoder, now time.Time) (dug bool) {
	lost := h.nDue > 0 && !h.since.IsZero() && now.Sub(h.since) > overdue
	if h.since.IsZero() || lost {
		h.since = now
	}
	if slices.Equal(covered, h.covered) && !lost {
		return false
	}
	h.covered = covered
	for y := range h.size.Y {
		for x := range h.size.X {
			i, was := y*h.size.X+x, h.under[y*h.size.X+x]
			h.under[i] = h.isUnder(image.Pt(x, y).Add(h.at))
			switch {
			case h.under[i] && !was:
				e.Hold(x, y)
			case was && !h.under[i], lost && h.due[i]:
				h.again(i)
				dug = true
			}
		}
	}
	if dug {
		h.since = now
	}
	return dug
}

func (h *hole) isUnder(p image.Point) bool {
	for _, r := range h.covered {
		if p.In(r) {
			return true
		}
	}
	return false
}

// rows are the rows of the hole as text.
func (h *hole) rows() []string {
	h.lines = make([]string, h.size.Y)
	for y := range h.lines {
		h.buf = h.buf[:0]
		for x := range h.size.X {
			h.buf = append(h.buf, h.rune(x, y))
		}
		h.lines[y] = string(h.buf)
	}
	return h.lines
}

// seen is told of each sentinel that Bubble Tea writes: the cell is the hole's from now on, and shows nothing.
func (h *hole) seen(r rune, e *raster.Encoder, freed func(image.Point)) {
	v := int(r - sentinels)
	g, ty, tx := v/perGen, v/perRow%64, v%perRow
	if g == split || h.size.X == 0 {
		return
	}
	if g > split {
		g--
	}
	y0 := mod(ty-h.at.Y, 64)
	for y := y0; y < h.size.Y; y += 64 {
		for x := mod(tx-h.at.X-h.phase, perRow); x < h.size.X; x += perRow {
			i := y*h.size.X + x
			if int(h.gen[i]) != g {
				continue
			}
			if h.due[i] {
				h.due[i] = false
				h.nDue--
			}
			if !h.under[i] {
				e.Free(x, y)
			}
			freed(image.Pt(x, y))
		}
	}
}

// inside is what is covered, in cells of the hole, and what Bubble Tea has still to write.
func (h *hole) inside() (out []image.Rectangle) {
	for _, r := range h.covered {
		if r = r.Sub(h.at).Intersect(image.Rectangle{Max: h.size}); !r.Empty() {
			out = append(out, r)
		}
	}
	if h.nDue > 0 {
		var due image.Rectangle
		for i, d := range h.due {
			if d {
				at := image.Pt(i%h.size.X, i/h.size.X)
				due = due.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
			}
		}
		out = append(out, due)
	}
	return out
}

func mod(a, n int) int { return ((a % n) + n) % n }
