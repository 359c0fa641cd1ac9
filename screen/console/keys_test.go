package console

import (
	"image"
	"testing"

	"assist/screen"
)

func TestKeysAreWhatTheProgramAskedFor(t *testing.T) {
	tap := func(k screen.Key, m screen.Mods) screen.Input {
		return screen.Input{Kind: screen.KeyTap, Key: k, Mods: m}
	}
	for _, c := range []struct {
		ev    screen.Input
		modes screen.TextModes
		want  string
	}{
		{tap('a', 0), 0, "a"},
		{tap('a', screen.ModShift), 0, "A"},
		{tap('c', screen.ModControl), 0, "\x03"},
		{tap(' ', screen.ModControl), 0, "\x00"},
		{tap('/', screen.ModControl), 0, "\x1f"},
		{tap('x', screen.ModAlt), 0, "\x1bx"},
		{tap('x', screen.ModAlt|screen.ModControl), 0, "\x1b\x18"},
		{tap('é', 0), 0, "é"},
		{tap(screen.KeyEnter, 0), 0, "\r"},
		{tap(screen.KeyEnter, 0), screen.NewLine, "\r\n"},
		{tap(screen.KeyTab, screen.ModShift), 0, "\x1b[Z"},
		{tap(screen.KeyBackspace, 0), 0, "\x7f"},
		{tap(screen.KeyBackspace, screen.ModControl), 0, "\b"},
		{tap(screen.KeyUp, 0), 0, "\x1b[A"},
		{tap(screen.KeyUp, 0), screen.CursorKeys, "\x1bOA"},
		{tap(screen.KeyUp, screen.ModControl), screen.CursorKeys, "\x1b[1;5A"},
		{tap(screen.KeyHome, screen.ModShift|screen.ModAlt), 0, "\x1b[1;4H"},
		{tap(screen.KeyF1, 0), 0, "\x1bOP"},
		{tap(screen.KeyF4, screen.ModShift), 0, "\x1b[1;2S"},
		{tap(screen.KeyF5, 0), 0, "\x1b[15~"},
		{tap(screen.KeyF12, screen.ModControl), 0, "\x1b[24;5~"},
		{tap(screen.KeyDelete, 0), 0, "\x1b[3~"},
		{tap(screen.KeyPageUp, screen.ModShift), 0, "\x1b[5;2~"},
		{tap(screen.KeySuper, 0), 0, ""},
		{screen.Input{Kind: screen.TypeText, Text: "日本\n\x1b[31m\u009b"}, 0, "日本\r[31m"},
		{screen.Input{Kind: screen.PasteText, Text: "a\r\nb\x1b[201~c"}, screen.BracketedPaste, "\x1b[200~a\rb[201~c\x1b[201~"},
		{screen.Input{Kind: screen.PasteText, Text: "a\nb"}, 0, "a\rb"},
	} {
		var k keyboard
		if got := string(k.encode(c.ev, c.modes, image.Pt(80, 24))); got != c.want {
			t.Errorf("%+v in modes %b sends %q, want %q", c.ev, c.modes, got, c.want)
		}
	}
}

func TestHeldModifiersCount(t *testing.T) {
	var k keyboard
	size := image.Pt(80, 24)
	k.encode(screen.Input{Kind: screen.KeyPress, Key: screen.KeyControl}, 0, size)
	if got := string(k.encode(screen.Input{Kind: screen.KeyPress, Key: 'd'}, 0, size)); got != "\x04" {
		t.Errorf("Control and d sends %q", got)
	}
	k.encode(screen.Input{Kind: screen.KeyRelease, Key: 'd'}, 0, size)
	k.encode(screen.Input{Kind: screen.ReleaseAll}, 0, size)
	if got := string(k.encode(screen.Input{Kind: screen.KeyPress, Key: 'd'}, 0, size)); got != "d" {
		t.Errorf("d after all was let go sends %q", got)
	}
}

func TestTheMouseIsReportedAsAsked(t *testing.T) {
	down := screen.Input{Kind: screen.ButtonPress, Button: 1, At: image.Pt(9, 4)}
	up := screen.Input{Kind: screen.ButtonRelease, Button: 1, At: image.Pt(11, 4)}
	move := screen.Input{Kind: screen.PointerMove, At: image.Pt(10, 4)}
	turn := screen.Input{Kind: screen.Wheel, Steps: image.Pt(0, -2), At: image.Pt(0, 0)}
	for _, c := range []struct {
		name  string
		modes screen.TextModes
		evs   []screen.Input
		want  string
	}{
		{"nobody asked", 0, []screen.Input{down, move, up, turn}, ""},
		{"X10", screen.MouseX10, []screen.Input{down, move, up}, "\x1b[M *%"},
		{"buttons", screen.MouseButtons, []screen.Input{down, move, up}, "\x1b[M *%\x1b[M#,%"},
		{"drags, SGR", screen.MouseDrags | screen.MouseSGR, []screen.Input{move, down, {Kind: screen.PointerMove, At: image.Pt(10, 5)}, up}, "\x1b[<0;10;5M\x1b[<32;11;6M\x1b[<0;12;5m"},
		{"motion, SGR", screen.MouseMotion | screen.MouseSGR, []screen.Input{move, move}, "\x1b[<35;11;5M"},
		{"wheel, SGR", screen.MouseButtons | screen.MouseSGR, []screen.Input{turn}, "\x1b[<64;1;1M\x1b[<64;1;1M"},
		{"wheel, URXVT", screen.MouseButtons | screen.MouseURXVT, []screen.Input{turn}, "\x1b[96;1;1M\x1b[96;1;1M"},
		{"wheel as keys", screen.AlternateScreen | screen.WheelKeys | screen.CursorKeys, []screen.Input{{Kind: screen.Wheel, Steps: image.Pt(0, 1)}}, "\x1bOB\x1bOB\x1bOB"},
		{"beyond the grid", screen.MouseButtons | screen.MouseSGR, []screen.Input{{Kind: screen.ButtonPress, Button: 3, At: image.Pt(500, 500)}}, "\x1b[<2;80;24M"},
		{"with Control", screen.MouseButtons | screen.MouseSGR, []screen.Input{{Kind: screen.ButtonPress, Button: 2, Mods: screen.ModControl}}, "\x1b[<17;1;1M"},
	} {
		var k keyboard
		got := ""
		for _, ev := range c.evs {
			got += string(k.encode(ev, c.modes, image.Pt(80, 24)))
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSizesAreAgreed(t *testing.T) {
	s := sizes{now: DefaultSize}
	s.want(1, image.Pt(100, 40), false)
	if got := s.size(); got != image.Pt(100, 40) {
		t.Errorf("one looks: %v", got)
	}
	s.want(2, image.Pt(120, 30), true)
	s.want(3, image.Pt(90, 50), true)
	if got := s.size(); got != image.Pt(90, 30) {
		t.Errorf("two control: %v", got)
	}
	s.want(3, image.Point{}, false)
	s.want(2, image.Point{}, false)
	if got := s.size(); got != image.Pt(100, 40) {
		t.Errorf("the one who looks again: %v", got)
	}
	s.want(1, image.Point{}, false)
	if got := s.size(); got != image.Pt(100, 40) {
		t.Errorf("nobody: %v", got)
	}
	fixed := sizes{fixed: image.Pt(70, 20), now: image.Pt(70, 20)}
	if fixed.want(1, image.Pt(10, 10), true) || fixed.size() != image.Pt(70, 20) {
		t.Errorf("a fixed size became %v", fixed.size())
	}
}

func TestTheMachinesConsole(t *testing.T) {
	attrs := []byte{2, 3, 1, 1, 'a', 0x07, 'b', 0x1c, ' ', 0x70, 'c', 0x87, ' ', 0x07, ' ', 0x07}
	runes := make([]byte, 0, 24)
	for _, r := range []rune{'a', '─', ' ', 0x1b, ' ', ' '} {
		runes = append(runes, byte(r), byte(r>>8), byte(r>>16), byte(r>>24)) // this machine is little-endian, as all that run the tests
	}
	g, err := parseVCS(attrs, runes)
	if err != nil {
		t.Fatal(err)
	}
	want := []screen.Cell{
		{Rune: 'a'},
		{Rune: '─', Style: screen.Style{Fg: screen.PaletteColour(9), Bg: screen.PaletteColour(4)}},
		{Style: screen.Style{Fg: screen.PaletteColour(0), Bg: screen.PaletteColour(7)}},
		{Style: screen.Style{Attr: screen.Blink}}, // its character is a control
	}
	for i, c := range want {
		if got := g.Rows[i/3].Cells[i%3]; got != c {
			t.Errorf("cell %d is %+v, want %+v", i, got, c)
		}
	}
	if g.Size != image.Pt(3, 2) || g.Cursor.At != image.Pt(1, 1) {
		t.Errorf("size %v, cursor %v", g.Size, g.Cursor.At)
	}
	for _, cut := range []int{0, 3, 9} {
		if _, err := parseVCS(attrs[:cut], runes); err == nil {
			t.Errorf("%d bytes were taken for a console", cut)
		}
	}
}
