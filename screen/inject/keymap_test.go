package inject

import (
	"slices"
	"testing"

	"assist/screen"
)

const modLevel3 uint8 = 0x80

// german is a small keymap of one group: letters know Caps Lock, digits do not, AltGr gives a third level.
func german() *keymap {
	m := &keymap{min: 8, max: 255, types: []keyType{
		{},
		{mask: modShift, entries: []typeEntry{{modShift, 1, 0}}},
		{mask: modShift | modLock, entries: []typeEntry{{modShift, 1, 0}, {modLock, 1, 0}}},
		{mask: modShift | modLevel3, entries: []typeEntry{{modShift, 1, 0}, {modLevel3, 2, 0}, {modShift | modLevel3, 3, 0}}},
	}}
	row := func(code, typ uint8, syms ...keysym) {
		m.keys[code] = keyRow{types: [4]uint8{typ}, info: 1, groups: 1, width: len(syms), syms: syms}
	}
	row(24, 3, 'q', 'Q', '@', 0x7d9)
	row(38, 2, 'a', 'A')
	row(10, 1, '1', '!')
	row(48, 2, 0xe4, 0xc4)
	row(36, 0, symReturn)
	row(50, 0, symShiftL)
	row(92, 0, symLevel3)
	row(108, 0, symLevel3)
	m.modmap[50], m.modmap[92] = modShift, modLevel3
	m.index()
	return m
}

func TestFindHoldsAsFewModifiersAsItCan(t *testing.T) {
	const caps = modLock
	for _, c := range []struct {
		char   rune
		locked uint8
		code   uint8 // 0: not to be had
		want   uint8
	}{
		{'a', 0, 38, 0},
		{'A', 0, 38, modShift},
		{'a', caps, 38, modShift | modLock},
		{'A', caps, 38, modLock},
		{'ä', caps, 48, modShift | modLock},
		{'1', caps, 10, 0},
		{'!', 0, 10, modShift},
		{'@', 0, 24, modLevel3},
		{'@', caps, 24, modLevel3},
		{'q', caps, 0, 0}, // its type leaves Caps Lock to the program, which makes it Q
		{'Q', caps, 24, modShift},
		{'Ω', 0, 24, modShift | modLevel3}, // by its legacy keysym
		{'a', modShift, 0, 0},              // a locked Shift stays
		{'A', modShift, 38, modShift},
		{'é', 0, 0, 0},
		{'\n', 0, 36, 0},
	} {
		p, ok := german().find(charSyms(c.char), cased(c.char), state{locked: c.locked}, modShift|modLevel3, nil)
		if ok != (c.code != 0) || p.code != c.code || p.want != c.want {
			t.Errorf("%q with %x locked: keycode %d with %x (%v), want %d with %x", c.char, c.locked, p.code, p.want, ok, c.code, c.want)
		}
	}
}

func TestGroupOutOfRange(t *testing.T) {
	for _, c := range []struct {
		groups int
		info   byte
		group  int
		want   int
	}{{1, 0, 1, 0}, {2, 0, 3, 1}, {2, 0x40, 3, 1}, {3, 0x40, 3, 2}, {2, 0x90, 3, 1}, {2, 0xb0, 3, 0}, {0, 0, 0, -1}} {
		k := keyRow{groups: c.groups, info: c.info}
		if got := k.group(c.group); got != c.want {
			t.Errorf("%+v: row %d", c, got)
		}
	}
}

func TestModifierKeys(t *testing.T) {
	m := german()
	if code, bit := m.modifier(named[screen.KeyAltGr]); code != 92 || bit != modLevel3 {
		t.Errorf("AltGr is keycode %d with %x: the one in the modifier map is 92", code, bit)
	}
	if got := m.modifiersOf(108); got != modLevel3 {
		t.Errorf("the AltGr key that has no modifier of its own sets %x", got)
	}
	if got := m.modifiersOf(38); got != 0 {
		t.Errorf("a letter sets %x", got)
	}
	if s := m.spare(); slices.Contains(s, 38) || len(s) != 255-8-8 {
		t.Errorf("%d spare keycodes: %v", len(s), s)
	}
}

func TestKeysymsOfCharacters(t *testing.T) {
	for r, want := range map[rune][]keysym{
		'A': {'A'}, 'ü': {0xfc}, '\n': {symReturn}, '\x1b': nil, 0x85: nil,
		'€': {0x20ac, 0x010020ac}, 'Ж': {0x6f6, 0x01000416}, 'ω': {0x7f9, 0x010003c9}, 'ł': {0x1b3, 0x01000142},
		'日': {0x010065e5}, '😀': {0x0101f600},
	} {
		if got := charSyms(r); !slices.Equal(got, want) {
			t.Errorf("%q: %x, want %x", r, got, want)
		}
	}
	if !slices.IsSortedFunc(legacy[:], func(a, b struct{ char, sym uint16 }) int { return int(a.char) - int(b.char) }) {
		t.Error("the table is not sorted by character")
	}
}

func TestTypableLeavesOutWhatNoKeyTypes(t *testing.T) {
	if got, want := string(typable("a\r\nb\rc\n\td\x1b[31m\x00\x7fe\xff\u0085ü")), "a\nb\nc\n\td[31meü"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzParseMap(f *testing.F) {
	reply := make([]byte, 40, 80)
	reply[10], reply[11], reply[15], reply[17], reply[20] = 8, 255, 1, 8, 1
	f.Add(append(reply, 1, 1, 0, 0, 2, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 0, 'a', 0, 0, 0, 'A', 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMap(b)
		if err != nil {
			return
		}
		m.spare()
		for sym := range m.spots {
			m.find([]keysym{sym}, true, state{}, 0xff, nil)
		}
	})
}

func TestLedgerRoundTrip(t *testing.T) {
	l := ledger{owner: 0x1200001, lent: []lentCode{{200, [2]keysym{0x010065e5, 'x'}}}, keys: []uint8{38, 50}, buttons: []uint8{1}}
	b := l.append(nil)
	got, err := parseLedger(b)
	if err != nil || got.owner != l.owner || !slices.Equal(got.lent, l.lent) || !slices.Equal(got.keys, l.keys) || !slices.Equal(got.buttons, l.buttons) {
		t.Errorf("%+v %v", got, err)
	}
	for i := range b {
		if _, err := parseLedger(b[:i]); err == nil {
			t.Errorf("%d of %d bytes are read as a ledger", i, len(b))
		}
	}
	b[4*6] = 255
	b[4*6+1] = 255
	if _, err := parseLedger(b); err == nil {
		t.Error("a list of 65535 keys is read")
	}
}
