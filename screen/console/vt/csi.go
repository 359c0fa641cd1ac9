package vt

import "assist/screen"

// goTo moves the cursor to a column and row; with origin mode they count from the region.
func (t *Terminal) goTo(x, y int) {
	t.pending = false
	if t.origin {
		t.y = max(t.top, min(y+t.top, t.bot))
		t.x = max(t.left, min(x+t.left, t.right))
	} else {
		t.y = max(0, min(y, t.h-1))
		t.x = max(0, min(x, t.w-1))
	}
	t.x = min(t.x, t.lastColumn(t.y))
}

func (t *Terminal) up(n int) {
	top := 0
	if t.y >= t.top {
		top = t.top
	}
	t.y, t.pending = max(top, t.y-n), false
	t.x = min(t.x, t.lastColumn(t.y))
}

func (t *Terminal) down(n int) {
	bot := t.h - 1
	if t.y <= t.bot {
		bot = t.bot
	}
	t.y, t.pending = min(bot, t.y+n), false
	t.x = min(t.x, t.lastColumn(t.y))
}

func (t *Terminal) rightwards(n int) { t.x, t.pending = min(t.rightEdge(), t.x+n), false }

func (t *Terminal) leftwards(n int) {
	if t.back && t.wrap {
		for range min(n, t.w*t.h) {
			t.backspace()
		}
		return
	}
	t.x, t.pending = max(t.leftEdge(), t.x-n), false
}

// csi is a control sequence with final byte c.
func (t *Terminal) csi(c byte) {
	switch {
	case t.prefix == '?' && t.inter == 0:
		t.private(c)
	case t.prefix == '?' && t.inter == '$' && c == 'p':
		t.reportMode(true)
	case t.prefix == '>':
		if c == 'c' && t.p(0, 0) == 0 && t.inter == 0 {
			t.reply("\x1b[>1;10;0c")
		}
	case t.prefix != 0:
	case t.inter != 0:
		t.csiRest(c)
	default:
		if !t.move(c) && !t.change(c) {
			t.other(c)
		}
	}
}

// move is everything that only moves the cursor.
func (t *Terminal) move(c byte) bool {
	n := t.p(0, 1)
	switch c {
	case 'A', 'k':
		t.up(n)
	case 'B', 'e':
		t.down(n)
	case 'C', 'a':
		t.rightwards(n)
	case 'D', 'j':
		t.leftwards(n)
	case 'E':
		t.down(n)
		t.carriageReturn()
	case 'F':
		t.up(n)
		t.carriageReturn()
	case 'G', '`':
		y := t.y
		if t.origin {
			y -= t.top
		}
		t.goTo(n-1, y)
	case 'd':
		x := t.x
		if t.origin {
			x -= t.left
		}
		t.goTo(x, n-1)
	case 'H', 'f':
		t.goTo(t.p(1, 1)-1, n-1)
	case 'I':
		t.tab(n)
	case 'Z':
		t.backTab(n)
	default:
		return false
	}
	return true
}

// change is everything that inserts, erases or scrolls.
func (t *Terminal) change(c byte) bool {
	n := t.p(0, 1)
	switch c {
	case '@':
		t.insertCells(n)
	case 'P':
		t.deleteCells(n)
	case 'X':
		t.erase(t.y, t.x, min(t.w, t.x+n), false)
		t.pending = false
	case 'J':
		t.eraseDisplay(t.p(0, 0), false)
	case 'K':
		t.eraseLine(t.p(0, 0), false)
	case 'L', 'M':
		if c == 'L' {
			n = -n
		}
		if t.y >= t.top && t.y <= t.bot && t.inside() {
			t.scroll(t.y, t.bot, n)
			t.x, t.pending = t.left, false
		}
	case 'S':
		t.scroll(t.top, t.bot, n)
		t.pending = false
	case 'T', '^':
		if c == '^' || len(t.params) <= 1 { // with five it is highlight tracking
			t.scroll(t.top, t.bot, -n)
			t.pending = false
		}
	case 'b':
		t.repeat(n)
	default:
		return false
	}
	return true
}

func (t *Terminal) repeat(n int) {
	if t.last == 0 {
		return
	}
	w := 1
	if t.lastWide {
		w = 2
	}
	for range min(n, t.w*t.h) {
		t.put(t.last, w)
	}
}

// other is reports, modes and the rest.
func (t *Terminal) other(c byte) {
	switch c {
	case 'c':
		if t.p(0, 0) == 0 {
			t.reply(attributes)
		}
	case 'g':
		switch t.p(0, 0) {
		case 0:
			t.tabs[t.x] = false
		case 3:
			clear(t.tabs)
		}
	case 'h', 'l':
		for i := range t.params {
			t.ansiMode(t.p(i, 0), c == 'h')
		}
	case 'm':
		t.sgr()
	case 'n':
		t.status(t.p(0, 0))
	case 'r':
		t.setRegion(t.p(0, 1)-1, t.p(1, t.h)-1)
	case 's':
		if t.margins {
			t.setMargins(t.p(0, 1)-1, t.p(1, t.w)-1)
		} else {
			t.save()
		}
	case 't':
		t.window()
	case 'u':
		t.restore()
	}
}

func (t *Terminal) setRegion(top, bot int) {
	if bot = min(bot, t.h-1); top < bot {
		t.top, t.bot = top, bot
		t.goTo(0, 0)
	}
}

func (t *Terminal) setMargins(left, right int) {
	if right = min(right, t.w-1); left < right {
		t.left, t.right = left, right
		t.goTo(0, 0)
	}
}

// csiRest is a sequence with an intermediate byte.
func (t *Terminal) csiRest(c byte) {
	n := t.p(0, 1)
	switch string([]byte{t.inter, c}) {
	case "!p": // DECSTR
		t.soften()
		t.saved[t.alt] = saved{sets: asciiSets}
	case " q": // DECSCUSR
		form := t.p(0, 1)
		if form <= 6 {
			t.cursor.Form, t.cursor.Steady = screen.Caret((form-1)/2), form%2 == 0
		}
	case " @":
		t.shiftColumns(t.left, n)
	case " A":
		t.shiftColumns(t.left, -n)
	case "'}":
		t.shiftColumns(t.x, -n)
	case "'~":
		t.shiftColumns(t.x, n)
	case "\"q":
		t.protect(t.p(0, 0) == 1)
	case "$p":
		t.reportMode(false)
	case "$z", "${", "$x":
		t.rectangle(c)
	}
}

// rectangle is DECERA, DECSERA and DECFRA.
func (t *Terminal) rectangle(c byte) {
	at := 0
	if c == 'x' {
		at = 1
	}
	y0, x0, y1, x1 := t.p(at, 1)-1, t.p(at+1, 1)-1, t.p(at+2, t.h), t.p(at+3, t.w)
	if t.origin {
		y0, y1, x0, x1 = y0+t.top, min(y1+t.top, t.bot+1), x0+t.left, min(x1+t.left, t.right+1)
	}
	y1, x1 = min(y1, t.h), min(x1, t.w)
	r := rune(t.p(0, 0))
	if x0 >= x1 || c == 'x' && (r < 0x20 || r == 0x7F || r > 0xFF || !screen.CellRune(r)) {
		return
	}
	for y := y0; y < y1; y++ {
		t.erase(y, x0, x1, c == '{')
		for x := x0; c == 'x' && x < x1; x++ {
			t.page[y].cells[x] = screen.Cell{Rune: r, Style: t.style}
		}
	}
}
