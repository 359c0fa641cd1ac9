package vt

import "assist/screen"

// blank is what erasing leaves: the background of the current style.
func (t *Terminal) blank() screen.Cell { return screen.Cell{Style: screen.Style{Bg: t.style.Bg}} }

// erase blanks the cells x0..x1 of row y; selective leaves protected ones.
func (t *Terminal) erase(y, x0, x1 int, selective bool) {
	l := t.page[y]
	t.cutWide(l, x0, x1)
	if !selective {
		t.fill(l, x0, x1)
		return
	}
	for x := x0; x < x1; x++ {
		if l.cells[x].Style.Attr&screen.Protected == 0 {
			l.cells[x].Rune, l.cells[x].Marks, l.cells[x].Span = 0, "", screen.Single
		}
	}
	l.shown = nil
}

// fill blanks cells; those that they were halves of are gone already.
func (t *Terminal) fill(l *line, x0, x1 int) {
	b := t.blank()
	for x := x0; x < x1; x++ {
		l.cells[x] = b
	}
	l.shown = nil
	if x1 == t.w {
		l.wrapped = false
	}
}

// eraseDisplay is ED and DECSED.
func (t *Terminal) eraseDisplay(how int, selective bool) {
	switch how {
	case 0:
		t.eraseLine(0, selective)
		for y := t.y + 1; y < t.h; y++ {
			t.eraseRow(y, selective)
		}
	case 1:
		for y := range t.y {
			t.eraseRow(y, selective)
		}
		t.eraseLine(1, selective)
	case 2:
		for y := range t.h {
			t.eraseRow(y, selective)
		}
	case 3:
		if t.Cleared != nil {
			t.Cleared()
		}
	}
	t.pending = false
}

func (t *Terminal) eraseRow(y int, selective bool) {
	t.page[y].double = false
	t.erase(y, 0, t.w, selective)
}

// eraseLine is EL and DECSEL.
func (t *Terminal) eraseLine(how int, selective bool) {
	switch how {
	case 0:
		t.erase(t.y, t.x, t.w, selective)
	case 1:
		t.erase(t.y, 0, t.x+1, selective)
	case 2:
		t.erase(t.y, 0, t.w, selective)
	}
	t.pending = false
}

// scroll moves the rows top..bot up by n, or down where n is negative, between the margins of columns.
func (t *Terminal) scroll(top, bot, n int) {
	h := bot - top + 1
	n = max(-h, min(n, h))
	if n == 0 {
		return
	}
	if t.left == 0 && t.right == t.w-1 {
		t.scrollRows(top, bot, n)
		return
	}
	l, r := t.left, t.right+1
	for y := top; y <= bot; y++ {
		t.cutWide(t.page[y], l, r)
		t.page[y].shown = nil
	}
	for i := range h {
		y := top + i
		if n < 0 {
			y = bot - i
		}
		if from := y + n; from >= top && from <= bot {
			copy(t.page[y].cells[l:r], t.page[from].cells[l:r])
		} else {
			t.fill(t.page[y], l, r)
		}
	}
}

// scrollRows moves whole rows: their cells are not touched.
func (t *Terminal) scrollRows(top, bot, n int) {
	rows := t.page[top : bot+1]
	if n > 0 {
		gone := append([]*line(nil), rows[:n]...)
		if top == 0 && t.alt == 0 {
			for _, l := range gone {
				t.scrolledOff(l)
			}
		}
		copy(rows, rows[n:])
		copy(rows[len(rows)-n:], gone)
		t.wipe(rows[len(rows)-n:])
		return
	}
	n = -n
	gone := append([]*line(nil), rows[len(rows)-n:]...)
	copy(rows[n:], rows)
	copy(rows, gone)
	t.wipe(rows[:n])
}

func (t *Terminal) wipe(rows []*line) {
	b := t.blank()
	for _, l := range rows {
		for x := range l.cells {
			l.cells[x] = b
		}
		l.shown, l.wrapped, l.double = nil, false, false
	}
}

// index moves down, at the end of the region it scrolls.
func (t *Terminal) index() {
	t.pending = false
	t.down1()
}

func (t *Terminal) down1() {
	switch {
	case t.y == t.bot:
		if t.x >= t.left && t.x <= t.right {
			t.scroll(t.top, t.bot, 1)
		}
	case t.y < t.h-1:
		t.y++
	}
	t.x = min(t.x, t.lastColumn(t.y))
}

func (t *Terminal) reverseIndex() {
	t.pending = false
	switch {
	case t.y == t.top:
		if t.x >= t.left && t.x <= t.right {
			t.scroll(t.top, t.bot, -1)
		}
	case t.y > 0:
		t.y--
	}
}

// inside says whether the cursor is between the margins of columns.
func (t *Terminal) inside() bool { return t.x >= t.left && t.x <= t.right }

// insertCells is ICH, deleteCells is DCH.
func (t *Terminal) insertCells(n int) {
	t.pending = false
	if !t.inside() {
		return
	}
	l, end := t.page[t.y], t.right+1
	n = min(n, end-t.x)
	t.cutWide(l, t.x, end-n)
	t.cutWide(l, t.x, end)
	copy(l.cells[t.x+n:end], l.cells[t.x:end-n])
	t.fill(l, t.x, t.x+n)
}

func (t *Terminal) deleteCells(n int) {
	t.pending = false
	if !t.inside() {
		return
	}
	l, end := t.page[t.y], t.right+1
	n = min(n, end-t.x)
	t.cutWide(l, t.x, t.x+n)
	t.cutWide(l, t.x, end)
	copy(l.cells[t.x:end-n], l.cells[t.x+n:end])
	t.fill(l, end-n, end)
}

// shiftColumns is SL (n > 0), SR, DECIC and DECDC: columns of the region from x on move left by n, or right.
func (t *Terminal) shiftColumns(x, n int) {
	if !t.inside() || t.y < t.top || t.y > t.bot {
		return
	}
	end := t.right + 1
	n = max(x-end, min(n, end-x))
	for y := t.top; y <= t.bot; y++ {
		l := t.page[y]
		t.cutWide(l, x, end)
		if n > 0 {
			t.cutWide(l, x, x+n)
			copy(l.cells[x:end-n], l.cells[x+n:end])
			t.fill(l, end-n, end)
			continue
		}
		t.cutWide(l, x, end+n)
		copy(l.cells[x-n:end], l.cells[x:end+n])
		t.fill(l, x, x-n)
	}
	t.pending = false
}

// align is DECALN: the screen full of E.
func (t *Terminal) align() {
	t.resetMargins()
	t.origin, t.x, t.y, t.pending = false, 0, 0, false
	for _, l := range t.page {
		for x := range l.cells {
			l.cells[x] = screen.Cell{Rune: 'E'}
		}
		l.shown, l.wrapped, l.double = nil, false, false
	}
}
