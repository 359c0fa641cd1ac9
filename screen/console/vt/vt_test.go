package vt

import (
	"image"
	"strings"
	"testing"

	"assist/screen"
)

// shows is the text of the whole grid, rows trimmed, empty rows at the end left out.
func shows(g *screen.TextGrid) string {
	var rows []string
	for _, r := range g.Rows {
		var b strings.Builder
		for _, c := range r.Cells {
			b.WriteString(c.Text())
		}
		rows = append(rows, strings.TrimRight(b.String(), " "))
	}
	return strings.TrimRight(strings.Join(rows, "\n"), "\n")
}

func TestWhatProgramsWrite(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		at             image.Point
	}{
		{"text", "hello\r\nworld", "hello\nworld", image.Pt(5, 1)},
		{"wraps when the next comes", "0123456789", "0123456789", image.Pt(9, 0)},
		{"wrapped", "0123456789ab", "0123456789\nab", image.Pt(2, 1)},
		{"no wrap", "\x1b[?7l0123456789ab", "012345678b", image.Pt(9, 0)},
		{"scrolls", "1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5", image.Pt(1, 3)},
		{"region", "1\r\n2\r\n3\r\n4\x1b[2;3r\x1b[3;1H\n", "1\n3\n\n4", image.Pt(0, 2)},
		{"origin", "\x1b[2;3r\x1b[?6h\x1b[1;3Hx", "\n  x", image.Pt(3, 1)},
		{"reverse index", "1\r\n2\x1b[H\x1bM", "\n1\n2", image.Pt(0, 0)},
		{"HPA HPR VPA", "\x1b[5`a\x1b[2ab\x1b[3dc", "    a  b\n\n        c", image.Pt(9, 2)},
		{"REP", "ab\x1b[3b", "abbbb", image.Pt(5, 0)},
		{"ICH DCH ECH", "abcdef\x1b[H\x1b[2@\x1b[5G\x1b[1P\x1b[1X", "  ab ef", image.Pt(4, 0)},
		{"IL DL", "1\r\n2\r\n3\x1b[2H\x1b[L\x1b[1H\x1b[M", "\n2\n3", image.Pt(0, 0)},
		{"tabs", "a\tb\x1b[Zc", "a       c", image.Pt(9, 0)},
		{"line drawing", "\x1b(0lqk\x1b(Bx", "┌─┐x", image.Pt(4, 0)},
		{"shifted in", "\x1b)0a\x0eq\x0fb", "a─b", image.Pt(3, 0)},
		{"wide", "日本a", "日本a", image.Pt(5, 0)},
		{"wide at the edge", "012345678日", "012345678\n日", image.Pt(2, 1)},
		{"half of a wide one overwritten", "日本\x1b[2Gx", " x本", image.Pt(2, 0)},
		{"combining", "e\u0301x", "e\u0301x", image.Pt(2, 0)},
		{"at most four marks", "e\u0301\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301", image.Pt(1, 0)},
		{"invisible and bidi are not kept", "a\u202eb\u200dc\ufe0f", "abc", image.Pt(3, 0)},
		{"not UTF-8", "a\xffb\xe2\x82c", "a\ufffdb\ufffdc", image.Pt(5, 0)},
		{"alternate screen", "main\x1b[?1049halt\x1b[?1049l", "main", image.Pt(4, 0)},
		{"saved cursor", "ab\x1b7\x1b[3;5Hx\x1b8c", "abc\n\n    x", image.Pt(3, 0)},
		{"title, clipboard, images are dropped", "a\x1b]0;t\x07\x1b]52;c;eA==\x07\x1b_Gf=1;x\x1b\\\x1bPq#0\x1b\\b", "ab", image.Pt(2, 0)},
		{"a sequence cut by another", "\x1b[3\x1b[2Cx", "  x", image.Pt(3, 0)},
		{"cancelled", "\x1b[3\x18ab", "ab", image.Pt(2, 0)},
		{"insert mode", "abc\x1b[H\x1b[4hx", "xabc", image.Pt(1, 0)},
		{"margins of columns", "\x1b[?69h\x1b[3;6s\x1b[1;3Habcdef", "  abcd\n  ef", image.Pt(4, 1)},
		{"DECALN", "\x1b#8", strings.TrimSuffix(strings.Repeat("EEEEEEEEEE\n", 4), "\n"), image.Pt(0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for step := range 2 { // all at once, and byte by byte
				v := New(image.Pt(10, 4))
				if step == 0 {
					_, _ = v.Write([]byte(c.in))
				} else {
					for i := range len(c.in) {
						_, _ = v.Write([]byte{c.in[i]})
					}
				}
				g := v.Grid()
				if got := shows(g); got != c.want {
					t.Errorf("shows %q, want %q", got, c.want)
				}
				if g.Cursor.At != c.at {
					t.Errorf("cursor at %v, want %v", g.Cursor.At, c.at)
				}
			}
		})
	}
}

func TestStyles(t *testing.T) {
	for in, want := range map[string]screen.Style{
		"1;3;31":              {Fg: screen.PaletteColour(1), Attr: screen.Bold | screen.Italic},
		"4:3;58:5:9":          {Line: screen.PaletteColour(9), Attr: screen.CurlyLine},
		"4;24;9":              {Attr: screen.Strike},
		"38;5;200;48;2;1;2;3": {Fg: screen.PaletteColour(200), Bg: screen.RGBColour(1, 2, 3)},
		"38:2::1:2:3;7":       {Fg: screen.RGBColour(1, 2, 3), Attr: screen.Reverse},
		"38:2:1:2:3":          {Fg: screen.RGBColour(1, 2, 3)},
		"97;104":              {Fg: screen.PaletteColour(15), Bg: screen.PaletteColour(12)},
		"1;2;22;5":            {Attr: screen.Blink},
		"31;39;42;49;0":       {},
		"38;5;300;1":          {Attr: screen.Bold},
		"21":                  {Attr: screen.DoubleLine},
	} {
		v := New(image.Pt(4, 1))
		_, _ = v.Write([]byte("\x1b[" + in + "mx"))
		if got := v.Grid().Rows[0].Cells[0].Style; got != want {
			t.Errorf("SGR %s gives %+v, want %+v", in, got, want)
		}
		if !want.Valid() {
			t.Errorf("%+v is not valid", want)
		}
		// what is reported sets the same
		again := New(image.Pt(4, 1))
		_, _ = again.Write([]byte("\x1b[" + strings.Join(append([]string{"0"}, styleCodes(want)...), ";") + "mx"))
		if got := again.Grid().Rows[0].Cells[0].Style; got != want {
			t.Errorf("%+v reported as %v is read as %+v", want, styleCodes(want), got)
		}
	}
}

func TestAnswers(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[c":                  "\x1b[?62;22c",
		"\x1b[>c":                 "\x1b[>1;10;0c",
		"\x1b[2;3H\x1b[6n":        "\x1b[2;3R",
		"\x1b[5n":                 "\x1b[0n",
		"\x1b[?2004h\x1b[?2004$p": "\x1b[?2004;1$y",
		"\x1b[?77$p":              "\x1b[?77;0$y",
		"\x1b[1;4m\x1bP$qm\x1b\\": "\x1bP1$r0;1;4m\x1b\\",
		"\x1bP$qx\x1b\\":          "\x1bP0$r\x1b\\",
		"\x1bP+q544e\x1b\\":       "\x1bP0+r\x1b\\",
		"\x1b]11;?\x07":           "", // colours are not told
		"\x1b]52;c;?\x07":         "", // nor the clipboard
		"\x1b[21t":                "", // nor the title
	} {
		v, got := New(image.Pt(20, 5)), ""
		v.Reply = func(b []byte) { got += string(b) }
		_, _ = v.Write([]byte(in))
		if got != want {
			t.Errorf("%q is answered by %q, want %q", in, got, want)
		}
	}
}

func TestModesForInput(t *testing.T) {
	v := New(image.Pt(20, 5))
	_, _ = v.Write([]byte("\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?1049h"))
	want := screen.CursorKeys | screen.Keypad | screen.BracketedPaste | screen.MouseDrags | screen.MouseSGR | screen.AlternateScreen | screen.WheelKeys
	if got := v.Grid().Modes; got != want {
		t.Errorf("modes %b, want %b", got, want)
	}
	_, _ = v.Write([]byte("\x1b[?1003h\x1b[?1l"))
	if got := v.Grid().Modes; got.Has(screen.MouseDrags) || !got.Has(screen.MouseMotion) || got.Has(screen.CursorKeys) {
		t.Errorf("modes %b after a change", got)
	}
	_, _ = v.Write([]byte("\x1bc"))
	if got := v.Grid().Modes; got != screen.WheelKeys {
		t.Errorf("modes %b after a reset", got)
	}
}

func TestLinesScrollOff(t *testing.T) {
	v := New(image.Pt(10, 3))
	var off []string
	v.Scrolled = func(r screen.Row) {
		off = append(off, strings.TrimRight(shows(&screen.TextGrid{Rows: []screen.Row{r}}), " "))
	}
	_, _ = v.Write([]byte("1\r\n2\r\n3\r\n4\r\n5\x1b[?1049h\r\n\r\n\r\n\r\n\x1b[?1049l\x1b[2;3r\n\n\n"))
	if got := strings.Join(off, " "); got != "1 2" {
		t.Errorf("lines %q scrolled off, want those of the whole main screen", got)
	}
}

func TestRowsAreShared(t *testing.T) {
	v := New(image.Pt(10, 3))
	_, _ = v.Write([]byte("1\r\n2\r\n3"))
	a := v.Grid()
	_, _ = v.Write([]byte("\r\nx"))
	b := v.Grid()
	if &a.Rows[1].Cells[0] != &b.Rows[0].Cells[0] {
		t.Error("a row that only moved was copied")
	}
	if shows(a) != "1\n2\n3" {
		t.Errorf("a grid that was handed out changed to %q", shows(a))
	}
}

func TestResizeKeepsTheCursorInSight(t *testing.T) {
	v := New(image.Pt(10, 4))
	off := 0
	v.Scrolled = func(screen.Row) { off++ }
	_, _ = v.Write([]byte("1\r\n2\r\n3\r\n日本語日本"))
	v.Resize(image.Pt(9, 2))
	if got := shows(v.Grid()); got != "3\n日本語日" || off != 2 {
		t.Errorf("after shrinking %q, %d lines off", got, off)
	}
	v.Resize(image.Pt(20, 5))
	_, _ = v.Write([]byte("\r\nend"))
	if got := shows(v.Grid()); got != "3\n日本語日\nend" {
		t.Errorf("after growing %q", got)
	}
}

// FuzzWrite holds what every grid promises, whatever is written.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("\x1b[?69h\x1b[3;6s\x1b[1;3H日本\x1b[2@\x1b['}"), uint8(7), uint8(3))
	f.Add([]byte("\x1b#6日本\x1b[200b\x1b[?3h\x1b[?1049h\x1b[5T"), uint8(1), uint8(1))
	f.Add([]byte("\x1b[4h日\x1b[10P\x1b[3X\x1b[2;3r\x1b[?6h\x1bM"), uint8(20), uint8(4))
	f.Fuzz(func(t *testing.T, b []byte, w, h uint8) {
		v := New(image.Pt(int(w%40), int(h%12)))
		v.Reply = func([]byte) {}
		half := len(b) / 2
		_, _ = v.Write(b[:half])
		v.Resize(image.Pt(int(h%40), int(w%12)))
		_, _ = v.Write(b[half:])
		Promises(t, v.Grid())
	})
}

// Promises checks what holds of every grid.
func Promises(t *testing.T, g *screen.TextGrid) {
	t.Helper()
	if len(g.Rows) != g.Size.Y || !g.Cursor.At.In(image.Rectangle{Max: g.Size}) {
		t.Fatalf("grid of %v has %d rows and its cursor at %v", g.Size, len(g.Rows), g.Cursor.At)
	}
	for y, r := range g.Rows {
		if len(r.Cells) != g.Size.X {
			t.Fatalf("row %d has %d cells of %d", y, len(r.Cells), g.Size.X)
		}
		for x, c := range r.Cells {
			rest := x+1 < len(r.Cells) && r.Cells[x+1].Span == screen.WideRest
			switch {
			case c.Span == screen.WideLead && !rest, c.Span != screen.WideLead && rest:
				t.Fatalf("half a wide character at %d,%d", x, y)
			case c.Span == screen.WideRest && c.Rune != 0:
				t.Fatalf("a character in the second half at %d,%d", x, y)
			case c.Rune != 0 && !screen.CellRune(c.Rune) && c.Rune != 0xFFFD, !c.Style.Valid():
				t.Fatalf("cell %+v at %d,%d", c, x, y)
			}
			marks := 0
			for _, m := range c.Marks {
				if marks++; marks > screen.MaxMarks || !screen.CellMark(m) {
					t.Fatalf("marks %q at %d,%d", c.Marks, x, y)
				}
			}
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	line := []byte(strings.Repeat("the quick brown fox \x1b[31mjumps\x1b[m over", 2) + "\r\n")
	v := New(image.Pt(80, 24))
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		_, _ = v.Write(line)
	}
}
