package chat

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var classes = map[string]func(string) string{"name": Name, "title": Title, "file": FileName, "line": Line, "body": Body}

func TestSanitise(t *testing.T) {
	for _, c := range []struct{ name, in, asName, asBody string }{
		{"plain", "Dana Reyes", "Dana Reyes", "Dana Reyes"},
		{"empty", "", "", ""},
		{"umlauts composed", "Mu\u0308ller", "Müller", "Müller"},
		{"japanese", "日本語", "日本語", "日本語"},
		{"csi", "\x1b[31mred", "␛[31mred", "␛[31mred"},
		{"c1 csi", "\u009b31m", "␛[31m", "␛[31m"},
		{"c1 as a byte", "\x9b31m", "�31m", "�31m"},
		{"osc 52", "\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇", "␛]52;c;aGk=␇"},
		{"end of bracketed paste", "\x1b[201~rm -rf /\r", "␛[201~rm -rf /␍", "␛[201~rm -rf /␍"},
		{"del, bs, nul", "a\x7f\b\x00", "a␡␈␀", "a␡␈␀"},
		{"lf", "a\nb", "a␊b", "a\nb"},
		{"crlf", "a\r\nb", "a␍␊b", "a\nb"},
		{"tab", "a\tb", "a b", "a    b"},
		{"bidi override", "a\u202ecod.exe", "a�cod.exe", "a�cod.exe"},
		{"isolates", "\u2066x\u2069", "�x�", "�x�"},
		{"zero width run", "ad\u200b\u200c\u2060min", "ad�min", "ad�min"},
		{"pieces are not joined", "\x1b\u200b[", "␛�[", "␛�["},
		{"soft hyphen, bom", "a\u00adb\ufeff", "a�b�", "a�b�"},
		{"private use", "\ue000\U000f0001x", "�x", "�x"},
		{"noncharacter, tags", "\ufdd0a\U000e0041", "�a�", "�a�"},
		{"line separators", "a\u2028b\u2029c", "a�b�c", "a�b�c"},
		{"hangul filler", "\u3164", "�", "�"},
		{"odd spaces", "a\u00a0b\u3000c", "a b c", "a\u00a0b\u3000c"},
		{"invalid utf-8", "a\xffb\xed\xa0\x80c", "a�b�c", "a�b�c"},
		{"family", "👨\u200d👩\u200d👧\u200d👦", "👨�👩�👧�👦", "👨\u200d👩\u200d👧\u200d👦"},
		{"heart", "❤\ufe0f!", "❤�!", "❤\ufe0f!"},
		{"keycap", "1\ufe0f\u20e3", "1�⃣", "1\ufe0f\u20e3"},
		{"zwj between letters", "a\u200db", "a�b", "a�b"},
		{"zwj at the end", "👨\u200d", "👨�", "👨�"},
		{"five people", strings.Repeat("👨\u200d", 4) + "👨", "👨�👨�👨�👨�👨", strings.Repeat("👨\u200d", 3) + "👨�👨"},
		{"selectors stacked", "❤\ufe0f\ufe0f\ufe0f", "❤�", "❤\ufe0f�"},
		{"mark without a base", "\u0336x", "◌̶x", "◌̶x"},
		{"mark after a line", "a\n\u0336x", "a␊̶x", "a\n◌̶x"},
		{"zalgo", "a" + strings.Repeat("\u0336", 40), "a" + strings.Repeat("\u0336", 4) + "�", "a" + strings.Repeat("\u0336", 4) + "�"},
		{"flag", "🇩🇪", "🇩🇪", "🇩🇪"},
		{"skin tone", "👍🏽", "👍🏽", "👍🏽"},
		{"hebrew stays", "שלום", "שלום", "שלום"},
	} {
		if got := Name(c.in); got != c.asName {
			t.Errorf("%s: Name(%q) = %q, want %q", c.name, c.in, got, c.asName)
		}
		if got := Body(c.in); got != c.asBody {
			t.Errorf("%s: Body(%q) = %q, want %q", c.name, c.in, got, c.asBody)
		}
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("界", 20000)
	for _, c := range []struct {
		name                 string
		got                  string
		cells, runes, bytes_ int
	}{
		{"name", Name(long), MaxNameCells, 0, MaxNameBytes},
		{"name ascii", Name(strings.Repeat("x", 300)), MaxNameCells, 0, MaxNameBytes},
		{"name of controls", Name(strings.Repeat("\u0080", 300)), MaxNameCells, 0, MaxNameBytes},
		{"title", Title(long), MaxTitleCells, 0, MaxTitleBytes},
		{"file", FileName(long), 0, 0, MaxFileBytes},
		{"line", Line(long), 0, 0, MaxLineBytes},
		{"body", Body(strings.Repeat("x", 20000)), 0, MaxBodyRunes, MaxBodyBytes},
		{"body of controls", Body(strings.Repeat("\x01", 20000)), 0, MaxBodyRunes, MaxBodyBytes},
	} {
		if c.cells > 0 && Width(c.got) > c.cells {
			t.Errorf("%s: %d cells, %d allowed", c.name, Width(c.got), c.cells)
		}
		if c.runes > 0 && utf8.RuneCountInString(c.got) > c.runes {
			t.Errorf("%s: %d characters, %d allowed", c.name, utf8.RuneCountInString(c.got), c.runes)
		}
		if len(c.got) > c.bytes_ || !strings.HasSuffix(c.got, "…") && c.name != "file" && c.name != "line" && c.name != "name" && c.name != "title" {
			t.Errorf("%s: %d bytes of %d, ends in %q", c.name, len(c.got), c.bytes_, c.got[len(c.got)-6:])
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in    string
		cells int
		want  string
	}{{"hello", 5, "hello"}, {"hello", 4, "hel…"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"x", 0, ""}, {"👨\u200d👩\u200d👧", 2, "👨\u200d👩\u200d👧"}} {
		if got := Clip(c.in, c.cells); got != c.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", c.in, c.cells, got, c.want)
		}
	}
}

// inert fails when s holds anything that a terminal obeys or that a person cannot see.
func inert(t interface{ Fatalf(string, ...any) }, in, s string, body bool) {
	if !utf8.ValidString(s) {
		t.Fatalf("%q became invalid UTF-8: %q", in, s)
	}
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == '\n' && body:
		case unicode.Is(unicode.Cc, r):
			t.Fatalf("%q kept the control %U: %q", in, r, s)
		case (r == 0x200D || r == 0xFE0F) && body:
			if i == 0 || r == 0x200D && i == len(runes)-1 {
				t.Fatalf("%q kept %U outside of a sequence: %q", in, r, s)
			}
		case unicode.In(r, unicode.Bidi_Control, unicode.Co, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point, unicode.Join_Control,
			unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			t.Fatalf("%q kept %U: %q", in, r, s)
		}
	}
}

func check(t interface{ Fatalf(string, ...any) }, in string) {
	for name, f := range classes {
		out := f(in)
		inert(t, in, out, name == "body")
		if again := f(out); again != out {
			t.Fatalf("%s is not stable: %q -> %q -> %q", name, in, out, again)
		}
	}
	if w := Width(Name(in)); w > MaxNameCells {
		t.Fatalf("Name(%q) is %d cells wide", in, w)
	}
}

func TestNothingThatATerminalObeysPasses(t *testing.T) {
	nasty := rapid.SampledFrom([]rune("\x00\x07\b\t\n\r\x1b[]31m;\x7f\u0080\u009b\u009d\u00ad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u202e\u2028\u2066\u20e3" +
		"\u3164\ufe0f\ufeff\ufff9\ufffd\U0001f1e9\U0001f1ea\U000e0041👨👩❤🏽1#aé日\u0301\u0336\u0323ᄀ가각\u0915\u094d\u0937\ue000\U0010fffd\u00a0\u3000…"))
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			if rapid.IntRange(0, 9).Draw(t, "any") == 0 {
				b.WriteString(rapid.String().Draw(t, "s"))
			} else {
				b.WriteRune(nasty.Draw(t, "r"))
			}
		}
		check(t, b.String())
	})
}

func FuzzSanitise(f *testing.F) {
	for _, s := range []string{"", "a", "\x1b[31m", "\u009b", "👨\u200d👩", "e\u0301", "\xff\xfe", strings.Repeat("ᄀ", 90), "\u0336"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t, s) })
}

func BenchmarkBody(b *testing.B) {
	s := strings.Repeat("Grüße, 日本語 👨\u200d👩\u200d👧 text ", 80)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Body(s)
	}
}
