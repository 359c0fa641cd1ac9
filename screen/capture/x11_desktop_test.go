//go:build desktop

package capture

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/xproto"
	"go.uber.org/goleak"

	"assist/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ways = []struct {
	name string
	opt  options
}{
	{"shared memory", options{}},
	{"shared memory, all over xgb", options{noDirect: true}},
	{"over the connection", options{noSHM: true}},
	{"without DAMAGE", options{noDamage: true}},
	{"without either", options{noSHM: true, noDamage: true}},
}

func TestFrameShowsWhatTheDisplayShows(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			display := startX(t, "701x403x24")
			size := image.Pt(701, 403)
			b := newBrush(t, display)
			x := run(t, display, way.opt)
			if x.mem.size != (image.Point{}) {
				t.Error("memory before the first grab")
			}
			for round := range 8 {
				b.strokes(1+round*3, size)
				want := b.whole(size)
				d := until(t, x, "the frame shows the display", func(f *screen.Frame) bool { return same(f, want) })
				for _, r := range d {
					if r.Empty() || !r.In(image.Rectangle{Max: size}) {
						t.Fatalf("damage %v on a display of %v", r, size)
					}
				}
				if round == 0 && (len(d) == 0 || d[0] != (image.Rectangle{Max: size})) {
					t.Errorf("first damage %v", d)
				}
			}
			if !way.opt.noDamage && !x.alive.until.IsZero() {
				t.Error("something changed that DAMAGE did not tell of")
			}
			if x.direct.open() == way.opt.noDirect {
				t.Errorf("direct connection: %v", x.direct.open())
			}
			if x.mem.shared == way.opt.noSHM {
				t.Errorf("shared memory: %v", x.mem.shared)
			}
		})
	}
}

func TestDamageIsWhatChanged(t *testing.T) {
	display := startX(t, "640x480x24")
	b := newBrush(t, display)
	x := run(t, display, options{})
	until(t, x, "first frame", func(*screen.Frame) bool { return true })
	at := xproto.Rectangle{X: 10, Y: 300, Width: 20, Height: 5}
	xproto.ChangeGC(b.conn, b.gc, xproto.GcForeground, []uint32{0x123456})
	xproto.PolyFillRectangle(b.conn, xproto.Drawable(b.root), b.gc, []xproto.Rectangle{at})
	d := until(t, x, "the stroke is seen", func(f *screen.Frame) bool { return f.Pix[300*f.Stride+40] == 0x56 })
	if len(d) != 1 || d[0] != image.Rect(10, 300, 30, 305) {
		t.Errorf("damage %v", d)
	}
	f, d, err := x.Grab()
	if err != nil || len(d) > 0 {
		t.Errorf("nothing changed, damage %v, %v", d, err)
	}
	seq := f.Seq
	if f, _, _ = x.Grab(); f.Seq != seq {
		t.Error("the frame has another number, but nothing changed")
	}
}

func TestDisplayThatChangesItsSize(t *testing.T) {
	for _, opt := range []options{{}, {noDirect: true}, {noSHM: true}} {
		display := startX(t, "1280x1024x24")
		b := newBrush(t, display)
		x := run(t, display, opt)
		for _, size := range []image.Point{image.Pt(1280, 1024), image.Pt(800, 600), image.Pt(1280, 1024), image.Pt(1000, 333)} {
			// xrandr complains of the mode, which Xvfb does not mind.
			sh(t, display, "xrandr --fb %dx%d || true", size.X, size.Y)
			b.strokes(5, size)
			want := b.whole(size)
			until(t, x, "a frame of the new size", func(f *screen.Frame) bool { return f.Size == size && same(f, want) })
			got := x.Display()
			if got.Size != size || len(got.Monitors) == 0 || got.Name != display {
				t.Errorf("%+v at %v", got, size)
			}
		}
	}
}

func TestDirectConnectionThatBreaks(t *testing.T) {
	display := startX(t, "701x403x24")
	size := image.Pt(701, 403)
	b := newBrush(t, display)
	x := run(t, display, options{})
	for round := range 4 {
		b.strokes(3, size)
		want := b.whole(size)
		switch round {
		case 1: // an answer that is not the one waited for
			x.direct.seq++
		case 2:
			if x.direct.open() {
				t.Error("the direct connection goes on after a wrong answer")
			}
		}
		until(t, x, "the frame shows the display", func(f *screen.Frame) bool { return same(f, want) })
	}
	if !x.alive.until.IsZero() {
		t.Error("damage was lost")
	}
}

func TestMonitors(t *testing.T) {
	display := startX(t, "800x600x24")
	x := run(t, display, options{})
	if got := x.Display().Monitors; len(got) != 1 || got[0].Bounds != image.Rect(0, 0, 800, 600) || got[0].Name != "screen" {
		t.Fatalf("%+v", got)
	}
	sh(t, display, "xrandr --setmonitor left 400/100x600/100+0+0 screen && xrandr --setmonitor right 400/100x600/100+400+0 none")
	until(t, x, "two monitors", func(*screen.Frame) bool { return len(x.Display().Monitors) == 2 })
	for _, m := range x.Display().Monitors {
		want := image.Rect(0, 0, 400, 600)
		if m.Name == "right" {
			want = want.Add(image.Pt(400, 0))
		}
		if m.Bounds != want {
			t.Errorf("%+v, want %v", m, want)
		}
	}
}

func TestDeadDamageIsNoticed(t *testing.T) {
	display := startX(t, "320x240x24")
	b := newBrush(t, display)
	x, err := Open(display)
	if err != nil {
		t.Fatal(err)
	}
	// Damage of a window that is never shown: it stays silent, as with a dead driver.
	window, err := xproto.NewWindowId(x.conn)
	if err != nil {
		t.Fatal(err)
	}
	xproto.CreateWindow(x.conn, 0, window, x.root, 0, 0, 1, 1, 0, xproto.WindowClassInputOutput, 0, 0, nil)
	if x.damage, err = damage.NewDamageId(x.conn); err != nil {
		t.Fatal(err)
	}
	if err := damage.CreateChecked(x.conn, x.damage, xproto.Drawable(window), damage.ReportLevelNonEmpty).Check(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	defer func() { cancel(); <-done; x.Close() }()
	size := image.Pt(320, 240)
	until(t, x, "first frame", func(*screen.Frame) bool { return true })
	for range 3 {
		b.strokes(4, size)
		want := b.whole(size)
		until(t, x, "the change is found", func(f *screen.Frame) bool { return same(f, want) })
	}
	if !x.alive.until.After(time.Now()) {
		t.Error("DAMAGE is still relied on")
	}
}

func TestPointer(t *testing.T) {
	display := startX(t, "640x480x24")
	x := run(t, display, options{})
	sh(t, display, "xsetroot -cursor_name watch")
	x.Watch(true)
	shapes := map[uint32]bool{}
	for i, at := range []image.Point{image.Pt(5, 7), image.Pt(639, 479), image.Pt(0, 0)} {
		sh(t, display, "xdotool mousemove %d %d && xsetroot -cursor_name %s", at.X, at.Y, []string{"gumby", "heart", "left_ptr"}[i])
		deadline := time.After(10 * time.Second)
		for {
			p, err := x.Pointer()
			if err != nil {
				t.Fatal(err)
			}
			if p.At == at && !p.Hidden && !shapes[p.Shape] {
				shapes[p.Shape] = true
				break
			}
			select {
			case <-x.Changed():
			case <-deadline:
				t.Fatalf("pointer %+v, want at %v with a new shape", p, at)
			}
		}
	}
}

func TestHiddenPointer(t *testing.T) {
	display := startX(t, "640x480x24")
	b := newBrush(t, display)
	x := run(t, display, options{})
	if p, err := x.Pointer(); err != nil || p.Hidden {
		t.Errorf("the server's own cursor: %+v, %v", p, err)
	}
	b.hideCursor()
	until(t, x, "the cursor is hidden", func(*screen.Frame) bool {
		p, err := x.Pointer()
		return err == nil && p.Hidden
	})
}

func TestNoDisplay(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	locked, cookie := startLockedX(t)
	shallow := startX(t, "320x240x16")
	for _, c := range []struct{ display, authority, reason string }{
		{"", "", "DISPLAY is not set"},
		{":9999", "", "no X server answers there"},
		{"nonsense", "", "not the name"},
		{":9x", "", "not the name"},
		{locked, "/nonexistent", "does not let this user in"},
		{shallow, "", "16 bits"},
		{shallow + ".7", "", "no screen 7"},
	} {
		if c.authority != "" {
			t.Setenv("XAUTHORITY", c.authority)
		}
		x, err := Open(c.display)
		var no *NoDisplayError
		if !errors.As(err, &no) || !strings.Contains(err.Error(), c.reason) || no.Hint == "" {
			t.Errorf("%q: %v, %v", c.display, x, err)
		}
	}
	t.Setenv("XAUTHORITY", cookie)
	x, err := Open(locked)
	if err != nil {
		t.Fatalf("with the cookie: %v", err)
	}
	if !x.direct.open() {
		t.Error("the direct connection does not know the cookie")
	}
	x.Close()
	t.Setenv("WAYLAND_DISPLAY", "wayland-0")
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), "Wayland") {
		t.Errorf("on Wayland: %v", err)
	}
}

// startLockedX starts an X server that asks for a cookie, and writes it to a file as xauth does (Xauth(3)).
func startLockedX(t *testing.T) (display, file string) {
	entry := binary.BigEndian.AppendUint16(nil, 65535) // any address
	for _, s := range []string{"", "", "MIT-MAGIC-COOKIE-1", "0123456789abcdef"} {
		entry = append(binary.BigEndian.AppendUint16(entry, uint16(len(s))), s...)
	}
	file = filepath.Join(t.TempDir(), "cookie")
	if err := os.WriteFile(file, entry, 0o600); err != nil {
		t.Fatal(err)
	}
	return startX(t, "320x240x24", "-auth", file), file
}

func TestServerThatDies(t *testing.T) {
	display := startX(t, "320x240x24")
	x, err := Open(display)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- x.Run(t.Context()) }()
	if _, _, err := x.Grab(); err != nil {
		t.Fatal(err)
	}
	if err := servers[display].Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("Run: %v", err)
	}
	x.damaged.Store(true)
	if _, _, err := x.Grab(); err == nil {
		t.Error("a display that is gone can be grabbed")
	}
	x.Close()
}
