package inner

import (
	"errors"
	"image"
	"slices"
	"strings"
	"testing"

	"assist/screen"
)

func TestInputDatagram(t *testing.T) {
	sent := []screen.Input{
		{Seq: 7, Kind: screen.KeyPress, Key: 'a', Mods: screen.ModShift},
		{Seq: 8, Kind: screen.TypeText, Text: strings.Repeat("日", MaxTyped/3)},
		{Seq: 9, Kind: screen.Wheel, At: image.Pt(1, 2), Steps: image.Pt(0, -3)},
	}
	b, n := AppendInputs(nil, 7, sent)
	oldest, got, err := ParseInputs(b)
	if err != nil || n != 3 || oldest != 7 || !slices.Equal(got, sent) {
		t.Errorf("%d sent, got %d %v, %v", n, oldest, got, err)
	}
	for name, odd := range map[string][]screen.Input{
		"a gap":              {{Seq: 7, Kind: screen.ReleaseAll}, {Seq: 9, Kind: screen.ReleaseAll}},
		"older than oldest":  {{Seq: 6, Kind: screen.ReleaseAll}},
		"the last number":    {{Seq: 1<<64 - 1, Kind: screen.ReleaseAll}},
		"the same one again": {{Seq: 7, Kind: screen.ReleaseAll}, {Seq: 7, Kind: screen.ReleaseAll}},
	} {
		b, _ := AppendInputs(nil, 7, odd)
		if _, _, err := ParseInputs(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInputDatagramTakesWhatFits(t *testing.T) {
	long := screen.Input{Kind: screen.TypeText, Text: strings.Repeat("x", MaxTyped)}
	var evs []screen.Input
	for seq := range uint64(3) {
		long.Seq = seq + 1
		evs = append(evs, long)
	}
	b, n := AppendInputs(nil, 1, evs)
	if _, got, err := ParseInputs(b); err != nil || n != 1 || len(got) != 1 || len(b) > MaxInputs {
		t.Errorf("%d of 3 in %d bytes, %v", n, len(b), err)
	}
}

func FuzzParseInputs(f *testing.F) {
	b, _ := AppendInputs(nil, 1, []screen.Input{{Seq: 1, Kind: screen.KeyTap, Key: 'a'}, {Seq: 2, Kind: screen.ReleaseAll}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		oldest, evs, err := ParseInputs(b)
		if err != nil {
			return
		}
		again, n := AppendInputs(nil, oldest, evs)
		if o, got, err := ParseInputs(again); err != nil || n != len(evs) || o != oldest || !slices.Equal(got, evs) {
			t.Errorf("%x is %v, then %v %v", b, evs, got, err)
		}
	})
}
