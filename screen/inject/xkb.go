package inject

import (
	"errors"
	"fmt"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// The requests and numbers of the X Keyboard Extension that are used (XKB protocol 1.0, appendix D). xgb has no binding
// for it. The core protocol's view of the keymap leaves out the key types, which say how Caps Lock and AltGr work.
const (
	xkbUseExtension = 0
	xkbGetState     = 4
	xkbLatchLock    = 5
	xkbGetMap       = 8
	xkbCoreKeyboard = 0x100

	xkbMapTypes  = 1
	xkbMapSyms   = 2
	xkbMapModMap = 4

	maxMap = 1 << 20 // bytes of a keymap; a real one has 20 000
)

var errShort = errors.New("keyboard reply is too short")

// extension is an X extension that is spoken without a binding.
type extension struct {
	conn  *xgb.Conn
	major byte
}

// openExtension asks for an extension by name.
func openExtension(c *xgb.Conn, name string) (extension, error) {
	r, err := xproto.QueryExtension(c, uint16(len(name)), name).Reply()
	if err != nil {
		return extension{}, fmt.Errorf("query extension %s: %w", name, err)
	}
	if !r.Present {
		return extension{}, &NoExtensionError{Name: name}
	}
	return extension{c, r.MajorOpcode}, nil
}

// ask sends one request and waits for its reply; body follows the 4 bytes of the header and is padded to whole words.
func (e extension) ask(minor byte, body []byte) ([]byte, error) {
	cookie := e.conn.NewCookie(true, true)
	e.send(minor, body, cookie)
	return cookie.Reply()
}

// tell sends one request that has no reply.
func (e extension) tell(minor byte, body []byte) { e.send(minor, body, e.conn.NewCookie(false, false)) }

func (e extension) send(minor byte, body []byte, cookie *xgb.Cookie) {
	words := 1 + (len(body)+3)/4
	buf := make([]byte, words*4)
	buf[0], buf[1] = e.major, minor
	xgb.Put16(buf[2:], uint16(words))
	copy(buf[4:], body)
	e.conn.NewRequest(buf, cookie)
}

// openXKB opens the X Keyboard Extension, version 1.
func openXKB(c *xgb.Conn) (extension, error) {
	e, err := openExtension(c, "XKEYBOARD")
	if err != nil {
		return e, err
	}
	r, err := e.ask(xkbUseExtension, []byte{1, 0, 0, 0})
	if err != nil {
		return e, fmt.Errorf("use XKEYBOARD: %w", err)
	}
	if r[1] == 0 {
		return e, &NoExtensionError{Name: "XKEYBOARD 1.0"}
	}
	return e, nil
}

// readState asks for the modifiers and the group as they are now.
func readState(e extension) (state, error) {
	body := make([]byte, 4)
	xgb.Put16(body, xkbCoreKeyboard)
	r, err := e.ask(xkbGetState, body)
	if err != nil {
		return state{}, fmt.Errorf("keyboard state: %w", err)
	}
	return state{base: r[9], latched: r[10], locked: r[11], group: int(r[12])}, nil
}

// lockMods switches locked modifiers on or off.
func lockMods(e extension, mods uint8, on bool) {
	body := make([]byte, 12)
	xgb.Put16(body, xkbCoreKeyboard)
	body[2] = mods
	if on {
		body[3] = mods
	}
	e.tell(xkbLatchLock, body)
}

// readMap asks for the whole keymap.
func readMap(e extension) (*keymap, error) {
	body := make([]byte, 24)
	xgb.Put16(body, xkbCoreKeyboard)
	xgb.Put16(body[2:], xkbMapTypes|xkbMapSyms|xkbMapModMap)
	r, err := e.ask(xkbGetMap, body)
	if err != nil {
		return nil, fmt.Errorf("keyboard map: %w", err)
	}
	m, err := parseMap(r)
	if err != nil {
		return nil, fmt.Errorf("keyboard map: %w", err)
	}
	return m, nil
}

// parseMap reads the reply of GetMap with types, symbols and modifier map.
func parseMap(b []byte) (*keymap, error) {
	if len(b) < 40 || len(b) > maxMap {
		return nil, errShort
	}
	m := &keymap{min: int(b[10]), max: int(b[11])}
	types, firstSym, nSyms, nMods := int(b[15]), int(b[17]), int(b[20]), int(b[33])
	if firstSym+nSyms > 256 || m.min < 8 || m.max < m.min {
		return nil, errors.New("keycodes out of range")
	}
	rest, err := m.parseTypes(b[40:], types)
	if err != nil {
		return nil, err
	}
	if rest, err = m.parseSyms(rest, firstSym, nSyms); err != nil {
		return nil, err
	}
	if len(rest) < 2*nMods {
		return nil, errShort
	}
	for ; nMods > 0; nMods, rest = nMods-1, rest[2:] {
		m.modmap[rest[0]] = rest[1]
	}
	m.index()
	return m, nil
}

func (m *keymap) parseTypes(b []byte, n int) ([]byte, error) {
	for range n {
		if len(b) < 8 {
			return nil, errShort
		}
		t := keyType{mask: b[0], entries: make([]typeEntry, 0, b[5])}
		entries, preserve := int(b[5]), b[6] != 0
		b = b[8:]
		size := entries * 8
		if preserve {
			size += entries * 4
		}
		if len(b) < size {
			return nil, errShort
		}
		for i := range entries {
			e := b[i*8:]
			if e[0] == 0 { // its virtual modifiers are bound to no real one: it never matches
				continue
			}
			te := typeEntry{mods: e[1], level: int(e[2])}
			if preserve {
				te.preserve = b[entries*8+i*4]
			}
			t.entries = append(t.entries, te)
		}
		m.types = append(m.types, t)
		b = b[size:]
	}
	return b, nil
}

func (m *keymap) parseSyms(b []byte, first, n int) ([]byte, error) {
	for kc := first; kc < first+n; kc++ {
		if len(b) < 8 {
			return nil, errShort
		}
		k := keyRow{types: [4]uint8(b), info: b[4], groups: int(b[4] & 15), width: int(b[5])}
		syms := int(xgb.Get16(b[6:]))
		b = b[8:]
		if len(b) < syms*4 || k.groups > 4 || syms != k.groups*k.width {
			return nil, errShort
		}
		k.syms = make([]keysym, syms)
		for i := range k.syms {
			k.syms[i] = keysym(xgb.Get32(b[i*4:]))
		}
		for g := range k.groups {
			if int(k.types[g]) >= len(m.types) {
				return nil, errors.New("key type out of range")
			}
		}
		m.keys[kc], b = k, b[syms*4:]
	}
	return b, nil
}
