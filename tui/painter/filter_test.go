package painter

import (
	"strings"
	"testing"
)

func passed(f *filter, parts ...string) (out string, seen []rune) {
	var b []byte
	for _, p := range parts {
		b = f.pass(b, []byte(p), found{sentinel: func(r rune) { seen = append(seen, r) }, mode: func(string, bool) {}})
	}
	return string(b), seen
}

func TestFilterLetsThroughWhatAConsoleSays(t *testing.T) {
	for _, s := range []string{
		"plain ▀ 日本語\r\n\t\b", "\x1b[m\x1b[1;38;2;1;2;3mx\x1b[0m", "\x1b[H\x1b[2J\x1b[3;4H\x1b[5d\x1b[6G\x1b[7X\x1b[K\x1b[2L\x1b[3M\x1b[1;5r\x1bM\x1b7\x1b8",
		"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?1004h", "\x1b[>4;2m\x1b[>1u\x1b[?u\x1b[<1u\x1b[=5;1u\x1b[>q\x1b[c\x1b[?2026$p\x1b[?5W",
		"\x1b]2;assist 1234\a", "\x1b]52;c;aGVsbG8=\a", "\x1b]11;?\a", "\x1bP+q524742\x1b\\", "\x1b[2 q",
	} {
		var f filter
		if got, _ := passed(&f, s); got != s || f.blocked != 0 {
			t.Errorf("%q became %q, %d blocked", s, got, f.blocked)
		}
	}
}

func TestFilterStopsTheRest(t *testing.T) {
	for _, s := range []string{
		"\x1b]0;a\x01b\a", "\x1b]8;;http://x\a", "\x1b]52;c;?\a", "\x1b]9;note\a", "\x1b]4;1;red\a", "\x1bPq#0;2;0;0;0\x1b\\", "\x1bP$qr\x1b\\", "\x1b_Gf=100;AAAA\x1b\\",
		"\x1b^x\x1b\\", "\x1bXx\x1b\\", "\x1b[21t", "\x1b[6n", "\x1b[?6n", "\x1b[5i", "\x1b[?1h", "\x1b[20h", "\x1b[!p", "\x1b[?2027;47h", "\x1bc", "\x1b#8", "\x1b(0", "\x1b%@",
		"\u009b31m", "\u0090", "\x07", "\x05", "\x0e", "\x7f", "\x1b[>0t",
	} {
		var f filter
		got, _ := passed(&f, s)
		if strings.ContainsAny(got, "\x1b\x07\x05\x0e\x7f") || strings.Contains(got, "\u009b") || f.blocked == 0 {
			t.Errorf("%q became %q, %d blocked", s, got, f.blocked)
		}
	}
}

func TestFilterWaitsForTheEnd(t *testing.T) {
	var f filter
	whole := "a\x1b[1;31mb\x1b]2;t\ac\U000F1234"
	for cut := range len(whole) {
		if got, seen := passed(&f, whole[:cut], whole[cut:]); got != "a\x1b[1;31mb\x1b]2;t\ac " || len(seen) != 1 {
			t.Errorf("cut at %d: %q, %d sentinels", cut, got, len(seen))
		}
	}
}

func TestSentinelsNeverReachTheTerminal(t *testing.T) {
	var f filter
	got, seen := passed(&f, "x\U000F0001\U000F0002\U00100003y\U0010FFFDz")
	if got != "x\x1b[2C y z" || len(seen) != 4 {
		t.Errorf("%q, %d sentinels", got, len(seen))
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("\x1b[?1049hx\x1b]0;t\a\x1bP+q41\x1b\\\U000F0000")
	f.Add("\x1b\x1b[\x1b]\x1b\\\xc2\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		var one, two filter
		whole, _ := passed(&one, s)
		again, _ := passed(&two, whole)
		if two.blocked != 0 || again != whole {
			t.Errorf("%q became %q, and that %q with %d blocked", s, whole, again, two.blocked)
		}
	})
}
