//go:build desktop || lab

package capture

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// servers are the X servers of this process, by display.
var servers = map[string]*os.Process{}

// startX starts an X server without a screen on a display number that it picks itself.
func startX(t testing.TB, geometry string, args ...string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	argv := append([]string{"-displayfd", "3", "-screen", "0", geometry, "-nolisten", "tcp", "-noreset"}, args...)
	cmd := exec.Command("Xvfb", argv...)
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not say its display: %v", err)
	}
	display := ":" + strings.TrimSpace(line)
	servers[display] = cmd.Process
	return display
}

// brush draws on the root window of a display.
type brush struct {
	t    testing.TB
	conn *xgb.Conn
	root xproto.Window
	gc   xproto.Gcontext
	rnd  *rand.Rand
}

func newBrush(t testing.TB, display string) *brush {
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	b := &brush{t: t, conn: conn, root: xproto.Setup(conn).DefaultScreen(conn).Root, rnd: rand.New(rand.NewPCG(1, 1))}
	if b.gc, err = xproto.NewGcontextId(conn); err != nil {
		t.Fatal(err)
	}
	if err := xproto.CreateGCChecked(conn, b.gc, xproto.Drawable(b.root), 0, nil).Check(); err != nil {
		t.Fatal(err)
	}
	return b
}

// strokes fills n rectangles and returns when the server has drawn them.
func (b *brush) strokes(n int, on image.Point) {
	b.t.Helper()
	for range n {
		xproto.ChangeGC(b.conn, b.gc, xproto.GcForeground, []uint32{b.rnd.Uint32() & 0xFFFFFF})
		r := xproto.Rectangle{
			X: int16(b.rnd.IntN(on.X)), Y: int16(b.rnd.IntN(on.Y)),
			Width: uint16(1 + b.rnd.IntN(on.X/3)), Height: uint16(1 + b.rnd.IntN(on.Y/3)),
		}
		xproto.PolyFillRectangle(b.conn, xproto.Drawable(b.root), b.gc, []xproto.Rectangle{r})
	}
	if _, err := xproto.GetInputFocus(b.conn).Reply(); err != nil {
		b.t.Fatal(err)
	}
}

// whole is the display as the server gives it in one piece.
func (b *brush) whole(size image.Point) []byte {
	b.t.Helper()
	reply, err := xproto.GetImage(b.conn, xproto.ImageFormatZPixmap, xproto.Drawable(b.root), 0, 0, uint16(size.X), uint16(size.Y), ^uint32(0)).Reply()
	if err != nil {
		b.t.Fatal(err)
	}
	return reply.Data
}

// hideCursor gives the root window a cursor without a pixel, as programs do that hide it. The brush has to live on: the
// server does not show the cursor of a program that is gone.
func (b *brush) hideCursor() {
	b.t.Helper()
	pixmap, err := xproto.NewPixmapId(b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	cursor, err := xproto.NewCursorId(b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	gc, err := xproto.NewGcontextId(b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	xproto.CreatePixmap(b.conn, 1, pixmap, xproto.Drawable(b.root), 8, 8)
	xproto.CreateGC(b.conn, gc, xproto.Drawable(pixmap), xproto.GcForeground, []uint32{0})
	xproto.PolyFillRectangle(b.conn, xproto.Drawable(pixmap), gc, []xproto.Rectangle{{Width: 8, Height: 8}})
	xproto.CreateCursor(b.conn, cursor, pixmap, pixmap, 0, 0, 0, 0, 0, 0, 0, 0)
	if err := xproto.ChangeWindowAttributesChecked(b.conn, b.root, xproto.CwCursor, []uint32{uint32(cursor)}).Check(); err != nil {
		b.t.Fatal(err)
	}
}

// run opens a display and runs it until the test ends.
func run(t testing.TB, display string, opt options) *X11 {
	t.Helper()
	x, err := open(display, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		x.Close()
	})
	return x
}

// until grabs after each wake until ok, and returns all damage on the way.
func until(t testing.TB, x *X11, what string, ok func(*screen.Frame) bool) screen.Damage {
	t.Helper()
	var all screen.Damage
	deadline := time.After(15 * time.Second)
	for {
		f, d, err := x.Grab()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d...)
		if ok(f) {
			return all
		}
		select {
		case <-x.Changed():
		case <-deadline:
			t.Fatalf("it never happened: %s", what)
		}
	}
}

// same says whether a frame shows what the display shows, the unused byte aside.
func same(f *screen.Frame, want []byte) bool {
	if len(want) != f.Size.X*f.Size.Y*4 {
		return false
	}
	for y := range f.Size.Y {
		row, w := f.Pix[y*f.Stride:], want[y*f.Size.X*4:]
		for i := range f.Size.X * 4 {
			if i%4 != 3 && row[i] != w[i] {
				return false
			}
		}
	}
	return true
}

func sh(t testing.TB, display, format string, args ...any) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", fmt.Sprintf(format, args...))
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Args[2], err, out)
	}
	return string(out)
}
