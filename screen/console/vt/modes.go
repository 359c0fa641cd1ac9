package vt

import "assist/screen"

// ansiMode is SM and RM.
func (t *Terminal) ansiMode(m int, on bool) {
	switch m {
	case 4:
		t.insert = on
	case 20:
		t.mode(screen.NewLine, on)
	}
}

func (t *Terminal) mode(m screen.TextModes, on bool) {
	t.modes &^= m
	if on {
		t.modes |= m
	}
}

// textModes are the private modes that are flags for whoever sends input or draws, and nothing else.
var textModes = map[int]screen.TextModes{
	1: screen.CursorKeys, 5: screen.ReverseScreen, 66: screen.Keypad, 1004: screen.FocusReports, 1005: screen.MouseUTF8,
	1006: screen.MouseSGR, 1007: screen.WheelKeys, 1015: screen.MouseURXVT, 2004: screen.BracketedPaste,
}

// mice are the kinds of mouse tracking, of which one is on.
var mice = map[int]screen.TextModes{9: screen.MouseX10, 1000: screen.MouseButtons, 1002: screen.MouseDrags, 1003: screen.MouseMotion}

const allMice = screen.MouseX10 | screen.MouseButtons | screen.MouseDrags | screen.MouseMotion

// private is a sequence that begins with a question mark.
func (t *Terminal) private(c byte) {
	switch c {
	case 'h', 'l':
		for i := range t.params {
			t.privateMode(t.p(i, 0), c == 'h')
		}
	case 'J':
		t.eraseDisplay(t.p(0, 0), true)
	case 'K':
		t.eraseLine(t.p(0, 0), true)
	case 'n':
		if t.p(0, 0) == 6 {
			t.reply("\x1b[?" + t.place() + "R")
		}
	}
}

func (t *Terminal) privateMode(m int, on bool) {
	if flag, ok := textModes[m]; ok {
		t.mode(flag, on)
		return
	}
	if mouse, ok := mice[m]; ok {
		t.modes &^= allMice
		t.mode(mouse, on)
		return
	}
	switch m {
	case 2:
		t.vt52 = !on
	case 3: // the size is the customer's; what goes with the change is done
		if t.columns {
			t.columnMode()
		}
	case 6:
		t.origin = on
		t.goTo(0, 0)
	case 7:
		t.wrap = on
		t.pending = t.pending && on
	case 12:
		t.cursor.Steady = !on
	case 25:
		t.cursor.Hidden = !on
	case 40:
		t.columns = on
	case 45:
		t.back = on
	case 69:
		t.margins = on
		t.left, t.right = 0, t.w-1
	case 47, 1047, 1048, 1049:
		t.pageMode(m, on)
	case 2026:
		t.hold = on
	}
}

func (t *Terminal) columnMode() {
	t.margins = false
	t.resetMargins()
	t.goTo(0, 0)
	t.eraseDisplay(2, false)
	t.x, t.y = 0, 0
}

// pageMode switches between the main and the alternate page, each of the four modes in its own way.
func (t *Terminal) pageMode(m int, on bool) {
	switch {
	case m == 1048 && on, m == 1049 && on:
		t.save()
	case m == 1048:
		t.restore()
	case m == 1047 && !on && t.alt == 1:
		t.wipePage()
	}
	if m == 1048 {
		return
	}
	t.show(on)
	switch {
	case m == 1049 && on:
		t.wipePage()
	case m == 1049:
		t.restore()
	}
}

func (t *Terminal) show(alternate bool) {
	t.alt = 0
	if alternate {
		t.alt = 1
	}
	t.page = t.pages[t.alt]
	t.pending = false
}

func (t *Terminal) wipePage() { t.wipe(t.page) }
