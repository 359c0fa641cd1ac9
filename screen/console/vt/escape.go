package vt

import "assist/screen"

// control is C0.
func (t *Terminal) control(c byte) {
	switch c {
	case '\b':
		t.backspace()
	case '\t':
		t.tab(1)
	case '\n', '\v', '\f':
		t.index()
		if t.modes.Has(screen.NewLine) {
			t.carriageReturn()
		}
	case '\r':
		t.carriageReturn()
	case 0x0E:
		t.gl = 1
	case 0x0F:
		t.gl = 0
	}
}

func (t *Terminal) carriageReturn() { t.x, t.pending = t.leftEdge(), false }

func (t *Terminal) backspace() {
	if t.pending && t.back && t.wrap { // stays on the character that was just written
		t.pending = false
		return
	}
	t.pending = false
	switch {
	case t.x > t.leftEdge():
		t.x--
	case t.back && t.wrap && t.x == t.leftEdge():
		t.x = t.right
		if t.y > t.top {
			t.y--
		} else if t.y == t.top {
			t.y = t.bot
		}
	}
}

func (t *Terminal) tab(n int) {
	t.pending = false
	for end := t.rightEdge(); n > 0 && t.x < end; n-- {
		for t.x++; t.x < end && !t.tabs[t.x]; t.x++ {
		}
	}
}

func (t *Terminal) backTab(n int) {
	t.pending = false
	edge := 0
	if t.origin {
		edge = t.left
	}
	for ; n > 0 && t.x > edge; n-- {
		for t.x--; t.x > edge && !t.tabs[t.x]; t.x-- {
		}
	}
}

// escape is ESC and one byte.
func (t *Terminal) escape(c byte) {
	switch c {
	case 'D':
		t.index()
	case 'E':
		t.index()
		t.carriageReturn()
	case 'M':
		t.reverseIndex()
	case 'H':
		t.tabs[t.x] = true
	case 'N', 'O':
		t.single = int(c-'N') + 2
	case 'n', 'o':
		t.gl = int(c-'n') + 2
	case 'V', 'W':
		t.protect(c == 'V')
	case 'Z':
		t.reply(attributes)
	case 'c':
		t.reset()
	case '6':
		t.backIndex()
	case '7':
		t.save()
	case '8':
		t.restore()
	case '9':
		t.forwardIndex()
	case '=':
		t.modes |= screen.Keypad
	case '>':
		t.modes &^= screen.Keypad
	}
}

// backIndex is DECBI, forwardIndex DECFI.
func (t *Terminal) backIndex() {
	if t.x == t.left {
		t.shiftColumns(t.left, -1)
		return
	}
	t.x, t.pending = max(0, t.x-1), false
}

func (t *Terminal) forwardIndex() {
	if t.x == t.right {
		t.shiftColumns(t.left, 1)
		return
	}
	t.x, t.pending = min(t.w-1, t.x+1), false
}

// escapeRest is ESC, one intermediate byte, and one more.
func (t *Terminal) escapeRest(c byte) {
	switch t.inter {
	case '(', ')', '*', '+':
		t.sets[t.inter-'('] = c
	case '#':
		t.lineSize(c)
	}
}

func (t *Terminal) lineSize(c byte) {
	switch c {
	case '8':
		t.align()
	case '5':
		t.page[t.y].double = false
	case '3', '4', '6':
		l := t.page[t.y]
		if !l.double {
			l.double, l.shown = true, nil
			t.erase(t.y, t.w/2, t.w, false)
			t.x, t.pending = min(t.x, t.lastColumn(t.y)), false
		}
	}
}

// escape52 is ESC and one byte in VT52 mode.
func (t *Terminal) escape52(c byte) {
	switch c {
	case 'A':
		t.up(1)
	case 'B':
		t.down(1)
	case 'C':
		t.rightwards(1)
	case 'D':
		t.leftwards(1)
	case 'F':
		t.sets[0], t.gl = '0', 0
	case 'G':
		t.sets[0], t.gl = 'B', 0
	case 'H':
		t.goTo(0, 0)
	case 'I':
		t.reverseIndex()
	case 'J':
		t.eraseDisplay(0, false)
	case 'K':
		t.eraseLine(0, false)
	case 'Y':
		t.state = vt52Row
	case 'Z':
		t.reply("\x1b/Z")
	case '=':
		t.modes |= screen.Keypad
	case '>':
		t.modes &^= screen.Keypad
	case '<':
		t.vt52 = false
	}
}

func (t *Terminal) save() {
	t.saved[t.alt] = saved{t.x, t.y, t.style, t.sets, t.gl, t.origin, t.pending}
}

func (t *Terminal) restore() {
	s := t.saved[t.alt]
	t.style, t.sets, t.gl, t.origin, t.single = s.style, s.sets, s.gl, s.origin, 0
	t.x, t.y = min(s.x, t.w-1), min(s.y, t.h-1)
	t.pending = s.pending && t.x == s.x
}

func (t *Terminal) protect(on bool) {
	t.style.Attr &^= screen.Protected
	if on {
		t.style.Attr |= screen.Protected
	}
}
