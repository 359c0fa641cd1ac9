package work

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Filter stands between what a command on another machine prints and the agent's own terminal (threats 2.4): only what is
// listed here gets through, so that nothing makes the terminal answer, store, open or rename anything. Lines get colours; a
// command that was given a terminal moves the cursor, too. What does not get through is dropped, or shown as what it is.
type Filter struct {
	To   io.Writer
	Full bool // the command has a terminal

	state state
	seq   []byte // of what is not yet complete
	out   []byte
}

type state uint8

const (
	ground  state = iota
	char          // inside a character of several bytes
	escape        // after ESC
	charset       // after ESC ( or ESC )
	control       // inside CSI
	text          // inside OSC, DCS, APC, PM or SOS
	textEnd       // after ESC inside such
)

// maxSeq is the longest control sequence that is looked at, in bytes; terminfo's longest are about 40.
const maxSeq = 64

// What gets through besides printable characters, by final byte (ECMA-48; xterm's ctlseqs for the rest).
const (
	lineFinals = "m"
	fullFinals = "ABCDEFGHIJKLMPSTXZ`abdefgmrsu@"
	fullEscape = "78DEHM=>" // cursor kept and put back, index, tab, keypad
)

// fullModes are the private modes (DECSET) that a command may switch: cursor keys, column wrap, blinking, visible cursor, mouse
// reports, focus, the second screen, bracketed paste, synchronized output. What they make the terminal send goes to the command.
var fullModes = []string{"1", "6", "7", "12", "25", "47", "1000", "1002", "1003", "1004", "1006", "1047", "1048", "1049", "2004", "2026"}

// Restore puts a terminal back that a command has used, whatever it left behind.
const Restore = "\x1b[0m\x1b[r\x1b[?1l\x1b[?6l\x1b[?7h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?2026l\x1b[?1049l\x1b[?25h\x1b>\x1b(B"

// Write filters b. It never holds back more than one unfinished sequence.
func (f *Filter) Write(b []byte) (int, error) {
	f.out = f.out[:0]
	for _, c := range b {
		f.step(c)
	}
	if len(f.out) > 0 {
		if _, err := f.To.Write(f.out); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (f *Filter) step(c byte) {
	switch f.state {
	case ground:
		f.plain(c)
	case char:
		f.rune(c)
	case escape:
		f.escaped(c)
	case charset:
		if f.state = ground; f.Full && (c == '0' || c == 'B') {
			f.out = append(append(f.out, f.seq...), c)
		}
	case control:
		f.sequence(c)
	case text:
		switch c {
		case 0x07, 0x18, 0x1A:
			f.state = ground
		case 0x1B:
			f.state = textEnd
		}
	case textEnd:
		if f.state = text; c == '\\' {
			f.state = ground
		}
	}
}

func (f *Filter) plain(c byte) {
	switch {
	case c == 0x1B:
		f.state = escape
	case c == '\n', c == '\t', c == '\r', f.Full && (c == '\b' || c == 0x07):
		f.out = append(f.out, c)
	case c < ' ' || c == 0x7F:
		if !f.Full {
			f.out = append(f.out, picture(c)...)
		}
	case c < utf8.RuneSelf:
		f.out = append(f.out, c)
	default:
		f.state, f.seq = char, append(f.seq[:0], c)
	}
}

// picture shows a control character (U+2400 and on).
func picture(c byte) string {
	if c == 0x7F {
		return "␡"
	}
	return string('␀' + rune(c))
}

// rune collects a character. What is none, or a C1 control, is shown as unknown.
func (f *Filter) rune(c byte) {
	if c&0xC0 != 0x80 { // no continuation: the character before is broken
		f.out = append(f.out, "\uFFFD"...)
		f.state = ground
		f.plain(c)
		return
	}
	f.seq = append(f.seq, c)
	r, size := utf8.DecodeRune(f.seq)
	switch {
	case r != utf8.RuneError && (r < 0x80 || r > 0x9F):
		f.out = append(f.out, f.seq[:size]...)
		f.state = ground
	case utf8.FullRune(f.seq) || len(f.seq) >= utf8.UTFMax:
		f.out = append(f.out, "\uFFFD"...)
		f.state = ground
	}
}

// escaped is what comes after ESC.
func (f *Filter) escaped(c byte) {
	switch {
	case c == '[':
		f.state, f.seq = control, append(f.seq[:0], 0x1B, '[')
	case strings.IndexByte("]PX^_", c) >= 0:
		f.state = text
	case c == '(' || c == ')':
		f.state, f.seq = charset, append(f.seq[:0], 0x1B, c)
	case c == 0x1B:
	default:
		f.state = ground
		if f.Full && strings.IndexByte(fullEscape, c) >= 0 {
			f.out = append(f.out, 0x1B, c)
		} else if !f.Full {
			f.out = append(f.out, "␛"...)
			f.plain(c)
		}
	}
}

// sequence collects a control sequence and lets it through when it is on the list.
func (f *Filter) sequence(c byte) {
	switch {
	case c == 0x1B:
		f.state = escape
	case c < ' ' || c > '~':
		f.state = ground
		f.plain(c)
	case c < '@':
		if len(f.seq) <= maxSeq { // what is longer is read to its end and dropped
			f.seq = append(f.seq, c)
		}
	default:
		f.state = ground
		if params := string(f.seq[2:]); len(f.seq) <= maxSeq && f.allowed(params, c) {
			f.out = append(append(f.out, f.seq...), c)
		}
	}
}

func (f *Filter) allowed(params string, final byte) bool {
	if f.Full && (final == 'h' || final == 'l') {
		modes, private := strings.CutPrefix(params, "?")
		if !private {
			return params == "4" // insert
		}
		for m := range strings.SplitSeq(modes, ";") {
			if !slices.Contains(fullModes, m) {
				return false
			}
		}
		return true
	}
	if strings.Trim(params, "0123456789;:") != "" { // private or intermediate bytes: something else altogether
		return f.Full && final == 'q' && len(params) == 2 && params[1] == ' ' && params[0] >= '0' && params[0] <= '6' // shape of the cursor
	}
	finals := lineFinals
	if f.Full {
		finals = fullFinals
	}
	return strings.IndexByte(finals, final) >= 0
}
