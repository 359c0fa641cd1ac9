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

// How often a watched pointer is asked for: while it moved a moment ago, and while it lies still. Beside that
// its place comes along with the damage of every grab. A question for its own sake wakes several threads, which is most of
// what an idle desktop costs.
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

// glance notes where a watched pointer is, as it came along with the damage.
func (x *X11) glance(at image.Point) {
	x.pointer.Lock()
	defer x.pointer.Unlock()
	if x.pointer.watched {
		x.moved(at)
	}
}

// moved notes a place and says whether it is another one. The pointer is locked.
func (x *X11) moved(at image.Point) bool {
	at = image.Pt(max(0, at.X), max(0, at.Y))
	if at == x.pointer.last.At {
		return false
	}
	x.pointer.last.At, x.pointer.moved = at, time.Now()
	return true
}

// askPointer asks the server and says whether anything is new. The pointer is locked.
func (x *X11) askPointer() (moved bool, err error) {
	at, err := x.place()
	if err != nil {
		return false, fmt.Errorf("ask for the pointer: %w", err)
	}
	moved = x.moved(at)
	if x.reshaped.Swap(false) {
		x.pointer.last.Shape, x.pointer.last.Hidden = x.shape()
		moved = true
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
