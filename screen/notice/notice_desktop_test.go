//go:build desktop

package notice

import (
	"image"
	"reflect"
	"testing"
	"time"

	"github.com/jezek/xgb/shape"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
	"assist/screen/inject"
)

var sharing = Content{
	Sharing: true,
	People:  []Person{{Name: "Anna Schmidt", Org: "Example Support GmbH", Controls: true}, {Name: "Βασίλης", Org: "Other Org", Away: true}},
}

func question(verified bool, asks ...string) *Question {
	q := &Question{
		Serial: 7, Name: "Anna Schmidt", Handle: "anna@example", Org: "Example Support GmbH", Asks: asks,
		Trust: "known to this relay only, not verified", Words: []string{"apple", "river", "stone"}, Deadline: time.Now().Add(60 * time.Second),
	}
	if verified {
		q.Verified, q.Trust, q.Words = true, "verified", nil
	}
	return q
}

func TestPictures(t *testing.T) {
	for _, c := range []struct{ w, h int }{{1920, 1080}, {1280, 800}, {3840, 2160}} {
		d := newDesktop(t, size(c.w, c.h))
		d.start("xterm", "-geometry", "100x40+100+30")
		d.show(Content{Code: "12345678"}, 1)
		d.picture(size(c.w, c.h) + "-code")
		d.show(sharing, 1)
		d.picture(size(c.w, c.h) + "-bar")
		both := sharing
		both.Question = question(false, "view", "control", "diag", "file")
		d.show(both, 2)
		d.picture(size(c.w, c.h) + "-ask")
		d.show(Content{}, 0)
	}
}

func TestNothingHidesTheNotice(t *testing.T) {
	d := newDesktop(t, "1280x800")
	both := sharing
	both.Question = question(true, "view")
	d.show(both, 2)
	if err := shape.Init(d.hand); err != nil {
		t.Fatal(err)
	}
	screen := image.Rect(0, 0, 1280, 800)
	for name, hide := range map[string]func(xproto.Window){
		"a full screen window that no manager knows": func(xproto.Window) { d.cover(screen, true) },
		"a window of the window manager":             func(xproto.Window) { d.cover(screen.Inset(20), false) },
		"lowering": func(id xproto.Window) {
			xproto.ConfigureWindow(d.hand, id, xproto.ConfigWindowStackMode, []uint32{xproto.StackModeBelow})
		},
		"unmapping":  func(id xproto.Window) { xproto.UnmapWindow(d.hand, id) },
		"destroying": func(id xproto.Window) { xproto.DestroyWindow(d.hand, id) },
		"moving away": func(id xproto.Window) {
			xproto.ConfigureWindow(d.hand, id, xproto.ConfigWindowX|xproto.ConfigWindowY, []uint32{5000, 5000})
		},
		"making small": func(id xproto.Window) {
			xproto.ConfigureWindow(d.hand, id, xproto.ConfigWindowWidth|xproto.ConfigWindowHeight, []uint32{1, 1})
		},
		"shaping": func(id xproto.Window) { shape.Rectangles(d.hand, shape.SoSet, shape.SkBounding, 0, id, 0, 0, nil) },
		"reparenting": func(id xproto.Window) {
			xproto.ReparentWindow(d.hand, id, d.cover(image.Rect(0, 700, 10, 710), true), 0, 0)
		},
	} {
		for i, id := range d.ours() {
			hide(id)
			d.hand.Sync()
			gone := time.Now()
			time.Sleep(50 * time.Millisecond)
			d.until(name, d.visible)
			if took := time.Since(gone); took > 1500*time.Millisecond {
				t.Errorf("%s, window %d: back after %v", name, i, took)
			}
		}
	}
	if n := len(d.ours()); n != 2 {
		t.Errorf("%d windows", n)
	}
}

func TestStopByButtonAndKey(t *testing.T) {
	d := newDesktop(t, "1280x800")
	d.show(sharing, 1)
	r := d.w.Rectangles()[0]
	d.click(image.Pt(r.Max.X-60, r.Min.Y+30))
	if a := d.act(); a != (Stop{}) {
		t.Errorf("the button did %#v", a)
	}
	d.click(image.Pt(r.Min.X+60, r.Min.Y+30))
	d.idle("a click beside the button does nothing")
	if !d.w.StopKey() {
		t.Fatal("Pause is not ours")
	}
	d.start("xterm", "-T", "typist", "-geometry", "80x24+300+300")
	d.until("a terminal has the keyboard", func() bool { return d.run("xdotool", "getwindowfocus", "getwindowname") == "typist" })
	for _, lock := range []xproto.Keysym{0, 0xff7f, 0xffe5} { // Num Lock, Caps Lock
		if lock != 0 {
			d.key(lock)
		}
		d.key(symPause)
		if a := d.act(); a != (Stop{}) {
			t.Errorf("Pause did %#v", a)
		}
	}
}

func TestAgentsCannotPressTheCustomersButtons(t *testing.T) {
	d := newDesktop(t, "1280x800")
	x, err := inject.Open(d.name)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	x.Exclude(d.w.Rectangles)
	x.Reserve(screen.KeyPause)
	d.show(sharing, 1)
	r := d.w.Rectangles()[0]
	at := image.Pt(r.Max.X-60, r.Min.Y+30)
	for _, ev := range []screen.Input{
		{Kind: screen.ButtonPress, Button: 1, At: at},
		{Kind: screen.ButtonRelease, Button: 1, At: at},
		{Kind: screen.ButtonPress, Button: 1, At: at.Add(image.Pt(0, 200))}, // pressed outside, released inside
		{Kind: screen.ButtonRelease, Button: 1, At: at},
		{Kind: screen.KeyTap, Key: screen.KeyPause},
		{Kind: screen.KeyPress, Key: screen.KeyPause, Mods: screen.ModControl},
	} {
		if err := x.Play(ev); err != nil {
			t.Fatal(err)
		}
	}
	d.idle("the agent pressed the stop button and key")
	d.click(at)
	if a := d.act(); a != (Stop{}) {
		t.Errorf("the customer's click did %#v", a)
	}
}

func TestDraggedAsideButNeverOff(t *testing.T) {
	d := newDesktop(t, "1280x800")
	d.show(sharing, 1)
	drag := func(from, to image.Point) {
		d.run("xdotool", "mousemove", itoa(from.X), itoa(from.Y), "mousedown", "1", "mousemove", itoa(to.X), itoa(to.Y), "mouseup", "1")
	}
	r := d.w.Rectangles()[0]
	drag(r.Min.Add(image.Pt(100, 30)), r.Min.Add(image.Pt(50, 430)))
	want := r.Add(image.Pt(-50, 400))
	d.until("it moved", func() bool { return d.w.Rectangles()[0] == want && d.visible() })
	drag(want.Min.Add(image.Pt(100, 30)), image.Pt(1279, 799))
	d.until("it stays inside", func() bool { return d.w.Rectangles()[0].Max == image.Pt(1280, 800) && d.visible() })
	next := sharing
	next.Status = "asks for a file"
	d.show(next, 1)
	if got := d.w.Rectangles()[0].Max; got != image.Pt(1280, 800) {
		t.Errorf("a new content moved it to %v", got)
	}
	d.idle("a drag is no answer")
}

func TestAnswers(t *testing.T) {
	d := newDesktop(t, "1280x800")
	ask := func(q *Question) {
		t.Helper()
		d.show(Content{}, 0)
		d.show(Content{Question: q}, 1)
	}
	paint, err := newPainter() // the window's own belongs to Run
	if err != nil {
		t.Fatal(err)
	}
	// The spots are where the drawing says; what the customer sees is looked at in TestPictures.
	at := func(q *Question, does does, nth int) image.Point {
		t.Helper()
		for _, s := range paint.askParts(q, &choice{}, 60, 0, 1200, 1).spots {
			if s.does == does {
				if nth == 0 {
					return d.w.Rectangles()[0].Min.Add(s.at.Min).Add(image.Pt(8, 8))
				}
				nth--
			}
		}
		t.Fatal("no such spot")
		return image.Point{}
	}
	expect := func(allow ...string) {
		t.Helper()
		if a, ok := d.act().(Answer); !ok || a.Serial != 7 || !reflect.DeepEqual(a.Allow, allow) {
			t.Errorf("answer %#v, want %v", a, allow)
		}
	}
	q := question(true, "view", "control", "diag")
	ask(q)
	d.click(at(q, doAllow, 0))
	d.idle("the buttons are off in the first second")
	time.Sleep(graceKnown)
	d.click(at(q, doAllow, 0))
	expect("view")
	d.click(at(q, doAllow, 1))
	expect("view", "control")
	d.click(at(q, doTick, 0))
	d.click(at(q, doAllow, 0))
	expect("view", "diag")
	d.click(at(q, doRefuse, 0))
	expect()

	ask(q)
	d.key(symReturn)
	d.key(symEscape)
	d.idle("the question does not have the keyboard yet")
	d.click(d.w.Rectangles()[0].Min.Add(image.Pt(300, 8))) // anywhere
	d.until("it has the keyboard", func() bool {
		r, err := xproto.GetInputFocus(d.hand).Reply()
		return err == nil && len(d.ours()) == 1 && r.Focus == d.ours()[0]
	})
	d.key(symReturn)
	expect() // refuse is what Enter presses
	d.key(symEscape)
	expect()
	time.Sleep(graceKnown)
	d.key(symTab)
	d.key(symTab)
	d.key(symReturn)
	expect("view")

	q = question(false, "view")
	ask(q)
	time.Sleep(graceKnown + 500*time.Millisecond)
	d.click(at(q, doAllow, 0))
	d.idle("the button is off for five seconds")
	time.Sleep(graceUnknown - graceKnown)
	d.click(at(q, doAllow, 0))
	expect("view")
}
