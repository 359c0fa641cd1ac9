package inject

import (
	"time"
	"unicode"

	"assist/screen"
)

// stroke is one key or character that is to be played.
type stroke struct {
	key  screen.Key
	mods screen.Mods // held around it
	text []rune      // typed as text, then the first character is key and the rest comes after it
	hold bool        // press only
}

// playKey plays a tap, a press or a release.
func (x *X11) playKey(ev screen.Input) error {
	if set := x.reserved.Load(); set != nil && (*set)[ev.Key] {
		return nil
	}
	if !ev.Key.Valid() {
		return &NoKeyError{Key: ev.Key}
	}
	if ev.Kind == screen.KeyRelease {
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.letGo(ev.Key)
	}
	return x.await(stroke{key: ev.Key, mods: ev.Mods, hold: ev.Kind == screen.KeyPress}, x.begin())
}

// begin begins a key or a text: the keymap is to be read anew. The channel is closed by the next ReleaseAll.
func (x *X11) begin() (aborted <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keys = nil
	return x.abort
}

// await plays a stroke, waiting outside mu as long as there is no keycode for it yet.
func (x *X11) await(s stroke, aborted <-chan struct{}) error {
	for {
		x.mu.Lock()
		wait, err := x.strike(s)
		x.mu.Unlock()
		if wait == 0 || err != nil {
			return err
		}
		select {
		case <-time.After(wait):
		case <-aborted:
			return nil
		}
	}
}

// strike plays a stroke with mu held, or says how long to wait before it can be.
func (x *X11) strike(s stroke) (wait time.Duration, err error) {
	if x.closed {
		return 0, ErrClosed
	}
	x.busy()
	x.settleLent()
	if _, again := x.held[s.key]; again && s.hold {
		return 0, nil // the server repeats a held key by itself
	}
	if err := x.refresh(); err != nil {
		return 0, err
	}
	if syms := keysyms(s.key); len(syms) > 0 && syms[0].isModifier() {
		return 0, x.strikeModifier(s, syms)
	}
	st, err := readState(x.xkb)
	if err != nil {
		return 0, err
	}
	p, ok := x.place(s, st)
	if !ok && st.locked&modLock != 0 {
		// Caps Lock hides it: a letter that the layout has in one case only, or one on a spare keycode.
		open := st
		open.locked &^= modLock
		if p, ok = x.place(s, open); ok {
			st = open
			lockMods(x.xkb, modLock, false)
			defer lockMods(x.xkb, modLock, true)
		}
	}
	if !ok {
		return x.makeRoom(s, st)
	}
	on := p.want
	for _, m := range modKeys {
		if s.mods&m.mod == 0 {
			continue
		}
		_, bit := x.keys.modifier(keysyms(m.key))
		if bit == 0 {
			return 0, &NoKeyError{Key: m.key}
		}
		on |= bit
	}
	if err := x.around(on, st, s.text != nil, func() { x.hit(s, p) }); err != nil {
		return 0, err
	}
	return 0, x.sync()
}

// refresh reads the keymap, in the middle of a text only now and then.
func (x *X11) refresh() error {
	if x.keys != nil && time.Since(x.keysAt) < mapFresh {
		return nil
	}
	m, err := readMap(x.xkb)
	if err != nil {
		return err
	}
	x.keys, x.keysAt = m, time.Now()
	x.checkSpares()
	return nil
}

// strikeModifier presses or taps a modifier for its own sake.
func (x *X11) strikeModifier(s stroke, syms []keysym) error {
	code, _ := x.keys.modifier(syms)
	if code == 0 {
		p, ok := x.keys.anywhere(syms, nil)
		if !ok {
			return &NoKeyError{Key: s.key}
		}
		code = p.code
	}
	x.hit(s, place{code: code})
	return x.sync()
}

// place finds the key for a stroke as the layout is now. A shortcut goes to a key of the layout, if need be of another
// group, before it goes to a lent one: browsers tell shortcuts by the place of the key.
func (x *X11) place(s stroke, st state) (place, bool) {
	syms, upper := keysyms(s.key), s.key < screen.KeyNone && cased(rune(s.key))
	press := x.pressable()
	const by = screen.ModControl | screen.ModAlt | screen.ModSuper
	if s.text == nil && (s.key > screen.KeyNone || s.mods&by != 0 || x.ours()&^modShift != 0) {
		if p, ok := x.keys.find(syms, upper, st, press, x.spares); ok {
			return p, true
		}
		if p, ok := x.keys.anywhere(syms, x.spares); ok {
			return p, true
		}
	}
	return x.keys.find(syms, upper, st, press, nil)
}

// pressable is the modifiers that may be held around a character: Shift and the two that choose further levels.
func (x *X11) pressable() uint8 {
	out := modShift
	for _, s := range []keysym{symLevel3, symLevel5} {
		_, bit := x.keys.modifier([]keysym{s})
		out |= bit
	}
	return out
}

// makeRoom lends a spare keycode to what the layout does not have.
func (x *X11) makeRoom(s stroke, st state) (time.Duration, error) {
	text := s.text
	if text == nil {
		text = []rune{rune(s.key)}
	}
	if s.key > screen.KeyNone || len(charSyms(text[0])) == 0 {
		return 0, &NoKeyError{Key: s.key}
	}
	if lies(x.spares, text[0]) { // it has a keycode, and the locks that are on still hide it
		return 0, &NoKeyError{Key: s.key}
	}
	st.locked &^= modLock
	press := x.pressable()
	return x.lend(text, func(r rune) bool {
		syms := charSyms(r)
		if len(syms) == 0 {
			return false
		}
		_, ok := x.keys.find(syms, cased(r), st, press, nil)
		return !ok
	})
}

// hit presses the key of a place and, unless it is to be held, lets it go.
func (x *X11) hit(s stroke, p place) {
	if x.down[p.code] {
		x.key(p.code, false)
		for k, code := range x.held {
			if code == p.code {
				delete(x.held, k)
			}
		}
	}
	x.key(p.code, true)
	if s.hold {
		x.held[s.key] = p.code
	} else {
		x.key(p.code, false)
	}
	for _, sp := range x.spares {
		if sp.code == p.code {
			sp.used = time.Now()
		}
	}
}

// letGo releases what KeyPress pressed. A letter may be released under its other case: Shift went up in between.
func (x *X11) letGo(k screen.Key) error {
	if x.closed {
		return ErrClosed
	}
	x.busy()
	names := []screen.Key{k}
	if k < screen.KeyNone {
		names = append(names, screen.Key(unicode.ToLower(rune(k))), screen.Key(unicode.ToUpper(rune(k))))
	}
	for _, n := range names {
		if code, ok := x.held[n]; ok {
			delete(x.held, n)
			x.key(code, false)
			return x.sync()
		}
	}
	return nil
}
