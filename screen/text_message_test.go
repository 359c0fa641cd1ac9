package screen

import (
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var textMessages = []struct {
	m   TextMessage
	hex string
}{
	{TextLook{On: true, Wide: 80, High: 24}, "01015018"},
	{TextLook{}, "01000000"},
	{TextShown{Updates: 300}, "02ac02"},
	{TextAsk{ID: 1, From: 7, Count: 200}, "030107c801"},
	{TextFind{ID: 2, From: 9, Down: true, Words: "fé"}, "0402090103" + "66c3a9"},
	{TextAbout{Name: "sh", Fixed: true}, "0502736801" + "00"},
	{TextUpdate{Begins: true, Body: []byte{1, 2}}, "06010102"},
	{TextPage{ID: 3, From: 1, Count: 2, Body: []byte{9}}, "0703010209"},
	{TextFound{ID: 4, OK: true, Line: 5}, "08040105"},
}

func TestTextMessages(t *testing.T) {
	for _, c := range textMessages {
		b := c.m.Append(nil)
		if got := hex.EncodeToString(b); got != c.hex {
			t.Errorf("%#v is %s, want %s", c.m, got, c.hex)
		}
		got, err := ParseText(b)
		if err != nil || !reflect.DeepEqual(got, c.m) {
			t.Errorf("%s is read as %#v, %v", c.hex, got, err)
		}
	}
}

func TestTextMessagesThatLie(t *testing.T) {
	for _, s := range []string{"", "00", "09", "0101e90718", "010150f503", "02ac0200", "0402090103ff0000", "05026807" + "0100", "030107f503"} {
		b, _ := hex.DecodeString(s)
		if m, err := ParseText(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s is read as %#v, %v", s, m, err)
		}
	}
	long := TextFind{Words: strings.Repeat("é", MaxTextWords)}
	if m, err := ParseText(long.Append(nil)); err != nil || len(m.(TextFind).Words) != MaxTextWords {
		t.Errorf("long words: %v, %v", m, err)
	}
}

func FuzzParseText(f *testing.F) {
	for _, c := range textMessages {
		f.Add(c.m.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseText(b)
		if err != nil {
			return
		}
		if again := m.Append(nil); string(again) != string(b) {
			t.Errorf("%x is read as %#v, which is %x", b, m, again)
		}
	})
}

func TestWhatMayStandInACell(t *testing.T) {
	for _, r := range []rune{'a', ' ', 'é', '日', '€', '\ue0b0', '😀', 0xFFFD, '─'} {
		if !CellRune(r) {
			t.Errorf("%U may not stand in a cell", r)
		}
	}
	for _, r := range []rune{0, '\n', 0x1b, 0x7f, 0x9b, 0xad, 0x200d, 0x202e, 0x2028, 0x3164, 0xfeff, 0xfe0f, 0xffff, 0xf0000, 0x0301, 0xd800, -1, 0x110000} {
		if CellRune(r) {
			t.Errorf("%U may stand in a cell", r)
		}
	}
	for r, want := range map[rune]bool{0x301: true, 0x200d: false, 0xfe0f: false, 0x34f: false, 'a': false, 0x20dd: true} {
		if CellMark(r) != want {
			t.Errorf("%U combines: %v, want %v", r, !want, want)
		}
	}
}
