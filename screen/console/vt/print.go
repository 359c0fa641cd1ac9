package vt

import (
	"unicode"

	"github.com/mattn/go-runewidth"

	"assist/screen"
)

var asciiSets = [4]byte{'B', 'B', 'B', 'B'}

// graphics is the DEC special graphics set, from 0x5F to 0x7E.
var graphics = []rune(" ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")

// widths are those of a terminal whose ambiguous characters are narrow.
var widths = &runewidth.Condition{EastAsianWidth: false, StrictEmojiNeutral: true}

// width is how many cells r takes: 0 for what combines or is not seen, 1 or 2.
func width(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case screen.CellMark(r):
		return 0
	case r >= 0xE000 && r <= 0xF8FF:
		return 1
	}
	return widths.RuneWidth(r)
}

// plain prints the run of ASCII that b begins with, as far as it fits into the row, and returns the rest.
func (t *Terminal) plain(b []byte) []byte {
	l := t.page[t.y]
	if t.pending || t.insert || t.single != 0 || t.x > t.right || t.sets[t.gl] != 'B' || t.vt52 {
		t.print(rune(b[0]))
		return b[1:]
	}
	room := t.rightEdge() + 1 - t.x
	n := 0
	for n < len(b) && n < room && b[n] >= 0x20 && b[n] < 0x7F {
		n++
	}
	if n == 0 {
		t.print(rune(b[0]))
		return b[1:]
	}
	t.cutWide(l, t.x, t.x+n)
	cells := l.cells[t.x : t.x+n]
	for i := range cells {
		cells[i] = screen.Cell{Rune: rune(b[i]), Style: t.style}
	}
	l.shown = nil
	t.last, t.lastWide = rune(b[n-1]), false
	if n == room {
		t.x += n - 1
		t.pending = true
	} else {
		t.x += n
	}
	return b[n:]
}

// translate maps r by the character set that is in use.
func (t *Terminal) translate(r rune) rune {
	set := t.sets[t.gl]
	if t.single != 0 {
		set, t.single = t.sets[t.single], 0
	}
	switch {
	case set == '0' && r >= 0x5F && r <= 0x7E:
		return graphics[r-0x5F]
	case set == 'A' && r == '#':
		return '£'
	}
	return r
}

// print puts a character at the cursor.
func (t *Terminal) print(r rune) {
	r = t.translate(r)
	w := width(r)
	switch {
	case screen.CellMark(r):
		t.mark(r)
		return
	case r == 0xAD: // drawn by terminals as a hyphen
		r, w = '-', 1
	case !screen.CellRune(r):
		if w == 0 || unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F {
			return
		}
		r = unicode.ReplacementChar
	}
	if w <= 0 {
		w = 1
	}
	t.put(r, w)
}

// mark adds a combining mark to the character before the cursor.
func (t *Terminal) mark(r rune) {
	x := t.x - 1
	if t.pending {
		x = t.x
	}
	l := t.page[t.y]
	if x >= 0 && l.cells[x].Span == screen.WideRest {
		x--
	}
	if x < 0 || l.cells[x].Rune == 0 {
		return
	}
	c := &l.cells[x]
	n := 0
	for range c.Marks {
		n++
	}
	if n < screen.MaxMarks {
		c.Marks += string(r)
		l.shown = nil
	}
}

func (t *Terminal) put(r rune, w int) {
	if t.pending && t.wrap {
		t.wrapLine()
	}
	right := t.rightEdge()
	if t.x+w-1 > right { // the second half does not fit
		if w == 1 || right-t.leftEdge() < 1 {
			return
		}
		if t.wrap {
			t.wrapLine()
			right = t.rightEdge()
		} else {
			t.x = right - w + 1
		}
	}
	l := t.page[t.y]
	if t.insert && t.x+w <= right {
		t.cutWide(l, t.x, t.x)
		t.cutWide(l, right+1-w, right+1)
		copy(l.cells[t.x+w:right+1], l.cells[t.x:right+1-w])
	}
	t.cutWide(l, t.x, t.x+w)
	l.cells[t.x] = screen.Cell{Rune: r, Style: t.style}
	if w == 2 {
		l.cells[t.x].Span = screen.WideLead
		l.cells[t.x+1] = screen.Cell{Span: screen.WideRest, Style: t.style}
	}
	l.shown = nil
	t.last, t.lastWide = r, w == 2
	if t.x+w > right {
		t.x, t.pending = right, true
	} else {
		t.x += w
	}
}

// wrapLine goes on in the next row, which belongs to the same line.
func (t *Terminal) wrapLine() {
	t.page[t.y].wrapped = true
	t.page[t.y].shown = nil
	t.x, t.pending = t.leftEdge(), false
	t.down1()
}

// cutWide makes what is left of wide characters that from..to cuts in halves blank.
func (t *Terminal) cutWide(l *line, from, to int) {
	if from > 0 && from < len(l.cells) && l.cells[from].Span == screen.WideRest {
		l.cells[from-1] = screen.Cell{Style: l.cells[from-1].Style}
		l.cells[from] = screen.Cell{Style: l.cells[from].Style}
		l.shown = nil
	}
	if to > 0 && to < len(l.cells) && l.cells[to].Span == screen.WideRest {
		l.cells[to-1] = screen.Cell{Style: l.cells[to-1].Style}
		l.cells[to] = screen.Cell{Style: l.cells[to].Style}
		l.shown = nil
	}
}

// rightEdge is the last column that the cursor can reach from where it is.
func (t *Terminal) rightEdge() int {
	last := t.lastColumn(t.y)
	if t.x <= t.right {
		last = min(last, t.right)
	}
	return last
}

// lastColumn of row y; double-width rows have half as many.
func (t *Terminal) lastColumn(y int) int {
	if t.page[y].double {
		return max(0, t.w/2-1)
	}
	return t.w - 1
}

func (t *Terminal) leftEdge() int {
	if t.x >= t.left {
		return t.left
	}
	return 0
}
