package cell

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestCleanLetsNothingMoveTheCursor(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"äöü € 日本語":                "äöü € 日本語",
		"a\tb":                     "a b",
		"two\nlines":               "two lines",
		"\x1b[2Jgone":              "·[2Jgone",
		"\u009b2J":                 "·2J",
		"over\rwritten":            "over·written",
		"bell\a back\b del\x7f":    "bell· back· del·",
		"abc\u202ecba":             "abc·cba",
		"zero\u200bwidth\ufeff":    "zero·width·",
		"bad\xffbyte":              "bad·byte",
		"private\ue000 \U000F0000": "private· ·",
		"line\u2028sep \u2029":     "line·sep ·",
		"e\u0301 combines, stays":  "e\u0301 combines, stays",
		"emoji \u2764\ufe0f \U0001F469\u200d\U0001F4BB": "emoji \u2764 \U0001F469\U0001F4BB",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b]0;title\x07b")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
				t.Fatalf("%U of %q came through", r, s)
			}
		}
	})
}

func TestFitting(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Fit("abc", 5), "abc  "},
		{Fit("abcdef", 4), "abc…"},
		{Fit("日本語", 5), "日本…"},
		{Fit("日本語", 4), "日… "},
		{Center("ab", 5), " ab  "},
		{Ends("left", "right", 12), "left   right"},
		{Ends("left side", "right", 10), "left…right"},
		{Fit("x", 0), ""},
		{strings.Join(Wrap("one two three", 7), "|"), "one two|three"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestOverlayKeepsWhatIsAround(t *testing.T) {
	base := Block{"aaaaaa", "bbbbbb", "cccccc"}
	got := Overlay(base, Block{"XX", "YY"}, 2, 1)
	want := Block{"aaaaaa", "bb\x1b[mXX\x1b[mbb", "cc\x1b[mYY\x1b[mcc"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if base[1] != "bbbbbb" {
		t.Error("base was changed")
	}
	if got := Overlay(base, Block{"XX", "YY", "ZZ"}, 5, 2); len(got) != 3 {
		t.Errorf("grew to %d rows", len(got))
	}
}

func TestOverlayKeepsColoursBehind(t *testing.T) {
	base := Block{"\x1b[48;2;255;0;0m      \x1b[m"}
	got := Overlay(base, Block{"XX"}, 2, 0)[0]
	right := got[strings.Index(got, "XX"):]
	if !strings.Contains(right, "48;2;255;0;0m") || Width(got) != 6 {
		t.Errorf("the right side lost its colour: %q", got)
	}
}
