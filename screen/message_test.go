package screen

import (
	"encoding/hex"
	"errors"
	"image"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var messages = []struct {
	m   Message
	hex string
}{
	{Viewport{ID: 300, Region: image.Rect(0, 0, 1920, 1080), Grid: image.Pt(320, 192)}, "01 ac02 00 00 800f b808 c002 c001"},
	{Viewport{ID: 1, Region: image.Rect(10, 20, 13, 24), Grid: image.Pt(1, 2)}, "01 01 0a 14 03 04 01 02"},
	{Shown{Viewport: 7, Seq: 129}, "02 07 8101 00"},
	{Shown{Viewport: 7, Seq: 129, Drawn: 300 * time.Millisecond}, "02 07 8101 ac02"},
	{Thin, "06 03"},
	{Quality{Pin: Fast, Why: WhyLoss, Tolerance: 24, Coarse: true, Shrink: 2, Separate: true}, "07 02 02 18 01 02 01"},
	{Quality{Shrink: 1}, "07 00 00 00 00 01 00"},
	{Display{Size: image.Pt(1920, 1080), Name: ":0"}, "03 800f b808 02 3a30 00"},
	{
		Display{Size: image.Pt(200, 100), Name: ":1", Monitors: []Monitor{
			{Name: "A", Bounds: image.Rect(0, 0, 100, 100), Primary: true},
			{Name: "", Bounds: image.Rect(100, 0, 200, 100)},
		}},
		"03 c801 64 02 3a31 02 01 41 00 00 64 64 01 00 64 00 64 64 00",
	},
	{Pointer{At: image.Pt(5, 200), Hidden: true, Shape: 128}, "04 05 c801 01 8001"},
	{Hands{{Member: 2, At: image.Pt(5, 200)}, {Member: 300, At: image.Pt(0, 1)}}, "05 02 02 05 c801 ac02 00 01"},
	{Hands(nil), "05 00"},
	{Focus{Window: image.Rect(1, 2, 301, 202), Caret: image.Rect(5, 6, 7, 8)}, "10 01 02 ac02 c801 05 06 02 02"},
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessages(t *testing.T) {
	for _, c := range messages {
		want := unhex(t, c.hex)
		if got := c.m.Append(nil); hex.EncodeToString(got) != hex.EncodeToString(want) {
			t.Errorf("%+v: %x, want %x", c.m, got, want)
		}
		got, err := ParseMessage(want)
		if err != nil || !reflect.DeepEqual(got, c.m) {
			t.Errorf("%x: %+v, %v, want %+v", want, got, err, c.m)
		}
		for cut := range want {
			if m, err := ParseMessage(want[:cut]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%x: %+v, %v", want[:cut], m, err)
			}
		}
		if m, err := ParseMessage(append(want, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x with a byte too many: %+v, %v", want, m, err)
		}
	}
}

func TestMessagesRefused(t *testing.T) {
	for why, s := range map[string]string{
		"unknown kind":             "09",
		"number in a longer form":  "02 8700 01",
		"viewport without region":  "01 01 00 00 00 05 01 01",
		"viewport without grid":    "01 01 00 00 05 05 00 01",
		"grid too wide":            "01 01 00 00 05 05 8110 01",
		"grid of too many pixels":  "01 01 00 00 05 05 8010 8110",
		"region beyond a display":  "01 01 ffff01 00 01 01 01 01",
		"viewport number too high": "01 8080808010 00 00 05 05 01 01",
		"monitor off the display":  "03 64 64 00 01 00 00 00 65 64 00",
		"empty monitor":            "03 64 64 00 01 00 00 00 00 64 00",
		"seventeen monitors":       "03 64 64 00 11",
		"escape in a name":         "03 64 64 01 1b 00",
		"name too long":            "03 64 64 41" + strings.Repeat("41", 65) + "00",
		"flag of two":              "04 05 05 02 01",
	} {
		if m, err := ParseMessage(unhex(t, s)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", why, m, err)
		}
	}
}

func TestDisplayIsCutToItsLimits(t *testing.T) {
	d := Display{Size: image.Pt(100, 100), Name: "a\x1b[2Jß" + strings.Repeat("x", 100), Monitors: make([]Monitor, 20)}
	for i := range d.Monitors {
		d.Monitors[i].Bounds = image.Rect(i, 0, i+1, 1)
	}
	m, err := ParseMessage(d.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	got := m.(Display)
	if len(got.Monitors) != MaxMonitors || len(got.Name) != MaxName || !strings.HasPrefix(got.Name, "a?[2J??x") {
		t.Errorf("%+v", got)
	}
}

var inputs = []struct {
	ev  Input
	hex string
}{
	{Input{Seq: 1, Kind: KeyTap, Key: 'a'}, "01 01 61 00"},
	{Input{Seq: 300, Kind: KeyPress, Key: KeyEnter, Mods: ModShift | ModAlt}, "02 ac02 818044 05"},
	{Input{Seq: 2, Kind: KeyRelease, Key: 0x1F600}, "03 02 80ec07 00"},
	{Input{Seq: 3, Kind: TypeText, Text: "ä€"}, "04 03 05 c3a4e282ac"},
	{Input{Seq: 4, Kind: PointerMove, At: image.Pt(1919, 1)}, "05 04 ff0e 01"},
	{Input{Seq: 5, Kind: ButtonPress, Button: 1, Mods: ModControl, At: image.Pt(2, 3)}, "06 05 01 02 02 03"},
	{Input{Seq: 6, Kind: ButtonRelease, Button: 9, At: image.Pt(2, 3)}, "07 06 09 00 02 03"},
	{Input{Seq: 7, Kind: Wheel, At: image.Pt(2, 3), Steps: image.Pt(-1, 2)}, "08 07 00 02 03 01 04"},
	{Input{Seq: math.MaxUint64, Kind: ReleaseAll}, "09 ffffffffffffffffff01"},
}

func TestInputs(t *testing.T) {
	for _, c := range inputs {
		want := unhex(t, c.hex)
		if got := c.ev.Append(nil); hex.EncodeToString(got) != hex.EncodeToString(want) {
			t.Errorf("%+v: %x, want %x", c.ev, got, want)
		}
		if got, err := ParseInput(want); err != nil || got != c.ev {
			t.Errorf("%x: %+v, %v, want %+v", want, got, err, c.ev)
		}
		for cut := range want {
			if ev, err := ParseInput(want[:cut]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%x: %+v, %v", want[:cut], ev, err)
			}
		}
	}
}

func TestInputsRefused(t *testing.T) {
	for why, s := range map[string]string{
		"no kind":          "00 01",
		"unknown kind":     "0a 01",
		"key zero":         "01 01 00 00",
		"half a surrogate": "01 01 80b003 00",
		"key past the end": "01 01 ffff44 00",
		"sixth modifier":   "01 01 61 20",
		"wheel as button":  "06 01 04 00 02 03",
		"button zero":      "06 01 00 00 02 03",
		"off any display":  "05 01 808002 00",
		"too many notches": "08 01 00 02 03 8201 00",
		"not UTF-8":        "04 01 02 c328",
		"text too long":    "04 01 8120" + strings.Repeat("61", MaxText+1),
		"a byte too many":  "09 01 00",
	} {
		if ev, err := ParseInput(unhex(t, s)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", why, ev, err)
		}
	}
}

func TestInputIsCutToItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev := Input{
			Seq: rapid.Uint64().Draw(t, "seq"), Kind: InputKind(rapid.IntRange(int(TypeText), int(ReleaseAll)).Draw(t, "kind")),
			Button: 1, At: image.Pt(rapid.Int().Draw(t, "x"), rapid.Int().Draw(t, "y")),
			Steps: image.Pt(rapid.Int().Draw(t, "right"), rapid.Int().Draw(t, "down")),
			Text:  strings.Repeat(string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")), rapid.IntRange(0, 300).Draw(t, "times")),
		}
		b := ev.Append(nil)
		got, err := ParseInput(b)
		if err != nil || len(b) > MaxInput || got.Seq != ev.Seq || got.Kind != ev.Kind || len(got.Text) > MaxText {
			t.Fatalf("%d bytes: %+v, %v", len(b), got, err)
		}
	})
}

func TestHandsOfSomeoneTwiceOrOfTooMany(t *testing.T) {
	for _, bad := range []string{"05 02 02 01 01 02 01 01", "05 02 03 01 01 02 01 01", "05 41"} {
		if m, err := ParseMessage(unhex(t, bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", bad, m, err)
		}
	}
	many := make(Hands, MaxHands+1)
	for i := range many {
		many[i].Member = uint32(i)
	}
	if m, err := ParseMessage(many.Append(nil)); err != nil || len(m.(Hands)) != MaxHands {
		t.Errorf("%v", err)
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, c := range messages {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMessage(b)
		if err != nil {
			return
		}
		if again := m.Append(nil); string(again) != string(b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func FuzzParseInput(f *testing.F) {
	for _, c := range inputs {
		f.Add(unhex(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := ParseInput(b)
		if err != nil {
			return
		}
		if again := ev.Append(nil); ev.Kind != TypeText && string(again) != string(b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
