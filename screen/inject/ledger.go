package inject

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// ledger is what this process may leave behind on the server. It lies in a property of the root window, one for each
// process that plays input, as 32-bit words: version, owner, number of lent keycodes, for each keycode and two symbols,
// number of keys, the keycodes, number of buttons, the buttons. The owner is a window that dies with the process.
type ledger struct {
	owner   xproto.Window
	lent    []lentCode
	keys    []uint8 // that were pressed since the last rest
	buttons []uint8
}

type lentCode struct {
	code uint8
	syms [2]keysym
}

const (
	ledgerName    = "_ASSIST_KEYCODES"
	ledgerSlots   = 8 // processes on one display at the same time
	ledgerVersion = 1
	ledgerWords   = 4 + 3*256 + 256 + 256 // longest that is read
)

var errLedger = errors.New("ledger is not readable")

// append encodes the ledger.
func (l *ledger) append(b []byte) []byte {
	word := func(v uint32) {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	word(ledgerVersion)
	word(uint32(l.owner))
	word(uint32(len(l.lent)))
	for _, c := range l.lent {
		word(uint32(c.code))
		word(uint32(c.syms[0]))
		word(uint32(c.syms[1]))
	}
	for _, set := range [][]uint8{l.keys, l.buttons} {
		word(uint32(len(set)))
		for _, k := range set {
			word(uint32(k))
		}
	}
	return b
}

// parseLedger reads what any program of the display may have written.
func parseLedger(b []byte) (ledger, error) {
	if len(b)%4 != 0 || len(b) > ledgerWords*4 {
		return ledger{}, errLedger
	}
	bad := false
	word := func(most uint32) uint32 {
		if len(b) < 4 {
			bad = true
			return 0
		}
		v := xgb.Get32(b)
		b = b[4:]
		bad = bad || v > most
		if bad {
			return 0
		}
		return v
	}
	var l ledger
	if word(ledgerVersion) != ledgerVersion {
		return ledger{}, errLedger
	}
	l.owner = xproto.Window(word(1<<32 - 1))
	for range word(256) {
		l.lent = append(l.lent, lentCode{uint8(word(255)), [2]keysym{keysym(word(1<<32 - 1)), keysym(word(1<<32 - 1))}})
	}
	for _, set := range []*[]uint8{&l.keys, &l.buttons} {
		for range word(256) {
			*set = append(*set, uint8(word(255)))
		}
	}
	if bad || len(b) != 0 {
		return ledger{}, errLedger
	}
	return l, nil
}

// claim undoes what dead processes left and takes a free property, with the server to itself.
func (x *X11) claim() error {
	id, err := xproto.NewWindowId(x.conn)
	if err != nil {
		return fmt.Errorf("claim the keyboard: %w", err)
	}
	x.ledger.owner = id
	if err := xproto.CreateWindowChecked(x.conn, 0, id, x.root, -1, -1, 1, 1, 0, xproto.WindowClassInputOnly, 0,
		xproto.CwOverrideRedirect, []uint32{1}).Check(); err != nil {
		return fmt.Errorf("claim the keyboard: %w", err)
	}
	xproto.GrabServer(x.conn)
	defer xproto.UngrabServer(x.conn)
	for i := range ledgerSlots {
		name := ledgerName
		if i > 0 {
			name = fmt.Sprintf("%s_%d", ledgerName, i)
		}
		a, err := xproto.InternAtom(x.conn, false, uint16(len(name)), name).Reply()
		if err != nil {
			return fmt.Errorf("claim the keyboard: %w", err)
		}
		taken, err := x.inspect(a.Atom)
		if err != nil {
			return fmt.Errorf("undo what a dead process left on the keyboard: %w", err)
		}
		if !taken && x.slot == 0 {
			x.slot = a.Atom
		}
	}
	if x.slot == 0 {
		return fmt.Errorf("%d other programs play input on this display", ledgerSlots)
	}
	x.write(x.ledger.owner)
	x.write(x.root)
	return x.sync()
}

// inspect looks into one property and says whether it belongs to a living process; a dead one's is undone and removed.
func (x *X11) inspect(slot xproto.Atom) (taken bool, err error) {
	r, err := xproto.GetProperty(x.conn, false, x.root, slot, xproto.AtomCardinal, 0, ledgerWords).Reply()
	if err != nil {
		return false, err
	}
	if r.Format == 0 {
		return false, nil
	}
	l, err := parseLedger(r.Value)
	if err == nil {
		// A window number is used again, so the living owner carries the property as well.
		if p, err := xproto.GetProperty(x.conn, false, l.owner, slot, xproto.AtomCardinal, 0, 2).Reply(); err == nil && p.Format == 32 {
			return true, nil
		}
		if err := x.undo(l); err != nil {
			return false, err
		}
	}
	return false, xproto.DeletePropertyChecked(x.conn, x.root, slot).Check()
}

// undo releases what a dead process held and takes its symbols off again, where both are still as it left them.
func (x *X11) undo(l ledger) error {
	down, err := xproto.QueryKeymap(x.conn).Reply()
	if err != nil {
		return err
	}
	codes := slices.Clone(l.keys)
	for _, c := range l.lent {
		codes = append(codes, c.code)
	}
	for _, code := range codes {
		if down.Keys[code/8]>>(code%8)&1 == 1 {
			x.fake(xproto.KeyRelease, code)
		}
	}
	for _, b := range l.buttons {
		x.fake(xproto.ButtonRelease, b)
	}
	if err := x.refresh(); err != nil {
		return err
	}
	for _, c := range l.lent {
		if x.keys.keys[c.code].shows(c.syms) {
			x.changeRows(c.code, [][2]keysym{{}})
		}
	}
	x.keys = nil
	return x.sync()
}

// write puts the ledger on a window.
func (x *X11) write(w xproto.Window) {
	b := x.ledger.append(nil)
	xproto.ChangeProperty(x.conn, xproto.PropModeReplace, w, x.slot, xproto.AtomCardinal, 32, uint32(len(b)/4), b)
}

// note writes a keycode down before it is pressed. The list is cleared at rest, so that typing writes each key once.
func (x *X11) note(code uint8) {
	if !slices.Contains(x.ledger.keys, code) {
		x.ledger.keys = append(x.ledger.keys, code)
		x.write(x.root)
	}
}

// noteButton writes a button down before it is pressed.
func (x *X11) noteButton(b uint8) {
	if !slices.Contains(x.ledger.buttons, b) {
		x.ledger.buttons = append(x.ledger.buttons, b)
		x.write(x.root)
	}
}

// disclaim removes the property.
func (x *X11) disclaim() error {
	xproto.DeleteProperty(x.conn, x.root, x.slot)
	return x.sync()
}
