// Package capture reads the picture of an X11 display: what changed, into one frame that stays, and where the pointer is.
//
// One goroutine owns an X11 value's frame: it calls Grab, reads the frame between two grabs, and calls Close when it reads
// no more. Run has its own goroutines, drains what the server sends and wakes the owner through Changed, which never blocks:
// while the owner is busy with slow viewers, damage gathers in the server and nothing is queued here.
//
// The pixels come through memory shared with the server (MIT-SHM) or, where that cannot be had (another machine, another
// namespace), over the connection, changed bands only. DAMAGE says what changed; because it can be dead (some drivers) the
// whole frame is compared now and then, and polled when it turns out so. The package injects nothing, draws nothing and
// does not scale or encode.
package capture

import (
	"fmt"
	"image"
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/shm"
	"github.com/jezek/xgb/xfixes"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

func init() {
	xgb.Logger = log.New(io.Discard, "", 0) // it would write into the customer's terminal; errors come back as errors
}

// X11 is one connection to a display.
type X11 struct {
	// set once by Open
	name    string
	conn    *xgb.Conn
	direct  *direct
	root    xproto.Window
	damage  damage.Damage // 0: the server has no DAMAGE
	region  xfixes.Region // where Grab takes the damage to
	randr   bool
	cursors bool // XFIXES tells of cursor shapes
	changed chan struct{}
	check   chan time.Duration // when Run should ask for the next look at the whole frame
	watch   chan bool
	display atomic.Pointer[screen.Display]

	// set by the event goroutine, taken by Grab and Pointer
	damaged  atomic.Bool
	resized  atomic.Bool
	reshaped atomic.Bool
	serial   atomic.Uint32 // of the cursor's shape, as the newest event says
	checkDue atomic.Bool

	// owned by whoever grabs
	mem   memory
	frame screen.Frame
	grabs []band
	found screen.Damage
	alive aliveness

	pointer struct {
		sync.Mutex
		last    screen.Pointer
		moved   time.Time
		watched bool // Run keeps last up to date
	}
	active  activeAtom
	closing sync.Once
}

// options switch off what a server may lack; tests use them.
type options struct{ noSHM, noDamage, noDirect bool }

// Open connects to a display, named as in DISPLAY; the empty name is that of the environment. The cookie comes from
// XAUTHORITY or ~/.Xauthority. What is wrong with a display is a *NoDisplayError.
func Open(display string) (*X11, error) { return open(display, options{}) }

func open(display string, opt options) (*X11, error) {
	conn, name, err := connect(display)
	if err != nil {
		return nil, err
	}
	x := &X11{
		name: name, conn: conn,
		changed: make(chan struct{}, 1), check: make(chan time.Duration, 1), watch: make(chan bool, 1),
	}
	if err := x.prepare(opt); err != nil {
		conn.Close()
		if x.direct != nil {
			x.direct.close()
		}
		return nil, err
	}
	return x, nil
}

// prepare finds out what the server can and asks to be told of changes.
func (x *X11) prepare(opt options) error {
	root, err := rootOf(x.conn, x.name)
	if err != nil {
		return err
	}
	x.root = root
	err = xproto.ChangeWindowAttributesChecked(x.conn, root, xproto.CwEventMask, []uint32{xproto.EventMaskStructureNotify}).Check()
	if err != nil {
		return fmt.Errorf("watch the size of display %s: %w", x.name, err)
	}
	x.mem.shared = !opt.noSHM && extension(x.conn, "MIT-SHM", shm.Init)
	x.openRANDR()
	x.openXFIXES()
	if x.region != 0 && !opt.noDamage {
		x.openDamage()
	}
	x.damaged.Store(true)
	x.direct = &direct{fd: -1}
	if !opt.noDirect {
		x.direct = openDirect(x.conn, x.name)
	}
	return x.measure()
}

// openXFIXES needs at least version 2 for regions (fixesproto).
func (x *X11) openXFIXES() {
	if !extension(x.conn, "XFIXES", xfixes.Init) {
		return
	}
	if v, err := xfixes.QueryVersion(x.conn, 5, 0).Reply(); err != nil || v.MajorVersion < 2 {
		return
	}
	err := xfixes.SelectCursorInputChecked(x.conn, x.root, xfixes.CursorNotifyMaskDisplayCursor).Check()
	x.cursors = err == nil
	x.reshaped.Store(x.cursors)
	region, err := xfixes.NewRegionId(x.conn)
	if err == nil && xfixes.CreateRegionChecked(x.conn, region, nil).Check() == nil {
		x.region = region
	}
}

// openDamage asks for one event when the first damage comes and none until Grab has taken it: with a rectangle an event
// a busy display sends 32,000 a second.
func (x *X11) openDamage() {
	if !extension(x.conn, "DAMAGE", damage.Init) {
		return
	}
	if _, err := damage.QueryVersion(x.conn, 1, 1).Reply(); err != nil {
		return
	}
	id, err := damage.NewDamageId(x.conn)
	if err != nil {
		return
	}
	err = damage.CreateChecked(x.conn, id, xproto.Drawable(x.root), damage.ReportLevelNonEmpty).Check()
	if err == nil {
		x.damage = id
	}
}

// Changed has at most one pending signal: Grab or Pointer has something new.
func (x *X11) Changed() <-chan struct{} { return x.changed }

func (x *X11) wake() {
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

// Display is the geometry that the newest grab saw, or Open before the first.
func (x *X11) Display() screen.Display { return *x.display.Load() }

// Close ends the connection and gives the frame's memory back. The goroutine that grabs calls it when nobody reads the
// frame any more; Run, when it runs, returns.
func (x *X11) Close() {
	x.closing.Do(func() {
		x.conn.Close()
		x.direct.close()
		x.mem.free(nil)
		x.frame = screen.Frame{}
	})
}

// measure asks for the size and the monitors of the display.
func (x *X11) measure() error {
	g, err := xproto.GetGeometry(x.conn, xproto.Drawable(x.root)).Reply()
	if err != nil {
		return fmt.Errorf("measure display %s: %w", x.name, err)
	}
	size := image.Pt(int(g.Width), int(g.Height))
	x.display.Store(&screen.Display{Size: size, Monitors: x.monitors(size), Name: x.name})
	return nil
}

// NoDisplayError is a display that cannot be shown: there is none, it does not let us in, or its pixels are of a kind that
// this build does not read.
type NoDisplayError struct {
	Display string // as it was asked for
	Reason  string // a sentence without its full stop
	Hint    string // what the person can do about it
	Err     error  // may be nil
}

func (e *NoDisplayError) Error() string {
	if e.Display == "" {
		return "no display: " + e.Reason
	}
	return fmt.Sprintf("display %s: %s", e.Display, e.Reason)
}

func (e *NoDisplayError) Unwrap() error { return e.Err }
