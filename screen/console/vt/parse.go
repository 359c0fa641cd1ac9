package vt

import "unicode/utf8"

// Limits of one sequence. What is beyond them is dropped.
const (
	maxParams = 32
	maxParam  = 99999
	maxString = 4096
)

// state of the parser (after Paul Williams' diagram of the DEC parser).
type state uint8

const (
	ground state = iota
	escape
	escapeRest // intermediate bytes after ESC
	csi
	csiIgnore
	stringBody   // OSC, DCS, SOS, PM, APC
	stringEscape // ESC in a string
	vt52Row      // ESC Y in VT52 mode
	vt52Column
)

// parser is what is known of a sequence that has not ended.
type parser struct {
	state  state
	params []int  // -1: not given
	sub    []bool // follows the one before it after a colon
	open   bool   // a parameter has begun
	prefix byte   // one of < = > ?
	inter  byte
	kind   byte // of a string: ] P X ^ _
	str    []byte
	utf    [utf8.UTFMax]byte
	utfLen int
	row52  int
}

// Write reads what the program wrote. It never fails.
func (t *Terminal) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if t.state == ground && t.utfLen == 0 && b[0] >= 0x20 && b[0] < 0x7F {
			b = t.plain(b)
			continue
		}
		t.byte(b[0])
		b = b[1:]
	}
	return n, nil
}

// byte takes one byte; those of a character are collected first.
func (t *Terminal) byte(c byte) {
	if t.utfLen == 0 && c < 0x80 {
		t.step(c)
		return
	}
	if t.utfLen > 0 && c&0xC0 != 0x80 { // the character before it was cut short
		t.utfLen = 0
		t.char(utf8.RuneError)
		t.byte(c)
		return
	}
	t.utf[t.utfLen] = c
	t.utfLen++
	if !utf8.FullRune(t.utf[:t.utfLen]) {
		return
	}
	r, size := utf8.DecodeRune(t.utf[:t.utfLen])
	n := t.utfLen
	t.utfLen = 0
	if r != utf8.RuneError || size == n {
		t.char(r)
		return
	}
	for range n {
		t.char(utf8.RuneError)
	}
}

// char takes a character beyond ASCII, C1 controls among them.
func (t *Terminal) char(r rune) {
	switch {
	case t.state == stringBody || t.state == stringEscape:
		if r == 0x9C {
			t.endString()
			return
		}
		for _, c := range string(r) {
			t.collect(byte(c)) // only ASCII is ever looked at
		}
	case r >= 0x80 && r < 0xA0:
		t.state, t.inter, t.prefix = escape, 0, 0
		t.step(byte(r - 0x40))
	case t.state == ground:
		t.print(r)
	default: // not part of any sequence
		t.state = ground
	}
}

func (t *Terminal) collect(c byte) {
	if len(t.str) < maxString {
		t.str = append(t.str, c)
	}
}

// step takes an ASCII byte.
func (t *Terminal) step(c byte) {
	if t.state == stringBody || t.state == stringEscape {
		t.stepString(c)
		return
	}
	switch {
	case c == 0x18 || c == 0x1A:
		t.state = ground
		return
	case c == 0x1B:
		t.state, t.inter, t.prefix = escape, 0, 0
		return
	case c < 0x20:
		t.control(c)
		return
	}
	switch t.state {
	case ground:
		if c != 0x7F {
			t.print(rune(c))
		}
	case escape:
		t.stepEscape(c)
	case escapeRest:
		if c >= 0x30 && c < 0x7F {
			t.state = ground
			t.escapeRest(c)
		}
	case csi:
		t.stepCSI(c)
	case csiIgnore:
		if c >= 0x40 && c < 0x7F {
			t.state = ground
		}
	case vt52Row:
		t.row52, t.state = int(c)-0x20, vt52Column
	case vt52Column:
		t.state = ground
		t.goTo(int(c)-0x20, t.row52)
	}
}

func (t *Terminal) stepEscape(c byte) {
	switch {
	case t.vt52:
		t.state = ground
		t.escape52(c)
	case c == '[':
		t.state, t.params, t.sub, t.open, t.prefix, t.inter = csi, t.params[:0], t.sub[:0], false, 0, 0
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		t.state, t.kind, t.str = stringBody, c, t.str[:0]
	case c < 0x30:
		t.state, t.inter = escapeRest, c
	case c == 0x7F:
	default:
		t.state = ground
		t.escape(c)
	}
}

func (t *Terminal) stepCSI(c byte) {
	switch {
	case t.inter != 0 && c >= 0x30 && c < 0x40:
		t.state = csiIgnore
	case c >= '0' && c <= '9':
		if !t.open {
			t.param(false)
		}
		if p := &t.params[len(t.params)-1]; *p < maxParam {
			*p = max(*p, 0)*10 + int(c-'0')
		}
	case c == ';' || c == ':':
		if !t.open {
			t.param(false)
		}
		t.param(c == ':')
	case c >= '<' && c <= '?':
		if t.open || t.prefix != 0 {
			t.state = csiIgnore
			return
		}
		t.prefix = c
	case c < 0x30:
		if t.inter != 0 {
			t.state = csiIgnore
			return
		}
		t.inter = c
	case c == 0x7F:
	default:
		t.state = ground
		t.csi(c)
	}
}

// param begins a parameter. Those beyond the limit all land in the last.
func (t *Terminal) param(sub bool) {
	t.open = true
	if len(t.params) == maxParams {
		t.params[maxParams-1] = -1
		return
	}
	t.params, t.sub = append(t.params, -1), append(t.sub, sub)
}

// p is parameter i, or def where it is not given or 0.
func (t *Terminal) p(i, def int) int {
	if i < len(t.params) && t.params[i] > 0 {
		return t.params[i]
	}
	return def
}

func (t *Terminal) stepString(c byte) {
	switch {
	case t.state == stringEscape && c == '\\':
		t.endString()
	case t.state == stringEscape:
		t.endString()
		t.state, t.inter, t.prefix = escape, 0, 0
		t.step(c)
	case c == 0x1B:
		t.state = stringEscape
	case c == 0x07 && t.kind == ']':
		t.endString()
	case c == 0x18 || c == 0x1A:
		t.state = ground
	default:
		t.collect(c)
	}
}

// endString answers the few strings that ask something. All others are dropped: titles, colours, clipboard, images.
func (t *Terminal) endString() {
	t.state = ground
	if t.kind != 'P' || len(t.str) < 2 {
		return
	}
	switch q := string(t.str[2:]); string(t.str[:2]) {
	case "$q":
		t.reply("\x1bP" + t.setting(q) + "\x1b\\")
	case "+q":
		t.reply("\x1bP0+r\x1b\\")
	}
}
