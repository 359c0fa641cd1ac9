package inject

import (
	"slices"

	"github.com/jezek/xgb/xproto"
)

// around calls hit with exactly the modifiers of on in effect, besides what is locked or latched, and puts back what it
// lifted. plain also lifts the modifiers that agents hold; otherwise those stay, they are meant.
func (x *X11) around(on uint8, st state, plain bool, hit func()) error {
	unwanted := st.base &^ on
	if !plain {
		unwanted &^= x.ours()
	}
	var up []lifted
	if unwanted != 0 {
		var err error
		if up, err = x.lift(unwanted, plain); err != nil {
			return err
		}
	}
	var pressed []uint8
	have := st.base&^unwanted | st.locked | st.latched
	for bit := uint8(1); bit != 0; bit <<= 1 {
		if on&bit != 0 && have&bit == 0 {
			if code := x.holder(bit); code != 0 {
				x.key(code, true)
				pressed = append(pressed, code)
			}
		}
	}
	hit()
	for _, code := range slices.Backward(pressed) {
		x.key(code, false)
	}
	x.restore(up)
	return nil
}

// ours is the real modifiers of the keys that agents hold.
func (x *X11) ours() uint8 {
	var out uint8
	for _, code := range x.held {
		out |= x.keys.modifiersOf(code)
	}
	return out
}

// holder is a key that sets a real modifier; by preference the ones that people know.
func (x *X11) holder(bit uint8) uint8 {
	for _, s := range []keysym{symShiftL, symControlL, symLevel3, symAltL, symSuperL, symLevel5, symMetaL} {
		if code, b := x.keys.modifier([]keysym{s}); b == bit {
			return code
		}
	}
	return 0
}

// lifted is a modifier key that was let go for a moment.
type lifted struct {
	code     uint8
	ours     bool // an agent holds it
	physical bool // it was down on one of the customer's keyboards
}

// lift lets go of the keys that hold these modifiers. XTEST has a keyboard of its own beside the customer's; a release on
// it is a release for the programs, and the customer's keyboard knows nothing of it.
func (x *X11) lift(mods uint8, all bool) ([]lifted, error) {
	r, err := xproto.QueryKeymap(x.conn).Reply()
	if err != nil {
		return nil, err
	}
	physical := x.devices.down()
	var out []lifted
	for i := x.keys.min; i <= x.keys.max; i++ {
		code := uint8(i)
		if r.Keys[code/8]>>(code%8)&1 == 0 || x.keys.modifiersOf(code)&mods == 0 || x.down[code] && !all {
			continue
		}
		out = append(out, lifted{code, x.down[code], physical.has(code)})
		x.note(code)
		delete(x.lent, code)
		x.fake(xproto.KeyRelease, code)
	}
	return out, nil
}

// restore presses the lifted keys again, but for those that the customer let go of meanwhile.
func (x *X11) restore(up []lifted) {
	if len(up) == 0 {
		return
	}
	physical := x.devices.down()
	for _, l := range up {
		if l.physical && !l.ours {
			if !physical.has(l.code) {
				continue
			}
			x.lent[l.code] = true
		}
		x.fake(xproto.KeyPress, l.code)
	}
}

// settleLent lets go, on the keyboard of XTEST, of the keys that were put back for the customer and that the customer has
// let go of since: for programs they are up already, but XTEST could not press them again.
func (x *X11) settleLent() {
	if len(x.lent) == 0 {
		return
	}
	physical := x.devices.down()
	for code := range x.lent {
		if !physical.has(code) {
			x.fake(xproto.KeyRelease, code)
			delete(x.lent, code)
		}
	}
}
