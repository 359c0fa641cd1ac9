package vt

import (
	"fmt"
	"strings"

	"assist/screen"
)

// attributes is DA1: a VT220 with colours, as the capabilities that are really here.
const attributes = "\x1b[?62;22c"

// place is the cursor as reports say it.
func (t *Terminal) place() string {
	x, y := t.x, t.y
	if t.origin {
		x, y = x-t.left, y-t.top
	}
	return fmt.Sprintf("%d;%d", y+1, x+1)
}

// status is DSR.
func (t *Terminal) status(what int) {
	switch what {
	case 5:
		t.reply("\x1b[0n")
	case 6:
		t.reply("\x1b[" + t.place() + "R")
	}
}

// window is XTWINOPS: only the size in characters is told.
func (t *Terminal) window() {
	switch t.p(0, 0) {
	case 18:
		t.reply(fmt.Sprintf("\x1b[8;%d;%dt", t.h, t.w))
	case 19:
		t.reply(fmt.Sprintf("\x1b[9;%d;%dt", t.h, t.w))
	}
}

// reportMode is DECRQM.
func (t *Terminal) reportMode(private bool) {
	m := t.p(0, 0)
	value, mark := t.ansiValue(m), ""
	if private {
		value, mark = t.privateValue(m), "?"
	}
	t.reply(fmt.Sprintf("\x1b[%s%d;%d$y", mark, m, value))
}

// The answers of DECRQM.
const (
	unknownMode = 0
	modeOn      = 1
	modeOff     = 2
)

func onOff(on bool) int {
	if on {
		return modeOn
	}
	return modeOff
}

func (t *Terminal) ansiValue(m int) int {
	switch m {
	case 4:
		return onOff(t.insert)
	case 20:
		return onOff(t.modes.Has(screen.NewLine))
	}
	return unknownMode
}

func (t *Terminal) privateValue(m int) int {
	if flag, ok := textModes[m]; ok {
		return onOff(t.modes.Has(flag))
	}
	if mouse, ok := mice[m]; ok {
		return onOff(t.modes.Has(mouse))
	}
	switch m {
	case 6:
		return onOff(t.origin)
	case 7:
		return onOff(t.wrap)
	case 12:
		return onOff(!t.cursor.Steady)
	case 25:
		return onOff(!t.cursor.Hidden)
	case 40:
		return onOff(t.columns)
	case 45:
		return onOff(t.back)
	case 47, 1047, 1049:
		return onOff(t.alt == 1)
	case 69:
		return onOff(t.margins)
	case 2026:
		return onOff(t.hold)
	}
	return unknownMode
}

// setting is the answer to DECRQSS: what setting q is now, in the form that would set it.
func (t *Terminal) setting(q string) string {
	switch q {
	case "m":
		return "1$r" + strings.Join(append([]string{"0"}, styleCodes(t.style)...), ";") + "m"
	case "r":
		return fmt.Sprintf("1$r%d;%dr", t.top+1, t.bot+1)
	case "s":
		return fmt.Sprintf("1$r%d;%ds", t.left+1, t.right+1)
	case " q":
		form := int(t.cursor.Form)*2 + 1
		if t.cursor.Steady {
			form++
		}
		return fmt.Sprintf("1$r%d q", form)
	case "\"p":
		return "1$r62;1\"p"
	case "\"q":
		return fmt.Sprintf("1$r%d\"q", onOff(t.style.Attr&screen.Protected != 0)%2)
	}
	return "0$r"
}
