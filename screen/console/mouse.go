package console

import (
	"fmt"
	"image"

	"assist/screen"
)

// The parts of a button's number in a report.
const (
	buttonUp   = 3 // which one is not told, but in SGR reports
	motion     = 32
	wheel      = 64
	extra      = 128
	noPosition = 223 // the last column and row that a byte can tell
)

// mouse is a report of the mouse, if the program asked for one.
func (k *keyboard) mouse(ev screen.Input, modes screen.TextModes, size image.Point) []byte {
	at := image.Pt(max(0, min(ev.At.X, size.X-1)), max(0, min(ev.At.Y, size.Y-1)))
	moved := at != k.at
	k.at = at
	switch ev.Kind {
	case screen.ButtonPress:
		k.button = ev.Button
	case screen.ButtonRelease:
		k.button = 0
	}
	if !modes.WantsMouse() {
		if ev.Kind == screen.Wheel && modes.Has(screen.AlternateScreen|screen.WheelKeys) {
			return wheelKeys(ev.Steps.Y, modes)
		}
		return nil
	}
	mods := 0
	for i, one := range [...]screen.Mods{screen.ModShift, screen.ModAlt, screen.ModControl} {
		if (ev.Mods|k.held)&one != 0 && !modes.Has(screen.MouseX10) {
			mods |= 4 << i
		}
	}
	switch ev.Kind {
	case screen.ButtonPress:
		return report(buttonNumber(ev.Button)|mods, at, false, modes)
	case screen.ButtonRelease:
		if modes.Has(screen.MouseX10) {
			return nil
		}
		return report(buttonNumber(ev.Button)|mods, at, true, modes)
	case screen.PointerMove:
		drag := k.button != 0 && modes&(screen.MouseDrags|screen.MouseMotion) != 0
		if !moved || !drag && !modes.Has(screen.MouseMotion) {
			return nil
		}
		n := buttonUp
		if k.button != 0 {
			n = buttonNumber(k.button)
		}
		return report(n|motion|mods, at, false, modes)
	}
	return turn(ev.Steps, mods, at, modes)
}

// turn is a report for each notch of the wheel.
func turn(steps image.Point, mods int, at image.Point, modes screen.TextModes) (b []byte) {
	for _, way := range [...]struct{ steps, less, more int }{{steps.Y, 0, 1}, {steps.X, 2, 3}} {
		n := way.more
		if way.steps < 0 {
			n, way.steps = way.less, -way.steps
		}
		for range way.steps {
			b = append(b, report(wheel+n|mods, at, false, modes)...)
		}
	}
	return b
}

// wheelKeys are cursor keys in place of the wheel, three a notch.
func wheelKeys(steps int, modes screen.TextModes) (b []byte) {
	k := screen.KeyDown
	if steps < 0 {
		k, steps = screen.KeyUp, -steps
	}
	for range 3 * steps {
		b = append(b, key(k, 0, modes)...)
	}
	return b
}

func buttonNumber(b screen.Button) int {
	switch b {
	case 8, 9:
		return extra + int(b-8)
	}
	return int(b) - 1
}

// report is one report in the form that the program chose.
func report(n int, at image.Point, up bool, modes screen.TextModes) []byte {
	x, y := at.X+1, at.Y+1
	if modes.Has(screen.MouseSGR) {
		final := 'M'
		if up {
			final = 'm'
		}
		return fmt.Appendf(nil, "\x1b[<%d;%d;%d%c", n, x, y, final)
	}
	if up {
		n = n&^3 | buttonUp
	}
	switch {
	case modes.Has(screen.MouseURXVT):
		return fmt.Appendf(nil, "\x1b[%d;%d;%dM", n+32, x, y)
	case modes.Has(screen.MouseUTF8):
		return []byte("\x1b[M" + string(rune(n+32)) + string(rune(x+32)) + string(rune(y+32)))
	case x > noPosition || y > noPosition:
		return nil
	}
	return []byte{0x1b, '[', 'M', byte(n + 32), byte(x + 32), byte(y + 32)}
}
