package control

import (
	"fmt"
	"image"
	"strings"
	"testing"
	"unicode/utf8"

	"assist/screen"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

var keyNames = map[screen.Key]string{
	screen.KeyEnter: "Enter", screen.KeyTab: "Tab", screen.KeyBackspace: "Backspace", screen.KeyEscape: "Escape", screen.KeyInsert: "Insert",
	screen.KeyDelete: "Delete", screen.KeyHome: "Home", screen.KeyEnd: "End", screen.KeyPageUp: "PageUp", screen.KeyPageDown: "PageDown",
	screen.KeyUp: "Up", screen.KeyDown: "Down", screen.KeyLeft: "Left", screen.KeyRight: "Right", screen.KeyPrint: "Print", screen.KeyPause: "Pause",
	screen.KeyShift: "Shift", screen.KeyControl: "Ctrl", screen.KeyAlt: "Alt", screen.KeyAltGr: "AltGr", screen.KeySuper: "Super",
	screen.KeyMenu: "Menu", screen.KeyCapsLock: "CapsLock", screen.KeyNumLock: "NumLock", screen.KeyScrollLock: "ScrollLock",
}

func keyName(k screen.Key) string {
	if n := keyNames[k]; n != "" {
		return n
	}
	if k >= screen.KeyF1 && k <= screen.KeyF12 {
		return fmt.Sprintf("F%d", k-screen.KeyF1+1)
	}
	return string(rune(k))
}

// say writes an event in the shorthand of these tests.
func say(e screen.Input) string {
	key := keyName(e.Key)
	if m := Names(e.Mods); m != "" {
		key = m + "-" + key
	}
	switch e.Kind {
	case screen.KeyTap:
		return key
	case screen.KeyPress:
		return "+" + key
	case screen.KeyRelease:
		return "-" + key
	case screen.TypeText:
		return fmt.Sprintf("%q", e.Text)
	case screen.PointerMove:
		return fmt.Sprintf("move%v", e.At)
	case screen.ButtonPress:
		return fmt.Sprintf("+button%d%v", e.Button, e.At)
	case screen.ButtonRelease:
		return fmt.Sprintf("-button%d%v", e.Button, e.At)
	case screen.Wheel:
		return fmt.Sprintf("wheel%v%v", e.Steps, e.At)
	}
	return "release all"
}

// machine is a customer's machine that writes down what it gets, as long as it is open.
type machine struct {
	got    []string
	closed bool
}

func (m *machine) take(e screen.Input) bool {
	if m.closed {
		return false
	}
	m.got = append(m.got, say(e))
	return true
}

func (m *machine) said() string {
	s := strings.Join(m.got, " ")
	m.got = nil
	return s
}

// feed sends the bytes of a terminal through the decoder that Bubble Tea uses.
func feed(c *Control, bytes string) {
	var d uv.EventDecoder
	buf := []byte(bytes)
	for len(buf) > 0 {
		n, ev := d.Decode(buf)
		switch ev := ev.(type) {
		case uv.KeyPressEvent:
			c.Press(tea.Key(ev))
		case uv.KeyReleaseEvent:
			c.Release(tea.Key(ev))
		}
		buf = buf[n:]
	}
}

// What old terminals (no releases) send, and what it becomes. The sequences are those of xterm's ctlseqs, the VT220 and rxvt.
func TestBytesOfOldTerminals(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "Z": "Z", " ": " ", "~": "~", "ß": `"ß"`, "é": `"é"`, "€": `"€"`, "日": `"日"`, "@": "@", "🙂": `"🙂"`,
		"\r": "Enter", "\t": "Tab", "\x7f": "Backspace", "\x1b": "Escape",
		"\x01": "Ctrl-a", "\x03": "Ctrl-c", "\x1a": "Ctrl-z", "\x08": "Ctrl-h", "\x00": "Ctrl- ", "\x1c": "Ctrl-\\", "\x1d": "Ctrl-]", "\x1e": "Ctrl-^", "\x1f": "Ctrl-_",
		"\x1ba": "Alt-a", "\x1bA": "Alt-Shift-a", "\x1b1": "Alt-1", "\x1b\x01": "Ctrl-Alt-a", "\x1b\r": "Alt-Enter", "\x1b\x7f": "Alt-Backspace",
		"\x1b[A": "Up", "\x1b[B": "Down", "\x1b[C": "Right", "\x1b[D": "Left", "\x1bOA": "Up", "\x1bOD": "Left",
		"\x1b[1;5C": "Ctrl-Right", "\x1b[1;2A": "Shift-Up", "\x1b[1;3D": "Alt-Left", "\x1b[1;6B": "Ctrl-Shift-Down", "\x1b[1;7B": "Ctrl-Alt-Down",
		"\x1b[H": "Home", "\x1b[F": "End", "\x1b[1~": "Home", "\x1b[4~": "End", "\x1b[2~": "Insert", "\x1b[3~": "Delete", "\x1b[5~": "PageUp", "\x1b[6~": "PageDown",
		"\x1b[3;5~": "Ctrl-Delete", "\x1b[5;2~": "Shift-PageUp", "\x1b[Z": "Shift-Tab",
		"\x1bOP": "F1", "\x1bOQ": "F2", "\x1bOR": "F3", "\x1bOS": "F4", "\x1b[15~": "F5", "\x1b[17~": "F6", "\x1b[18~": "F7", "\x1b[19~": "F8",
		"\x1b[20~": "F9", "\x1b[21~": "F10", "\x1b[23~": "F11", "\x1b[24~": "F12", "\x1b[1;2P": "Shift-F1", "\x1b[1;3S": "Alt-F4", "\x1b[15;5~": "Ctrl-F5", "\x1b[25~": "Shift-F1",
		"\x1b[27;5;13~": "Ctrl-Enter", "\x1b[27;6;9~": "Ctrl-Shift-Tab", "\x1b[27;5;44~": "Ctrl-,", "\x1b[27;6;73~": "Ctrl-Shift-i",
		"abc": "a b c", "a\x1b[Ab": "a Up b",
	} {
		var m machine
		feed(New(m.take), in)
		if got := m.said(); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

// What terminals with the kitty keyboard protocol send (flags 1|2|8|16), and what it becomes.
func TestBytesOfTerminalsWithReleases(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a letter is held", "\x1b[97;;97u\x1b[97;1:3u", "+a -a"},
		{"a repeat changes nothing", "\x1b[97;;97u\x1b[97;1:2;97u\x1b[97;1:3u", "+a -a"},
		{"a capital needs no Shift of ours", "\x1b[57441;2u\x1b[97;2;65u\x1b[97;2:3u\x1b[57441;1:3u", "+A -A"},
		{"the character counts, not the key", "\x1b[57453u\x1b[113;1;64u\x1b[113;1:3u\x1b[57453;1:3u", "+@ -@"},
		{"beyond ASCII it is text", "\x1b[228;;228u\x1b[228;1:3u", `"ä"`},
		{"Ctrl is held around", "\x1b[57442;5u\x1b[99;5u\x1b[99;5:3u\x1b[57442;1:3u", "+Ctrl +c -c -Ctrl"},
		{"Shift comes with the key that needs it", "\x1b[57441;2u\x1b[1;2C\x1b[1;2:3C\x1b[57441;1:3u", "+Shift +Right -Right -Shift"},
		{"Super alone opens menus", "\x1b[57444;9u\x1b[57444;1:3u", "+Super -Super"},
		{"Alt-Tab-Tab", "\x1b[57443;3u\x1b[9;3u\x1b[9;3:3u\x1b[9;3u\x1b[9;3:3u\x1b[57443;1:3u", "+Alt +Tab -Tab +Tab -Tab -Alt"},
		{"Ctrl-Shift-letter", "\x1b[57442;5u\x1b[57441;6u\x1b[116;6u\x1b[116;6:3u\x1b[57441;5:3u\x1b[57442;1:3u", "+Ctrl +Shift +t -t -Shift -Ctrl"},
		{"rollover", "\x1b[97;;97u\x1b[98;;98u\x1b[97;1:3u\x1b[98;1:3u", "+a +b -a -b"},
		{"a release without its press", "\x1b[97;1:3u", ""},
		{"print, pause, menu", "\x1b[57361u\x1b[57361;1:3u\x1b[57362u\x1b[57362;1:3u\x1b[57363u\x1b[57363;1:3u", "+Print -Print +Pause -Pause +Menu -Menu"},
		{"keypad", "\x1b[57404;;53u\x1b[57404;1:3u\x1b[57414u\x1b[57414;1:3u", "+5 -5 +Enter -Enter"},
	} {
		var m machine
		k := New(m.take)
		k.Releases = true
		feed(k, c.in)
		if got := m.said(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEveryNamedKeyOfTheTerminalIsKnownOrLeftOut(t *testing.T) {
	for code := tea.KeyUp; code <= tea.KeyIsoLevel5Shift; code++ {
		s, ok := translate(tea.Key{Code: code})
		if ok && s.mod == 0 && s.text == "" && !s.key.Valid() {
			t.Errorf("code %#x became the key %#x that no host knows", code, s.key)
		}
	}
	for _, k := range []tea.Key{{Code: tea.KeyMediaPlay}, {Code: tea.KeyF40}, {Code: tea.KeyExtended}, {Code: tea.KeyBegin}, {Code: 7}, {Code: 0x9b}, {Code: 'a', Text: "\x1b"}} {
		if s, ok := translate(k); ok && k.Text == "" {
			t.Errorf("%v became %+v", k, s)
		} else if ok && (s.text != "" || s.key < 0x20) {
			t.Errorf("a control character came through as %+v", s)
		}
	}
}

func TestLatchesAreForOneKey(t *testing.T) {
	var m machine
	c := New(m.take)
	c.Latched = screen.ModSuper
	feed(c, "ee")
	c.Latched = screen.ModControl | screen.ModAlt
	feed(c, "T")
	c.Latched = screen.ModControl
	c.Button(1, image.Pt(3, 4), 0)
	c.ButtonUp(0, image.Pt(3, 4))
	c.Releases, c.Latched = true, screen.ModAlt
	feed(c, "\x1b[9u\x1b[9;1:3u")
	want := "Super-e e Ctrl-Alt-Shift-t +Ctrl +button1(3,4) -button1(3,4) -Ctrl Alt-Tab"
	if got := m.said(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestMouse(t *testing.T) {
	var m machine
	c := New(m.take)
	c.Move(image.Pt(1, 1))
	c.Move(image.Pt(1, 1))
	c.Button(1, image.Pt(1, 1), tea.ModCtrl)
	c.Move(image.Pt(5, 5))
	c.Button(3, image.Pt(5, 5), tea.ModCtrl)
	c.ButtonUp(3, image.Pt(5, 5))
	if !c.Dragging() {
		t.Error("the first button is still down")
	}
	c.ButtonUp(1, image.Pt(5, 5))
	c.Wheel(image.Pt(0, -1), image.Pt(5, 5), tea.ModCtrl)
	want := "move(1,1) +Ctrl +button1(1,1) move(5,5) +button3(5,5) -button3(5,5) -button1(5,5) -Ctrl +Ctrl wheel(0,-1)(5,5) -Ctrl"
	if got := m.said(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestMotionWaitsAsOneAndNothingElseIsLost(t *testing.T) {
	m := machine{closed: true}
	c := New(m.take)
	feed(c, "a")
	for i := range 1000 {
		c.Move(image.Pt(i, 0))
	}
	c.Button(1, image.Pt(999, 0), 0)
	c.Move(image.Pt(7, 7))
	c.Move(image.Pt(8, 8))
	feed(c, "b")
	if c.Waiting() != 5 {
		t.Errorf("%d events wait, want 5", c.Waiting())
	}
	m.closed = false
	c.Flush()
	if got, want := m.said(), "a move(999,0) +button1(999,0) move(8,8) b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTooMuchWaitingIsSaid(t *testing.T) {
	m := machine{closed: true}
	c := New(m.take)
	for i := range MaxWaiting {
		if !c.Press(tea.Key{Code: 'x', Text: "x"}) {
			t.Fatalf("key %d was refused", i)
		}
	}
	if c.Press(tea.Key{Code: 'x', Text: "x"}) {
		t.Error("one too many was taken in silence")
	}
	m.closed = false
	c.Stop()
	if got := m.said(); got != "release all" {
		t.Errorf("after stop: %s", got)
	}
}

func TestPaste(t *testing.T) {
	var got []string
	c := New(func(e screen.Input) bool {
		if e.Kind != screen.TypeText || len(e.Text) > screen.MaxText || !utf8.ValidString(e.Text) {
			t.Errorf("event %v with %d bytes", e.Kind, len(e.Text))
		}
		got = append(got, e.Text)
		return true
	})
	long := strings.Repeat("aäö€日", 3000)
	if !c.Paste(long) || strings.Join(got, "") != long {
		t.Errorf("%d bytes came of %d", len(strings.Join(got, "")), len(long))
	}
	got = nil
	c.Paste("one\r\ntwo\rthree\n\tfour\x1b[201~rm -rf\x00\u009b\a\xff")
	if want := "one\ntwo\nthree\n\tfour[201~rm -rf\uFFFD"; strings.Join(got, "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if c.Paste(strings.Repeat("x", MaxPaste+1)) {
		t.Error("a paste over the limit was taken")
	}
}

func TestStopLetsGoOfEverything(t *testing.T) {
	var m machine
	c := New(m.take)
	c.Releases = true
	feed(c, "\x1b[57442;5u\x1b[97;5u")
	c.Button(1, image.Pt(1, 1), 0)
	m.said()
	c.Stop()
	feed(c, "\x1b[97;1:3u\x1b[57442;1:3u")
	if got := m.said(); got != "release all" {
		t.Errorf("got %s", got)
	}
}

func TestSpecialsAreKeysThatHostsKnow(t *testing.T) {
	for _, s := range Specials() {
		if s.Latch == s.Key.Valid() {
			t.Errorf("%s: key %#x, latch %v", s.Name, s.Key, s.Latch)
		}
	}
}
