package inject

import "math/bits"

// The real modifiers of the core protocol, as bits of a state.
const (
	modShift   uint8 = 1
	modLock    uint8 = 2
	modControl uint8 = 4
)

// keymap is the server's keyboard map: which keysym each key gives in each group and level, and which modifiers choose
// the level (XKB protocol 1.0, section 2.2). Immutable once parsed.
type keymap struct {
	min, max int // keycodes
	types    []keyType
	keys     [256]keyRow
	modmap   [256]uint8         // real modifiers of a key, by the core map
	spots    map[keysym][]spot  // where each keysym is
	holders  map[keysym][]uint8 // keycodes whose first level in any group is the keysym
}

// keyType says which modifiers choose which level of a key.
type keyType struct {
	mask    uint8 // the modifiers it looks at
	entries []typeEntry
}

type typeEntry struct {
	mods     uint8
	level    int
	preserve uint8 // of mods, those that programs see as if the key had not used them
}

// keyRow is the symbols of one key: groups rows of width columns.
type keyRow struct {
	types  [4]uint8
	info   byte // number of groups, and what a group out of range means
	width  int
	syms   []keysym
	groups int
}

type spot struct {
	code  uint8
	group int
	level int
}

// state is what the server holds the modifiers to be.
type state struct {
	base, latched, locked uint8 // real modifiers: by keys that are down, for the next key, until unlocked
	group                 int   // effective, from 0
}

// place is how to get a keysym: the key, and the modifiers its type looks at (mask), of which exactly want must be on.
type place struct {
	code       uint8
	mask, want uint8
	level      int
}

// level is the column that the type chooses for these modifiers, and which of them stay visible to programs.
func (t *keyType) level(mods uint8) (level int, visible uint8) {
	for _, e := range t.entries {
		if e.mods == mods&t.mask {
			return e.level, mods&^t.mask | e.preserve
		}
	}
	return 0, mods &^ t.mask
}

// group is the row that the key uses when the keyboard's effective group is g (XKB protocol, section 7.2.2), or -1.
func (k *keyRow) group(g int) int {
	switch {
	case k.groups == 0:
		return -1
	case g < k.groups:
		return g
	case k.info&0xc0 == 0x40: // clamp
		return k.groups - 1
	case k.info&0xc0 == 0x80: // redirect
		if r := int(k.info >> 4 & 3); r < k.groups {
			return r
		}
		return 0
	}
	return g % k.groups
}

// empty says whether no symbol is on the key.
func (k *keyRow) empty() bool {
	for _, s := range k.syms {
		if s != noSymbol {
			return false
		}
	}
	return true
}

func (m *keymap) index() {
	m.spots, m.holders = map[keysym][]spot{}, map[keysym][]uint8{}
	for kc := m.min; kc <= m.max; kc++ {
		k := &m.keys[kc]
		for i, s := range k.syms {
			if s == noSymbol || k.width == 0 {
				continue
			}
			m.spots[s] = append(m.spots[s], spot{uint8(kc), i / k.width, i % k.width})
			if i%k.width == 0 {
				m.holders[s] = append(m.holders[s], uint8(kc))
			}
		}
	}
}

// find looks for a key that gives one of syms in the group of st, with as few modifiers as can be. Locked and latched
// modifiers stay as they are; of the others only those in press can be had. cased says that Caps Lock would change the
// character where the key's type leaves it to the program. Keys in not are passed over.
func (m *keymap) find(syms []keysym, cased bool, st state, press uint8, not []*spare) (place, bool) {
	best, cost := place{}, 1<<30
	for nth, s := range syms {
		for _, sp := range m.spots[s] {
			k := &m.keys[sp.code]
			if k.group(st.group) != sp.group || has(not, sp.code) {
				continue
			}
			p, c, ok := m.reach(sp, k, cased, st.locked|st.latched, press)
			if c += nth; ok && c < cost {
				best, cost = p, c
			}
		}
	}
	return best, cost < 1<<30
}

// reach chooses the modifiers for a spot; the cost grows with the keys to be held, then the level.
func (m *keymap) reach(sp spot, k *keyRow, cased bool, fixed, press uint8) (best place, cost int, ok bool) {
	t := &m.types[k.types[sp.group]]
	for want := t.mask; ; want = (want - 1) & t.mask {
		level, visible := t.level(want | fixed&^t.mask)
		held := want &^ fixed
		fits := level == sp.level && fixed&t.mask&^want == 0 && held&^press == 0
		if fits && !(cased && visible&modLock != 0) {
			if c := bits.OnesCount8(held)*100 + level*10; !ok || c < cost {
				best, cost, ok = place{sp.code, t.mask, want, level}, c, true
			}
		}
		if want == 0 {
			return best, cost, ok
		}
	}
}

// anywhere finds a key that has the keysym at its first level, whatever the group: a shortcut on a keyboard switched to
// Greek still means the key that says c in Latin.
func (m *keymap) anywhere(syms []keysym, not []*spare) (place, bool) {
	for _, s := range syms {
		for _, code := range m.holders[s] {
			if !has(not, code) {
				return place{code: code}, true
			}
		}
	}
	return place{}, false
}

// modifier says which key holds a modifier and which real modifier that is; 0 when the keymap has none. The key that is
// in the core modifier map is the surest: a key like Alt_R under a German layout shares the name but sets nothing there.
func (m *keymap) modifier(syms []keysym) (code, bit uint8) {
	for _, s := range syms {
		for _, kc := range m.holders[s] {
			if b := m.modmap[kc]; b != 0 {
				return kc, b
			}
		}
	}
	return 0, 0
}

// modifiersOf is the real modifiers that a key sets while it is held; 0 for a key that is none.
func (m *keymap) modifiersOf(code uint8) uint8 {
	k := &m.keys[code]
	var out uint8
	for i, s := range k.syms {
		if i%max(k.width, 1) != 0 || !s.isModifier() {
			continue
		}
		if b := m.modmap[code]; b != 0 {
			out |= b
		} else if _, b := m.modifier([]keysym{s}); b != 0 {
			out |= b
		}
	}
	return out
}

// spare lists the keycodes that no symbol is on and no modifier uses, from the highest down.
func (m *keymap) spare() []uint8 {
	var out []uint8
	for kc := m.max; kc > m.min; kc-- {
		if m.keys[kc].empty() && m.modmap[kc] == 0 {
			out = append(out, uint8(kc))
		}
	}
	return out
}
