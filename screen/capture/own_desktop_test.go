//go:build desktop

package capture

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// TestOwnInputIsToldFromInjected presses a key on the display's own keyboard and on the one of XTEST, which agents play on.
func TestOwnInputIsToldFromInjected(t *testing.T) {
	display := startX(t, "640x480x24")
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() { ended <- WatchOwn(ctx, display, func() { heard <- struct{}{} }) }()
	time.Sleep(300 * time.Millisecond) // until it listens
	w, err := openOwn(display)
	if err != nil {
		t.Fatal(err)
	}
	defer w.conn.Close()
	var devices []uint16
	for id, injected := range w.xtest {
		if !injected {
			devices = append(devices, id)
		}
	}
	slices.Sort(devices)
	c, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := xtest.Init(c); err != nil {
		t.Fatal(err)
	}
	root := xproto.Setup(c).DefaultScreen(c).Root
	played := func(kind byte, device uint16) {
		t.Helper()
		xtest.FakeInput(c, kind, 38, 0, root, 0, 0, byte(device))
		if _, err := xproto.GetInputFocus(c).Reply(); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 { // what an agent plays
		played(xproto.KeyPress, 0)
		played(xproto.KeyRelease, 0)
		xtest.FakeInput(c, xproto.MotionNotify, 0, 0, root, 10, 10, 0)
	}
	select {
	case <-heard:
		t.Fatal("what is played by XTEST counts as the customer's own")
	case <-time.After(500 * time.Millisecond):
	}
	r, err := xproto.QueryExtension(c, 15, "XInputExtension").Reply()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices { // those that are no keyboards refuse
		played(r.FirstEvent+1, d)
		played(r.FirstEvent+2, d)
	}
	select {
	case <-heard:
	case <-time.After(5 * time.Second):
		t.Fatal("a key of the display's own keyboard was not heard")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestOwnInputOfAnotherMachine(t *testing.T) {
	for _, display := range []string{"elsewhere:0", "", ":59999"} {
		if err := WatchOwn(t.Context(), display, func() {}); err == nil {
			t.Errorf("%q is watched", display)
		}
	}
}
