// Package inject plays an agent's input on an X11 display by XTEST: keys, text in any script, pointer, buttons, wheel.
//
// Who owns what. An X11 value owns one connection. Play and Close are for any goroutine; events are played one at a time in
// the order of the calls. What is held down, the keycodes that were lent a symbol and the customer's modifiers that are
// lifted for a moment belong to x.mu, which is never held while waiting for time to pass, so ReleaseAll gets through in
// the middle of a long text and ends it.
//
// How a character is typed. The keymap is read as XKB has it, with key types. A character is looked for in the customer's
// current layout and group, under its legacy keysym (Cyrillic, Greek, Latin-2 ...) or its Unicode one; Shift and AltGr are
// held around it as its type asks, with Caps Lock taken into account. Modifiers that the customer holds are lifted around
// it and put back if they are still held by then. A character that the layout does not have goes to a keycode without
// symbols: two characters each, many in one change of the map because every change makes every program on the display read
// the map anew, and none changed again within 500 ms of its use, because programs translate a key when they get to it.
// Shortcuts (Control, Alt or Super held) look in the other groups too before they take a spare keycode.
//
// What outlives a process. The server keeps keys down and keycodes changed when a client dies. So both are written to a
// property of the root window before they happen, and the next Open on the display undoes what a dead process left. Spare
// keycodes are given back some seconds after their last use and by Close.
//
// Long text is typed, too, paced, and not put on the clipboard: taking the clipboard would destroy what the customer has in
// it and may be in their clipboard history for good, it is a grant of its own, and which key pastes is for each program to
// say (a terminal, a password field, a remote desktop: three answers). Typing is slower and always right.
//
// When the server is slow, Play waits for it: it returns when the server has handled the event. Nothing is queued here.
// It will not ask whether an agent may: that is the host's rule. It drops button presses and wheel inside the rectangles
// of Exclude and the keys of Reserve, which are the customer's own.
package inject

import (
	"errors"
	"fmt"
	"image"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"assist/screen"
)

func init() {
	xgb.Logger = log.New(io.Discard, "", 0) // it would write into the customer's terminal; errors come back as errors
}

const (
	reuseAfter = 500 * time.Millisecond // a spare keycode keeps its symbols so long after its last use
	idleAfter  = 4 * time.Second        // then spare keycodes are given back
	mapFresh   = 50 * time.Millisecond  // in a text, a keymap read so recently is not read again
	settle     = 10 * time.Millisecond  // between a change of the map and the first key that uses it
	pace       = time.Millisecond       // between two characters of a text
)

// ErrClosed is what Play returns after Close.
var ErrClosed = errors.New("input is closed")

// NoExtensionError says that the display cannot be controlled for want of an X extension.
type NoExtensionError struct{ Name string }

func (e *NoExtensionError) Error() string {
	return "the display has no " + e.Name + " extension, which input needs"
}

// NoKeyError says that the keyboard of the display has no key for it and no spare keycode either.
type NoKeyError struct{ Key screen.Key }

func (e *NoKeyError) Error() string {
	if e.Key > screen.KeyNone {
		return fmt.Sprintf("the display's keyboard has no key number %d", e.Key-screen.KeyNone)
	}
	return fmt.Sprintf("the display's keyboard has no key for %q", rune(e.Key))
}

// X11 plays input on one display.
type X11 struct {
	conn *xgb.Conn     // set once
	root xproto.Window // set once
	xkb  extension     // set once
	done chan struct{} // closed when the reader of events is gone

	exclude  atomic.Pointer[func() []image.Rectangle]
	reserved atomic.Pointer[map[screen.Key]bool]
	deaf     atomic.Pointer[func() bool]

	playing sync.Mutex // held for one event, waits included; taken before mu

	mu      sync.Mutex // guards what follows; never held over a wait for time
	closed  bool
	abort   chan struct{} // closed and replaced by ReleaseAll
	keys    *keymap
	keysAt  time.Time
	held    map[screen.Key]uint8   // keys that an agent holds: the keycode that was pressed
	down    map[uint8]bool         // keycodes that this process holds
	buttons map[screen.Button]bool // buttons that this process holds
	lent    map[uint8]bool         // keys of the customer's that were put back by XTEST
	devices keyboards
	spares  []*spare
	ledger  ledger
	slot    xproto.Atom // the property that the ledger is in
	used    time.Time   // last event
	idle    *time.Timer
}

// Open connects to a display such as ":0" (empty: $DISPLAY) and undoes what a dead process left on it.
func Open(display string) (*X11, error) {
	c, err := xgb.NewConnDisplay(display)
	if err != nil {
		return nil, fmt.Errorf("open display %q for input: %w", display, err)
	}
	x := &X11{
		conn: c, root: xproto.Setup(c).DefaultScreen(c).Root, done: make(chan struct{}), abort: make(chan struct{}),
		held: map[screen.Key]uint8{}, down: map[uint8]bool{}, buttons: map[screen.Button]bool{}, lent: map[uint8]bool{},
		devices: keyboards{display: display},
	}
	go x.drain()
	if err := x.setUp(); err != nil {
		c.Close()
		<-x.done
		return nil, err
	}
	return x, nil
}

func (x *X11) setUp() error {
	r, err := xproto.QueryExtension(x.conn, 5, "XTEST").Reply()
	if err != nil {
		return fmt.Errorf("query extension XTEST: %w", err)
	}
	if !r.Present {
		return &NoExtensionError{Name: "XTEST"}
	}
	if err := xtest.Init(x.conn); err != nil {
		return fmt.Errorf("open XTEST: %w", err)
	}
	if x.xkb, err = openXKB(x.conn); err != nil {
		return err
	}
	if err := x.claim(); err != nil {
		return err
	}
	x.idle = time.AfterFunc(time.Hour, x.rest)
	x.idle.Stop()
	return nil
}

// drain empties the queue of events and errors, which blocks replies when it is full. Nothing in it matters here: the
// requests that can fail are checked.
func (x *X11) drain() {
	defer close(x.done)
	for {
		if ev, err := x.conn.WaitForEvent(); ev == nil && err == nil {
			return
		}
	}
}

// Exclude names the places on the display, in its pixels, where button presses and the wheel are dropped. The function is
// called for each press and must not block; nil excludes nothing.
func (x *X11) Exclude(f func() []image.Rectangle) { x.exclude.Store(&f) }

// Reserve names keys that belong to the customer: they are dropped, with any modifiers.
func (x *X11) Reserve(keys ...screen.Key) {
	set := map[screen.Key]bool{}
	for _, k := range keys {
		set[k] = true
	}
	x.reserved.Store(&set)
}

// Play plays one event and returns when the server has handled it. Errors: *NoKeyError, ErrClosed, or that the display is
// gone. What is dropped for the customer's sake is no error.
func (x *X11) Play(ev screen.Input) error {
	if ev.Kind == screen.ReleaseAll {
		return x.ReleaseAll()
	}
	x.playing.Lock()
	defer x.playing.Unlock()
	if x.drops(ev.Kind) {
		return nil
	}
	switch ev.Kind {
	case screen.TypeText:
		return x.typeText(ev.Text)
	case screen.KeyTap, screen.KeyPress, screen.KeyRelease:
		return x.playKey(ev)
	case screen.PointerMove, screen.ButtonPress, screen.ButtonRelease, screen.Wheel:
		return x.playPointer(ev)
	}
	return fmt.Errorf("input of unknown kind %d", ev.Kind)
}

// ReleaseAll ends a text that is being typed and lets go of every key and button that this process holds.
func (x *X11) ReleaseAll() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	return x.release()
}

// release is ReleaseAll with mu held.
func (x *X11) release() error {
	close(x.abort)
	x.abort = make(chan struct{})
	for code := range x.down {
		x.key(code, false)
	}
	clear(x.held)
	for b := range x.buttons {
		x.fake(xproto.ButtonRelease, uint8(b))
		delete(x.buttons, b)
	}
	x.used = time.Now()
	x.idle.Reset(idleAfter)
	return x.sync()
}

// Close lets go of everything, gives the spare keycodes back and disconnects. It takes up to half a second when text was
// just typed: programs may not have read it yet.
func (x *X11) Close() error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil
	}
	x.closed = true
	x.idle.Stop()
	err := x.release()
	x.idle.Stop()
	wait := time.Duration(0)
	for _, s := range x.spares {
		wait = max(wait, reuseAfter-time.Since(s.used))
	}
	x.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	err = errors.Join(err, x.giveBack(), x.disclaim())
	x.devices.close()
	x.conn.Close()
	<-x.done
	return err
}

// rest is what the idle timer does: the customer's keyboard is as it was.
func (x *X11) rest() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	if left := idleAfter - time.Since(x.used); left > 0 {
		x.idle.Reset(left)
		return
	}
	x.settleLent()
	// An error here is a display that is gone; the next Play says so.
	_ = x.giveBack()
	x.devices.close()
	if len(x.lent) > 0 {
		x.idle.Reset(idleAfter)
	}
}

// busy notes that an event is being played, with mu held.
func (x *X11) busy() {
	x.used = time.Now()
	x.idle.Reset(idleAfter)
}

// key presses or releases a keycode.
func (x *X11) key(code uint8, press bool) {
	if press {
		x.note(code)
		x.down[code] = true
		x.fake(xproto.KeyPress, code)
		return
	}
	delete(x.down, code)
	x.fake(xproto.KeyRelease, code)
}

// fake sends one event; sync tells whether the display is still there.
func (x *X11) fake(kind byte, detail uint8) {
	xtest.FakeInput(x.conn, kind, detail, 0, x.root, 0, 0, 0)
}

// sync waits until the server has handled everything so far.
func (x *X11) sync() error {
	if _, err := xproto.GetInputFocus(x.conn).Reply(); err != nil {
		return fmt.Errorf("display is gone: %w", err)
	}
	return nil
}
