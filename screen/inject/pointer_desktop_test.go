//go:build desktop

package inject

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"time"

	"assist/screen"
)

func press(b screen.Button, x, y int) screen.Input {
	return screen.Input{Kind: screen.ButtonPress, Button: b, At: image.Pt(x, y)}
}

func release(b screen.Button, x, y int) screen.Input {
	return screen.Input{Kind: screen.ButtonRelease, Button: b, At: image.Pt(x, y)}
}

// frame is where the inside of a window is on the display.
func (d *desktop) frame(title string) image.Rectangle {
	d.t.Helper()
	var r image.Rectangle
	for _, line := range strings.Split(d.run("xwininfo", "-name", title), "\n") {
		var v int
		line = strings.TrimSpace(line)
		if n, _ := fmt.Sscanf(line, "Absolute upper-left X: %d", &v); n == 1 {
			r.Min.X = v
		} else if n, _ := fmt.Sscanf(line, "Absolute upper-left Y: %d", &v); n == 1 {
			r.Min.Y = v
		} else if n, _ := fmt.Sscanf(line, "Width: %d", &v); n == 1 {
			r.Max.X = r.Min.X + v
		} else if n, _ := fmt.Sscanf(line, "Height: %d", &v); n == 1 {
			r.Max.Y = r.Min.Y + v
		}
	}
	if r.Empty() {
		d.t.Fatalf("no window %q", title)
	}
	return r
}

func TestDragMovesAWindow(t *testing.T) {
	d := newDesktop(t)
	d.terminal("dragged")
	x := d.open()
	var from image.Rectangle
	d.until("the window manager has placed it", func() bool {
		last := from
		from = d.frame("dragged")
		time.Sleep(100 * time.Millisecond)
		return from == last && from.Min != image.Pt(40, 60) // with its title bar it is lower than it asked to be
	})
	bar := image.Pt(from.Min.X+from.Dx()/2, from.Min.Y-10) // on the title bar
	d.play(x, press(1, bar.X, bar.Y))
	step := 0
	d.until("the window follows", func() bool { // the manager takes the first moves that it sees as the start of the drag
		step++
		d.play(x, screen.Input{Kind: screen.PointerMove, At: bar.Add(image.Pt(10+step%50, 20))})
		return d.frame("dragged").Min != from.Min
	})
	d.play(x, screen.Input{Kind: screen.PointerMove, At: bar.Add(image.Pt(200, 300))})
	d.play(x, release(1, bar.X+200, bar.Y+300))
	want, got := from.Min.Add(image.Pt(200, 300)), image.Point{}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && got != want; time.Sleep(20 * time.Millisecond) {
		got = d.frame("dragged").Min
	}
	if got != want {
		t.Errorf("the window is at %v, want %v", got, want)
	}
}

func TestWheelScrollsXterm(t *testing.T) {
	d := newDesktop(t)
	// With mouse reports on, xterm says what the wheel and the buttons do, and where.
	p := d.terminal("mouse", "stty -icanon -echo; printf '\\033[?1000h\\033[?1006h'; exec cat > %s")
	x := d.open()
	r := d.frame("mouse")
	at := r.Min.Add(image.Pt(100, 100))
	d.play(x, press(1, at.X, at.Y), release(1, at.X, at.Y), press(2, at.X, at.Y), release(2, at.X, at.Y))
	d.play(x, screen.Input{Kind: screen.Wheel, At: at, Steps: image.Pt(0, 2)}, screen.Input{Kind: screen.Wheel, At: at, Steps: image.Pt(0, -1)})
	var kinds []string
	d.until("all reports", func() bool {
		kinds = nil
		for _, s := range strings.Split(p.read(), "\x1b[<")[1:] {
			n, rest, _ := strings.Cut(s, ";")
			kinds = append(kinds, n+rest[len(rest)-1:])
		}
		return len(kinds) >= 7
	})
	if got, want := strings.Join(kinds, " "), "0M 0m 1M 1m 65M 65M 64M"; got != want {
		t.Errorf("reports %q, want %q", got, want)
	}
}

func TestExcludedPlacesGetNoButtons(t *testing.T) {
	d := newDesktop(t)
	p := d.terminal("mouse", "stty -icanon -echo; printf '\\033[?1000h\\033[?1006h'; exec cat > %s")
	x := d.open()
	r := d.frame("mouse")
	own := image.Rectangle{r.Min.Add(image.Pt(80, 80)), r.Min.Add(image.Pt(120, 120))}
	x.Exclude(func() []image.Rectangle { return []image.Rectangle{own} })
	in, out := r.Min.Add(image.Pt(100, 100)), r.Min.Add(image.Pt(200, 100))
	d.play(x, press(1, in.X, in.Y), release(1, in.X, in.Y), screen.Input{Kind: screen.Wheel, At: in, Steps: image.Pt(0, 2)})
	d.play(x, press(3, out.X, out.Y), release(3, out.X, out.Y))
	d.until("the click outside", func() bool { return strings.Count(p.read(), "\x1b[<") >= 2 })
	if got := p.read(); !strings.HasPrefix(got, "\x1b[<2;") || strings.Count(got, "\x1b[<") != 2 {
		t.Errorf("reports %q, want one click of button 3", got)
	}
}
