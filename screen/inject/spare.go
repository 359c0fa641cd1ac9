package inject

import (
	"fmt"
	"slices"
	"time"
	"unicode"

	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// maxSpares is how many keycodes are lent symbols at once.
const maxSpares = 40

// spare is a keycode that the layout leaves empty.
type spare struct {
	code uint8
	syms [2]keysym // plain and shifted, the same twice when there is one; zero: free
	used time.Time
}

// symbol is the keysym that goes on a spare keycode: the Unicode one, that every program of today knows.
func symbol(r rune) keysym {
	if r < 0x100 {
		return keysym(r)
	}
	return symUnicode | keysym(r)
}

// cased says whether Caps Lock would change the character.
func cased(r rune) bool { return unicode.ToUpper(r) != r }

// lend puts the first character of text that the keymap lacks on a spare keycode, and as many of the following ones as
// there is room for, in one change of the map. wait is how long until there is room, or until the change has settled.
func (x *X11) lend(text []rune, missing func(rune) bool) (wait time.Duration, err error) {
	x.findSpares()
	if len(x.spares) == 0 {
		return 0, &NoKeyError{Key: screen.Key(text[0])}
	}
	now := time.Now()
	x.keepNeeded(text, now)
	var changed []*spare
	for _, r := range text {
		if !missing(r) || lies(changed, r) {
			continue
		}
		if n := len(changed); n > 0 && changed[n-1].syms[0] == changed[n-1].syms[1] {
			changed[n-1].syms[1] = symbol(r)
			continue
		}
		s := x.freeSpare(now, changed)
		if s == nil {
			break
		}
		s.syms, s.used = [2]keysym{symbol(r), symbol(r)}, now
		changed = append(changed, s)
	}
	if len(changed) == 0 {
		return x.nextFree(now), nil
	}
	x.writeLent() // first: a process killed between the two leaves a note
	return settle, x.put(changed)
}

// has says whether the keycode is one of the spare ones.
func has(spares []*spare, code uint8) bool {
	return slices.ContainsFunc(spares, func(s *spare) bool { return s.code == code })
}

// lies says whether the character is on one of the keycodes.
func lies(on []*spare, r rune) bool {
	return slices.ContainsFunc(on, func(s *spare) bool { return s.syms[0] == symbol(r) || s.syms[1] == symbol(r) })
}

// keepNeeded keeps the keycodes that the rest of the text needs from being taken.
func (x *X11) keepNeeded(text []rune, now time.Time) {
	for _, s := range x.spares {
		if s.syms[0] != noSymbol && slices.ContainsFunc(text[:min(len(text), 2*maxSpares)], func(r rune) bool {
			return symbol(r) == s.syms[0] || symbol(r) == s.syms[1]
		}) && now.Sub(s.used) > reuseAfter {
			s.used = now.Add(-reuseAfter / 2)
		}
	}
}

// findSpares chooses the keycodes once after each rest.
func (x *X11) findSpares() {
	if len(x.spares) > 0 {
		return
	}
	for _, code := range x.keys.spare() {
		if len(x.spares) < maxSpares && !x.down[code] {
			x.spares = append(x.spares, &spare{code: code})
		}
	}
}

// checkSpares forgets what is no longer so: a new layout takes the lent symbols away and may use the keycodes itself.
func (x *X11) checkSpares() {
	x.spares = slices.DeleteFunc(x.spares, func(s *spare) bool {
		k := &x.keys.keys[s.code]
		if s.syms[0] != noSymbol && !k.shows(s.syms) {
			s.syms = [2]keysym{}
		}
		return s.syms[0] == noSymbol && !k.empty()
	})
}

// shows says whether the key has just these two symbols.
func (k *keyRow) shows(syms [2]keysym) bool {
	return len(k.syms) > 0 && k.syms[0] == syms[0] && k.syms[len(k.syms)-1] == syms[1]
}

// freeSpare is an unused keycode, or the one whose last use is longest ago and long enough.
func (x *X11) freeSpare(now time.Time, not []*spare) *spare {
	var best *spare
	for _, s := range x.spares {
		if slices.Contains(not, s) || x.down[s.code] || s.syms[0] != noSymbol && now.Sub(s.used) < reuseAfter {
			continue
		}
		if best == nil || s.used.Before(best.used) {
			best = s
		}
	}
	return best
}

// nextFree is how long until a keycode may be used again.
func (x *X11) nextFree(now time.Time) time.Duration {
	wait := reuseAfter
	for _, s := range x.spares {
		if !x.down[s.code] {
			wait = min(wait, reuseAfter-now.Sub(s.used))
		}
	}
	return max(wait, time.Millisecond)
}

// put changes the map, neighbours in one request, because each request makes every program on the display read it.
func (x *X11) put(changed []*spare) error {
	slices.SortFunc(changed, func(a, b *spare) int { return int(a.code) - int(b.code) })
	for i := 0; i < len(changed); {
		j := i + 1
		for j < len(changed) && changed[j].code == changed[j-1].code+1 {
			j++
		}
		rows := make([][2]keysym, 0, j-i)
		for _, s := range changed[i:j] {
			rows = append(rows, s.syms)
		}
		x.changeRows(changed[i].code, rows)
		i = j
	}
	x.keys = nil
	return x.sync()
}

// changeRows puts symbols on keycodes from first on. Two columns make one group, which counts in every group; a symbol of
// zero twice empties the key.
func (x *X11) changeRows(first uint8, rows [][2]keysym) {
	syms := make([]xproto.Keysym, 0, 2*len(rows))
	for _, r := range rows {
		syms = append(syms, xproto.Keysym(r[0]), xproto.Keysym(r[1]))
	}
	xproto.ChangeKeyboardMapping(x.conn, byte(len(rows)), xproto.Keycode(first), 2, syms)
}

func (x *X11) writeLent() {
	x.ledger.lent = x.ledger.lent[:0]
	for _, s := range x.spares {
		if s.syms[0] != noSymbol {
			x.ledger.lent = append(x.ledger.lent, lentCode{s.code, s.syms})
		}
	}
	x.write(x.root)
}

// giveBack empties the spare keycodes again, but for those that are held, and forgets the keys that are up.
func (x *X11) giveBack() error {
	x.keys = nil
	if err := x.refresh(); err != nil { // a new layout may use them by now
		return err
	}
	var changed, kept []*spare
	for _, s := range x.spares {
		switch {
		case x.down[s.code]:
			kept = append(kept, s)
		case s.syms[0] != noSymbol:
			s.syms = [2]keysym{}
			changed = append(changed, s)
		}
	}
	x.spares = kept
	x.ledger.keys = slices.DeleteFunc(x.ledger.keys, func(c uint8) bool { return !x.down[c] && !x.lent[c] })
	x.ledger.buttons = slices.DeleteFunc(x.ledger.buttons, func(b uint8) bool { return !x.buttons[screen.Button(b)] })
	if len(changed) > 0 {
		if err := x.put(changed); err != nil {
			return fmt.Errorf("give keycodes back: %w", err)
		}
	}
	x.writeLent() // last: a process killed between the two leaves a note too many
	return x.sync()
}
