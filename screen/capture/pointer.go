package capture

import (
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/jezek/xgb/xfixes"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// How often a watched pointer is asked for: while it moved a moment ago, and while it lies still. Beside that every grab
// that found damage asks too, because it is awake anyway and pointers seldom move without changing something. A question
// for its own sake wakes several threads, which is most of what an idle desktop costs.
const (
	pointerMoving = time.Second / 15
	pointerStill  = time.Second
	pointerRests  = 2 * time.Second
)

// Pointer is where the pointer is and which shape it has: as Run knows it while it is watched, else as the server says.
// Another goroutine than the one that grabs may call it.
func (x *X11) Pointer() (screen.Pointer, error) {
	x.pointer.Lock()
	defer x.pointer.Unlock()
	if x.pointer.watched && !x.reshaped.Load() {
		return x.pointer.last, nil
	}
	_, err := x.askPointer()
	return x.pointer.last, err
}

// Watch makes Run ask for the pointer now and then and signal Changed when it moved. X11 tells of its shape by itself, of
// its place only when asked.
func (x *X11) Watch(on bool) {
	select {
	case <-x.watch:
	default:
	}
	select {
	case x.watch <- on:
	default: // somebody else said something newer
	}
}

// glance brings a watched pointer up to date where that costs no more than a question in the kernel.
func (x *X11) glance() {
	x.pointer.Lock()
	defer x.pointer.Unlock()
	if x.pointer.watched && x.direct.open() {
		_, _ = x.askPointer() // Run asks again
	}
}

// askPointer asks the server and says whether anything is new. The pointer is locked.
func (x *X11) askPointer() (moved bool, err error) {
	at, err := x.place()
	if err != nil {
		return false, fmt.Errorf("ask for the pointer: %w", err)
	}
	p := x.pointer.last
	p.At = image.Pt(max(0, at.X), max(0, at.Y))
	if x.reshaped.Swap(false) {
		p.Shape, p.Hidden = x.shape()
	}
	moved = p != x.pointer.last
	if moved {
		x.pointer.last, x.pointer.moved = p, time.Now()
	}
	return moved, nil
}

func (x *X11) place() (image.Point, error) {
	at, err := x.direct.pointer(x.root)
	if !errors.Is(err, errNotDirect) {
		return at, err
	}
	reply, err := xproto.QueryPointer(x.conn, x.root).Reply()
	if err != nil {
		return image.Point{}, err
	}
	return image.Pt(int(reply.RootX), int(reply.RootY)), nil
}

// shape asks for the serial of the cursor's shape, and whether there is anything to see of it: programs hide it by a shape
// without an opaque pixel. The server refuses to show the cursor of a program that is gone; it is taken to be visible.
func (x *X11) shape() (serial uint32, hidden bool) {
	reply, err := xfixes.GetCursorImage(x.conn).Reply()
	if err != nil {
		return x.serial.Load(), false
	}
	for _, argb := range reply.CursorImage[:min(len(reply.CursorImage), int(reply.Width)*int(reply.Height))] {
		if argb>>24 != 0 {
			return reply.CursorSerial, false
		}
	}
	return reply.CursorSerial, true
}
