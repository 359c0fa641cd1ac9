package inject

import (
	"fmt"
	"image"

	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"assist/screen"
)

// maxNotches is how far one event turns the wheel.
const maxNotches = 100

// Buttons that stand for the wheel.
const (
	wheelUp screen.Button = iota + 4
	wheelDown
	wheelLeft
	wheelRight
	lastButton screen.Button = 9
)

// playPointer plays a move, a button or the wheel.
func (x *X11) playPointer(ev screen.Input) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	x.busy()
	x.move(ev.At)
	switch ev.Kind {
	case screen.ButtonPress, screen.ButtonRelease:
		if ev.Button < 1 || ev.Button > lastButton {
			return fmt.Errorf("no button %d", ev.Button)
		}
		if err := x.button(ev); err != nil {
			return err
		}
	case screen.Wheel:
		if err := x.wheel(ev); err != nil {
			return err
		}
	}
	return x.sync()
}

// move puts the pointer at a place on the display; the server keeps it on the screen.
func (x *X11) move(at image.Point) {
	clamp := func(v int) int16 { return int16(min(max(v, 0), screen.MaxDisplay)) }
	xtest.FakeInput(x.conn, xproto.MotionNotify, 0, 0, x.root, clamp(at.X), clamp(at.Y), 0)
}

func (x *X11) button(ev screen.Input) error {
	if ev.Kind == screen.ButtonRelease {
		if x.buttons[ev.Button] {
			delete(x.buttons, ev.Button)
			x.fake(xproto.ButtonRelease, uint8(ev.Button))
		}
		return nil
	}
	if x.buttons[ev.Button] {
		return nil
	}
	forbidden, err := x.forbidden()
	if forbidden || err != nil {
		return err
	}
	x.noteButton(uint8(ev.Button))
	x.buttons[ev.Button] = true
	x.fake(xproto.ButtonPress, uint8(ev.Button))
	return nil
}

func (x *X11) wheel(ev screen.Input) error {
	forbidden, err := x.forbidden()
	if forbidden || err != nil {
		return err
	}
	x.turn(ev.Steps.Y, wheelUp, wheelDown)
	x.turn(ev.Steps.X, wheelLeft, wheelRight)
	return nil
}

// turn clicks one of two buttons as often as the wheel went its way.
func (x *X11) turn(notches int, back, forward screen.Button) {
	b := forward
	if notches < 0 {
		b, notches = back, -notches
	}
	if x.buttons[b] {
		return
	}
	for range min(notches, maxNotches) {
		x.fake(xproto.ButtonPress, uint8(b))
		x.fake(xproto.ButtonRelease, uint8(b))
	}
}

// forbidden says whether the pointer is at a place of the customer's own. It asks where the pointer is, not where it was
// sent: something may hold it.
func (x *X11) forbidden() (bool, error) {
	f := x.exclude.Load()
	if f == nil || *f == nil {
		return false, nil
	}
	r, err := xproto.QueryPointer(x.conn, x.root).Reply()
	if err != nil {
		return false, fmt.Errorf("display is gone: %w", err)
	}
	at := image.Pt(int(r.RootX), int(r.RootY))
	for _, rect := range (*f)() {
		if at.In(rect) {
			return true, nil
		}
	}
	return false, nil
}
