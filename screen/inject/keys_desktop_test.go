//go:build desktop

package inject

import (
	"image"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"

	"assist/screen"
)

func text(s string) screen.Input { return screen.Input{Kind: screen.TypeText, Text: s} }

func tap(k screen.Key, m screen.Mods) screen.Input {
	return screen.Input{Kind: screen.KeyTap, Key: k, Mods: m}
}

// isDown says whether the key that gives sym at its first level is down for programs.
func (x *X11) isDown(t *testing.T, sym keysym) bool {
	t.Helper()
	m, err := readMap(x.xkb)
	if err != nil {
		t.Fatal(err)
	}
	r, err := xproto.QueryKeymap(x.conn).Reply()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(m.holders[sym], func(c uint8) bool { return r.Keys[c/8]>>(c%8)&1 == 1 })
}

// customer presses or releases a key on the display's own keyboard, not on the one of XTEST.
func customer(t *testing.T, x *X11, sym keysym, press bool) {
	t.Helper()
	m, err := readMap(x.xkb)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyboards{display: x.devices.display}
	defer k.close()
	if !k.open() {
		t.Fatal("no X Input Extension")
	}
	list, err := k.ask(xiListDevices, nil)
	if err != nil {
		t.Fatal(err)
	}
	boards := slaveKeyboards(list)
	if len(boards) == 0 {
		t.Fatal("the display has no keyboard of its own")
	}
	r, err := xproto.QueryExtension(k.conn, 15, "XInputExtension").Reply()
	if err != nil {
		t.Fatal(err)
	}
	kind := r.FirstEvent + 2 // DeviceKeyRelease
	if press {
		kind = r.FirstEvent + 1
	}
	xtest.FakeInput(x.conn, kind, m.holders[sym][0], 0, x.root, 0, 0, boards[0])
	if err := x.sync(); err != nil {
		t.Fatal(err)
	}
}

func TestCustomersModifiersAreLiftedAndPutBack(t *testing.T) {
	d := newDesktop(t)
	d.layout("de")
	p := d.terminal("typist")
	x := d.open()
	p.types(t, x, "plain äÄ@€") // the window listens
	for _, held := range []keysym{symShiftL, symControlL, symAltL, symLevel3} {
		customer(t, x, held, true)
		if !x.isDown(t, held) {
			t.Fatalf("%x is not down", held)
		}
		p.types(t, x, "aB äÄ @€ 日本")
		d.play(x, tap('q', 0), tap(screen.KeyEnter, 0))
		p.gets(t, "q\n")
		if !x.isDown(t, held) {
			t.Errorf("%x was not put back", held)
		}
		customer(t, x, held, false)
		if x.isDown(t, held) {
			t.Errorf("%x stays down after the customer let go of it", held)
		}
		p.types(t, x, "aB äÄ @€")
		if x.isDown(t, held) {
			t.Errorf("%x is down again", held)
		}
	}
}

func TestCapsLockChangesNothing(t *testing.T) {
	d := newDesktop(t)
	p := d.terminal("typist")
	x := d.open()
	for _, layout := range []string{"us", "de", "gr"} {
		d.layout(layout)
		d.play(x, tap(screen.KeyCapsLock, 0))
		if st, err := readState(x.xkb); err != nil || st.locked&modLock == 0 {
			t.Fatalf("Caps Lock is not on: %+v %v", st, err)
		}
		p.types(t, x, "aAzZ äÄöÖ ñÑ жЖ ωΩ €@1! 日本")
		d.play(x, tap(screen.KeyCapsLock, 0))
		p.types(t, x, "aAzZ äÄöÖ ñÑ жЖ ωΩ €@1! 日本")
	}
}

func TestShortcutsReachTheProgram(t *testing.T) {
	d := newDesktop(t)
	p := d.terminal("typist")
	x := d.open()
	for _, layout := range []string{"us", "us,gr", "gr"} {
		d.layout(layout)
		if layout == "us,gr" { // switched to Greek by hand
			d.layout("gr,us")
		}
		p.types(t, x, "one")
		d.play(x, text("gone"), tap('u', screen.ModControl), text("two"), tap(screen.KeyEnter, 0)) // ^U kills the line
		p.gets(t, "two\n")
		d.play(x, tap('v', screen.ModControl), tap('a', screen.ModControl), tap(screen.KeyEnter, 0)) // ^V quotes
		p.gets(t, "\x01\n")
		// Modifiers as keys of their own.
		d.play(x, text("gone"), screen.Input{Kind: screen.KeyPress, Key: screen.KeyControl}, tap('u', 0),
			screen.Input{Kind: screen.KeyRelease, Key: screen.KeyControl}, text("three\n"))
		p.gets(t, "three\n")
		d.play(x, screen.Input{Kind: screen.KeyPress, Key: screen.KeyShift}, text("x"), tap('a', 0), // a text is what it is
			screen.Input{Kind: screen.KeyRelease, Key: screen.KeyShift}, tap('a', screen.ModShift), tap('A', 0), text("\n"))
		want := "xAAA\n"
		if layout != "us" {
			want = p.readLine()
			if strings.ToUpper(want) != "XAAA\n" {
				t.Errorf("%s: got %q", layout, want)
			}
			continue
		}
		p.gets(t, want)
	}
}

func TestEveryNamedKeyHasAKeycode(t *testing.T) {
	d := newDesktop(t)
	x := d.open()
	for k := range named {
		if k == screen.KeyPause {
			continue
		}
		if err := x.Play(tap(k, 0)); err != nil {
			t.Errorf("key %d: %v", k-screen.KeyNone, err)
		}
	}
	if err := x.Play(tap(screen.KeyNone, 0)); err == nil {
		t.Error("no key at all was played")
	}
}

func TestReservedKeyIsDropped(t *testing.T) {
	d := newDesktop(t)
	x := d.open()
	x.Reserve(screen.KeyPause)
	d.play(x, screen.Input{Kind: screen.KeyPress, Key: screen.KeyPause})
	if x.isDown(t, named[screen.KeyPause][0]) {
		t.Error("the customer's stop key was pressed")
	}
}

// TestKilledProcessLeavesNothing runs itself as a process that holds a key, a button and lent keycodes, and kills it.
func TestKilledProcessLeavesNothing(t *testing.T) {
	if name := os.Getenv("INJECT_VICTIM"); name != "" {
		victim(t, name)
	}
	d := newDesktop(t)
	before := d.run("xmodmap", "-pke")
	cmd := exec.Command(os.Args[0], "-test.run=TestKilledProcessLeavesNothing")
	cmd.Env = append(d.env(), "INJECT_VICTIM="+d.name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	other := d.open() // beside a living process: its keys and keycodes stay
	if !other.isDown(t, 'a') || d.run("xmodmap", "-pke") == before {
		t.Fatal("a living process lost its keys")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	time.Sleep(100 * time.Millisecond)
	if !other.isDown(t, 'a') {
		t.Fatal("the server let go by itself: the test tests nothing")
	}
	x := d.open()
	if x.isDown(t, 'a') || x.isDown(t, symControlL) {
		t.Error("a key of the dead process is still down")
	}
	if r, err := xproto.QueryPointer(x.conn, x.root).Reply(); err != nil || r.Mask&xproto.KeyButMaskButton1 != 0 {
		t.Errorf("a button of the dead process is still down: %v", err)
	}
	if after := d.run("xmodmap", "-pke"); after != before {
		t.Errorf("keycodes of the dead process are not restored:\n%s", after)
	}
}

func victim(t *testing.T, display string) {
	x, err := Open(display)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range []screen.Input{
		text("日本語"),
		{Kind: screen.KeyPress, Key: screen.KeyControl},
		{Kind: screen.KeyPress, Key: 'a'},
		{Kind: screen.ButtonPress, Button: 1, At: image.Pt(700, 700)},
	} {
		if err := x.Play(ev); err != nil {
			t.Fatal(err)
		}
	}
	os.Stdout.WriteString("!")
	select {}
}

func TestKeycodesAreGivenBack(t *testing.T) {
	d := newDesktop(t)
	d.layout("de")
	before := d.run("xmodmap", "-pke")
	x, err := Open(d.name)
	if err != nil {
		t.Fatal(err)
	}
	d.play(x, text("日本語 жЖ"), screen.Input{Kind: screen.KeyPress, Key: 'q'})
	if d.run("xmodmap", "-pke") == before {
		t.Fatal("nothing was lent: the test tests nothing")
	}
	d.until("given back when idle", func() bool { return d.run("xmodmap", "-pke") == before })
	if !x.isDown(t, 'q') {
		t.Error("a held key went up when idle")
	}
	d.play(x, text("中文"))
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if after := d.run("xmodmap", "-pke"); after != before {
		t.Errorf("not given back by Close:\n%s", after)
	}
	y := d.open()
	if y.isDown(t, 'q') {
		t.Error("Close left a key down")
	}
	if props := d.run("xprop", "-root"); strings.Count(props, ledgerName) != 1 {
		t.Errorf("root properties after Close and Open: %s", props)
	}
}

func TestReleaseAllEndsALongText(t *testing.T) {
	d := newDesktop(t)
	x := d.open()
	done := make(chan error, 1)
	go func() { done <- x.Play(text(strings.Repeat("日本語テスト中文한국어漢字", 200))) }()
	time.Sleep(50 * time.Millisecond)
	if err := x.ReleaseAll(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Second):
		t.Fatal("the text goes on")
	}
}

func BenchmarkTapAndMove(b *testing.B) {
	d := newDesktop(b)
	x := d.open()
	for b.Loop() {
		for _, ev := range []screen.Input{tap('a', 0), {Kind: screen.PointerMove, At: image.Pt(100, 100)}} {
			if err := x.Play(ev); err != nil {
				b.Fatal(err)
			}
		}
	}
}
