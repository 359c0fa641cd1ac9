package painter

import (
	"strings"
	"testing"
)

func TestOnTheAlternateScreenTheCursorIsAsked(t *testing.T) {
	var f filter
	got := string(f.pass(nil, []byte("a\x1b[?1049hb"), found{mode: func(string, bool) {}, greeting: AskWidths}))
	if want := "a\x1b[?1049h\x1b[2;1Hé\x1b[6n\x1b[3;1H\U0001CD00\x1b[6n\x1b[H\x1b[Jb"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A terminal without Unicode gets as many characters of ASCII as it would have got cells.
func TestLatinIsAsWide(t *testing.T) {
	for text, want := range map[string]string{
		"│ ● Zoë ── 日本 │": "| * Zoe -- ???? |", "╭─╮╰═╯": "+-++=+", "▀▄█ x→y…": "### x>y.", "e\u0301a\u0308": "ea", "plain": "plain", "“no”": `"no"`,
	} {
		f := filter{latin: true}
		want = strings.ReplaceAll(want, "=", "-")
		if got := string(f.pass(nil, []byte(text), found{})); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
