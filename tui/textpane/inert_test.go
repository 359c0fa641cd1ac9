package textpane

import (
	"image"
	"strings"
	"testing"
	"unicode/utf8"

	"assist/screen"
	"assist/screen/console/vt"
	"assist/tui/cell"
)

// FuzzViewIsInert holds that whatever a program writes, what is drawn of it is characters that may stand in a cell and the
// sequences that this package writes: SGR and nothing else (threats A12, A13).
func FuzzViewIsInert(f *testing.F) {
	for _, s := range []string{
		"\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07\x1b[6n\x1b[>c\x1bP+q544e\x1b\\", "\x1b[?1049h\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
		"\x1b_Gf=24,s=1;AAAA\x1b\\\x1bPq#0;2;0;0;0\x1b\\", "\u202eevil\u2066\u200b\u200d\ufeff\u009b31m", "\x9b31m\x90q\x9c", "\x1b[31m\x1b[4:3;58:2::1:2:3mx\x1b[201~",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term := vt.New(image.Pt(30, 6))
		_, _ = term.Write(b)
		p := pane(25, 8, term.Grid())
		p.Caret = true
		p.Show(0, "e")
		for i, row := range p.View() {
			if !inert(row) {
				t.Fatalf("row %d is %q", i, row)
			}
			if w := cell.Width(row); w != 25 {
				t.Fatalf("row %d is %d cells wide: %q", i, w, row)
			}
		}
	})
}

// inert says whether s is characters of cells and SGR.
func inert(s string) bool {
	for s != "" {
		if rest, is := strings.CutPrefix(s, "\x1b["); is {
			end := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != ';' && r != ':' })
			if end < 0 || rest[end] != 'm' {
				return false
			}
			s = rest[end+1:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || !screen.CellRune(r) && !screen.CellMark(r) {
			return false
		}
		s = s[n:]
	}
	return true
}
