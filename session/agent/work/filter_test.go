package work

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// filtered passes s through in pieces of n bytes.
func filtered(t testing.TB, s string, full bool, n int) string {
	t.Helper()
	var out bytes.Buffer
	f := Filter{To: &out, Full: full}
	for rest := []byte(s); len(rest) > 0; {
		k := min(n, len(rest))
		if w, err := f.Write(rest[:k]); w != k || err != nil {
			t.Fatal(w, err)
		}
		rest = rest[k:]
	}
	return out.String()
}

func TestFilter(t *testing.T) {
	for _, x := range []struct{ in, lines, full string }{
		{"plain ä 日 \t\r\n", "plain ä 日 \t\r\n", "plain ä 日 \t\r\n"},
		{"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"},
		{"a\x1b[2J\x1b[3;4Hb", "ab", "a\x1b[2J\x1b[3;4Hb"},
		{"\x1b]0;title\x07x\x1b]52;c;cm0K\x1b\\y", "xy", "xy"},
		{"\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[?6n\x1b[21t\x1b[14t", "", ""},
		{"\x1bP$q\"p\x1b\\z\x1b_Gi=1\x1b\\\x1b^x\x1b\\\x1bXs\x1b\\", "z", "z"},
		{"\x1b[?1049h\x1b[?25l\x1b[?2004h", "", "\x1b[?1049h\x1b[?25l\x1b[?2004h"},
		{"\x1b[?1049;5h\x1b[?9999h\x1b[20h", "", ""},
		{"\x1b[4h\x1b[2 q\x1b[9 q", "", "\x1b[4h\x1b[2 q"},
		{"\x1b(0qqq\x1b(B\x1b(K", "qqq", "\x1b(0qqq\x1b(B"},
		{"\x1bc\x1b7\x1b#8x", "␛c␛7␛#8x", "\x1b78x"},
		{"\u009b31m\x9b31m", "\uFFFD31m\uFFFD31m", "\uFFFD31m\uFFFD31m"},
		{"\xe6\x97x\xff\xc3", "\uFFFDx\uFFFD", "\uFFFDx\uFFFD"},
		{"\b\a\x00\x7f\x0e", "␈␇␀␡␎", "\b\a"},
		{"\x1b[" + strings.Repeat("1;", 100) + "mx", "x", "x"},
		{"\x1b[31\x1b[32mx\x1b[3\ny", "\x1b[32mx\ny", "\x1b[32mx\ny"},
		{"\x1b[38:2::1:2:3mx\x1b[>4;2m", "\x1b[38:2::1:2:3mx", "\x1b[38:2::1:2:3mx"},
	} {
		for _, n := range []int{1, 2, 3, 1000} {
			if got := filtered(t, x.in, false, n); got != x.lines && n == 1000 {
				t.Errorf("lines of %q: %q, want %q", x.in, got, x.lines)
			}
			if got := filtered(t, x.in, true, n); got != x.full && n == 1000 {
				t.Errorf("all of %q: %q, want %q", x.in, got, x.full)
			}
			if a, b := filtered(t, x.in, true, n), filtered(t, x.in, true, 1000); a != b {
				t.Errorf("%q in pieces of %d: %q, else %q", x.in, n, a, b)
			}
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{"\x1b[6n", "\x1b]0;x\x07", "\x1bP\x1b\\", "a\x9b6n", "\x1b[?1h", "\x1b\x1b[6n", "\x1b[\x1b[6n"} {
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		for _, full := range []bool{false, true} {
			out := filtered(t, s, full, int(n)+1)
			if !utf8.ValidString(out) {
				t.Fatalf("%q makes bytes that are no text: %q", s, out)
			}
			if again := filtered(t, out, full, 1000); again != out {
				t.Fatalf("%q makes %q, which does not pass: %q", s, out, again)
			}
			for _, bad := range []string{"\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bc"} {
				if strings.Contains(out, bad) {
					t.Fatalf("%q makes %q", s, out)
				}
			}
		}
	})
}
