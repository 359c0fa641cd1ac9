package capture

import (
	"context"
	"fmt"
	"time"

	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xfixes"
	"github.com/jezek/xgb/xproto"
)

// Run takes what the server sends until ctx ends, which closes the connection and is no error, or the server does. The
// frame's memory stays until Close.
func (x *X11) Run(ctx context.Context) error {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		x.drain()
	}()
	err := x.serve(ctx, gone)
	x.conn.Close()
	<-gone
	return err
}

// drain takes events off xgb's queue, which holds back all replies when it is full, until the connection is closed.
func (x *X11) drain() {
	for {
		event, failed := x.conn.WaitForEvent()
		if event == nil && failed == nil {
			return
		}
		switch e := event.(type) {
		case damage.NotifyEvent:
			x.damaged.Store(true)
		case xproto.ConfigureNotifyEvent, randr.ScreenChangeNotifyEvent, randr.NotifyEvent:
			x.resized.Store(true)
		case xfixes.CursorNotifyEvent:
			x.serial.Store(e.CursorSerial)
			x.reshaped.Store(true)
		default:
			continue
		}
		x.wake()
	}
}

// serve keeps the two clocks: of the comparison of the whole frame, and of the pointer while it is watched.
func (x *X11) serve(ctx context.Context, gone <-chan struct{}) error {
	check, pointer := stopped(), stopped()
	defer check.Stop()
	defer pointer.Stop()
	defer x.follow(false)
	watched := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-gone:
			return fmt.Errorf("display %s: the X server closed the connection", x.name)
		case after := <-x.check:
			check.Reset(after)
		case <-check.C:
			x.checkDue.Store(true)
			x.wake()
		case watched = <-x.watch:
			x.follow(false) // until the first answer
			pointer.Reset(0)
		case <-pointer.C:
			if watched {
				pointer.Reset(x.poll())
			}
		}
	}
}

// follow says whether Pointer may answer from memory.
func (x *X11) follow(on bool) {
	x.pointer.Lock()
	x.pointer.watched = on
	x.pointer.Unlock()
}

// poll asks for the pointer, signals when it is another, and says when to ask again.
func (x *X11) poll() time.Duration {
	x.pointer.Lock()
	defer x.pointer.Unlock()
	moved, err := x.askPointer()
	x.pointer.watched = err == nil
	if moved {
		x.wake()
	}
	if time.Since(x.pointer.moved) < pointerRests {
		return pointerMoving
	}
	return pointerStill
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
