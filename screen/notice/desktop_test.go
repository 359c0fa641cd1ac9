//go:build desktop

package notice

import (
	"bufio"
	"context"
	"errors"
	"image"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desktop is an X server of the test's own with a window manager, a notice in it, and a hand.
type desktop struct {
	t        *testing.T
	name     string // display
	hand     *xgb.Conn
	root     xproto.Window
	w        *Window
	contents chan Content
	acts     chan Action
}

func newDesktop(t *testing.T, size string) *desktop {
	t.Helper()
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", size+"x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{wr}
	start(t, cmd)
	wr.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb said no display number: %v", err)
	}
	r.Close()
	d := &desktop{t: t, name: ":" + strings.TrimSpace(line), contents: make(chan Content, 1), acts: make(chan Action, 16)}
	d.start("openbox", "--sm-disable")
	d.until("openbox is up", func() bool { return strings.Contains(d.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "0x") })
	if d.hand, err = xgb.NewConnDisplay(d.name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.hand.Close)
	if err := xtest.Init(d.hand); err != nil {
		t.Fatal(err)
	}
	d.root = xproto.Setup(d.hand).DefaultScreen(d.hand).Root
	if d.w, err = New(d.name); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.w.Run(ctx, d.contents, func(a Action) { d.acts <- a }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return d
}

func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}

func (d *desktop) start(name string, args ...string) {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+d.name)
	start(d.t, cmd)
}

func (d *desktop) run(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+d.name)
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out))
}

// until waits for what programs do; the notice has a second for what it does.
func (d *desktop) until(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	d.t.Fatalf("waited 10 s in vain: %s", what)
}

// sees waits until so many windows are really to be seen.
func (d *desktop) show(c Content, windows int) {
	d.t.Helper()
	d.contents <- c
	d.until("the windows are there", func() bool { return len(d.w.Rectangles()) == windows && d.visible() })
}

// visible says whether the display shows each window as it was drawn: the colour of its edge in all four corners, and of
// its ground beside them.
func (d *desktop) visible() bool {
	rects := d.w.Rectangles()
	for _, r := range rects {
		for _, p := range []image.Point{r.Min, {r.Max.X - 1, r.Min.Y}, {r.Min.X, r.Max.Y - 1}, r.Max.Sub(image.Pt(1, 1)), {(r.Min.X + r.Max.X) / 2, r.Min.Y}} {
			if d.pixel(p) != 0xffb020 {
				return false
			}
		}
		if d.pixel(r.Min.Add(image.Pt(4, 4))) != 0x161a22 {
			return false
		}
	}
	return true
}

func (d *desktop) pixel(p image.Point) uint32 {
	r, err := xproto.GetImage(d.hand, xproto.ImageFormatZPixmap, xproto.Drawable(d.root), int16(p.X), int16(p.Y), 1, 1, ^uint32(0)).Reply()
	if err != nil {
		return 0
	}
	return xgb.Get32(r.Data) & 0xffffff
}

// click presses and releases the left button.
func (d *desktop) click(p image.Point) {
	xtest.FakeInput(d.hand, xproto.MotionNotify, 0, 0, d.root, int16(p.X), int16(p.Y), 0)
	xtest.FakeInput(d.hand, xproto.ButtonPress, 1, 0, d.root, 0, 0, 0)
	xtest.FakeInput(d.hand, xproto.ButtonRelease, 1, 0, d.root, 0, 0, 0)
	d.hand.Sync()
}

// key taps a key by its keysym.
func (d *desktop) key(sym xproto.Keysym) {
	s := xproto.Setup(d.hand)
	r, err := xproto.GetKeyboardMapping(d.hand, s.MinKeycode, byte(s.MaxKeycode-s.MinKeycode+1)).Reply()
	if err != nil {
		d.t.Fatal(err)
	}
	for i, have := range r.Keysyms {
		if have == sym {
			code := byte(s.MinKeycode) + byte(i/int(r.KeysymsPerKeycode))
			xtest.FakeInput(d.hand, xproto.KeyPress, code, 0, d.root, 0, 0, 0)
			xtest.FakeInput(d.hand, xproto.KeyRelease, code, 0, d.root, 0, 0, 0)
			d.hand.Sync()
			return
		}
	}
	d.t.Fatalf("no key %x", sym)
}

// act is the next thing the customer did.
func (d *desktop) act() Action {
	d.t.Helper()
	select {
	case a := <-d.acts:
		return a
	case <-time.After(3 * time.Second):
		d.t.Fatal("nothing was done")
		return nil
	}
}

// idle says that nothing was done.
func (d *desktop) idle(why string) {
	d.t.Helper()
	select {
	case a := <-d.acts:
		d.t.Fatalf("%s, but %#v", why, a)
	case <-time.After(150 * time.Millisecond):
	}
}

// cover is another program's window; it returns how to undo it.
func (d *desktop) cover(r image.Rectangle, unmanaged bool) xproto.Window {
	d.t.Helper()
	id, err := xproto.NewWindowId(d.hand)
	if err != nil {
		d.t.Fatal(err)
	}
	over := uint32(0)
	if unmanaged {
		over = 1
	}
	xproto.CreateWindow(d.hand, xproto.WindowClassCopyFromParent, id, d.root, int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), 0,
		xproto.WindowClassInputOutput, xproto.WindowClassCopyFromParent, xproto.CwBackPixel|xproto.CwOverrideRedirect, []uint32{0x3366cc, over})
	xproto.MapWindow(d.hand, id)
	d.hand.Sync()
	return id
}

// ours lists the notice's windows, bar first.
func (d *desktop) ours() []xproto.Window {
	var out []xproto.Window
	r, err := xproto.QueryTree(d.hand, d.root).Reply()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, id := range r.Children {
		p, err := xproto.GetProperty(d.hand, false, id, xproto.AtomWmName, xproto.AtomString, 0, 100).Reply()
		if err == nil && strings.HasPrefix(string(p.Value), "assist:") {
			out = append(out, id)
		}
	}
	return out
}

// picture keeps what the display shows where NOTICE_PICTURES says so, to be looked at.
func (d *desktop) picture(name string) {
	if dir := os.Getenv("NOTICE_PICTURES"); dir != "" {
		d.run("import", "-window", "root", dir+"/"+name+".png")
	}
}

func size(w, h int) string { return itoa(w) + "x" + itoa(h) }

func itoa(v int) string { return strconv.Itoa(v) }
