package painter

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// filter is the last look at what Bubble Tea writes: only what a console has to say to its terminal comes through, whatever may
// have found its way into a view. Everything else is left out and counted. It belongs to whoever holds the painter's lock.
type filter struct {
	blocked uint64
	rest    []byte // a sequence that the last write did not end
	latin   bool   // the terminal shows no Unicode
}

// maxRest is the longest sequence that is waited for, in bytes; a clipboard is the longest that there is.
const maxRest = 2 << 20

// AskImages asks whether the terminal takes images by kitty's protocol: one of a single pixel is looked at and not kept.
const AskImages = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"

// found is what the painter wants to know of the stream.
type found struct {
	sentinel func(r rune)
	mode     func(mode string, on bool) // a private mode was switched
	greeting string                     // goes onto the alternate screen before all else
}

// pass appends to out what of b may reach the terminal. Sentinels become moves: the terminal never sees them.
func (f *filter) pass(out, b []byte, tell found) []byte {
	if len(f.rest) > 0 {
		b = append(f.rest, b...)
		f.rest = nil
	}
	for len(b) > 0 {
		switch c := b[0]; {
		case c == 0x1b:
			n := length(b)
			if n == 0 {
				if len(b) > maxRest {
					f.blocked++
					return out
				}
				f.rest = append([]byte(nil), b...)
				return out
			}
			out = f.sequence(out, b[:n], tell)
			b = b[n:]
		case c >= utf8.RuneSelf:
			if !utf8.FullRune(b) {
				f.rest = append([]byte(nil), b...)
				return out
			}
			switch r, n := utf8.DecodeRune(b); {
			case sentinel(r):
				b = b[f.skip(&out, b, tell):]
			case r == utf8.RuneError && n == 1, r < 0xA0: // no UTF-8, C1 controls
				f.blocked++
				b = b[n:]
			case f.latin:
				out = appendLatin(out, r)
				b = b[n:]
			default:
				out = append(out, b[:n]...)
				b = b[n:]
			}
		case c < ' ' && !plainControl(c), c == 0x7f:
			f.blocked++
			b = b[1:]
		default:
			n := 1
			for n < len(b) && b[n] >= ' ' && b[n] < 0x7f {
				n++
			}
			out = append(out, b[:n]...)
			b = b[n:]
		}
	}
	return out
}

// plainControl are the controls that the renderer moves by.
func plainControl(c byte) bool { return c == '\n' || c == '\r' || c == '\b' || c == '\t' }

// skip takes a run of sentinels: the cursor goes on over them, and the last becomes a space, so that the terminal is in the same
// state behind it as after any other character, at its right edge too.
func (f *filter) skip(out *[]byte, b []byte, tell found) (n int) {
	run := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !sentinel(r) {
			break
		}
		tell.sentinel(r)
		run, n = run+1, n+size
	}
	if run > 1 {
		*out = appendCSI(*out, run-1, 'C')
	}
	*out = append(*out, ' ')
	return n
}

// length is how long the sequence is that b begins with; 0: it does not end in b.
func length(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e || b[i] < ' ' || b[i] >= 0x7f {
				return i + 1
			}
		}
		return 0
	case ']', 'P', '_', '^', 'X':
		for i := 2; i < len(b); i++ {
			if b[i] == 0x07 && b[1] == ']' {
				return i + 1
			}
			if b[i] == 0x1b {
				switch {
				case i+1 == len(b):
					return 0
				case b[i+1] == '\\':
					return i + 2
				}
				return i // another sequence begins: this one was broken off
			}
		}
		return 0
	case ' ', '#', '%', '(', ')', '*', '+':
		if len(b) < 3 {
			return 0
		}
		return 3
	}
	return 2
}

// sequence appends s if it is one that a console has for its terminal.
func (f *filter) sequence(out, s []byte, tell found) []byte {
	switch {
	case string(s) == AskImages, s[1] == '[' && f.csi(s, tell), s[1] == ']' && osc(s), s[1] == 'P' && dcs(s), len(s) == 2 && strings.IndexByte("78M=>", s[1]) >= 0:
		if isSync(s) {
			return out
		}
		if out = append(out, s...); string(s) == altScreen {
			out = append(out, tell.greeting...)
		}
		return out
	}
	f.blocked++
	return out
}

// isSync says whether s switches synchronized output, which is the painter's own to do.
func isSync(s []byte) bool { return string(s) == syncOn || string(s) == syncOff }

// modes are the private modes that may be switched: wrap, caret, mouse, focus, alternate screen, paste, synchronized output,
// Unicode widths.
var modes = map[string]bool{
	"7": true, "25": true, "1000": true, "1002": true, "1003": true, "1004": true, "1006": true, "1049": true, "2004": true, "2026": true, "2027": true,
}

// csi says whether a control sequence may pass.
func (f *filter) csi(s []byte, tell found) bool {
	final, body := s[len(s)-1], s[2:len(s)-1]
	mark := byte(0)
	if len(body) > 0 && body[0] >= '<' && body[0] <= '?' {
		mark, body = body[0], body[1:]
	}
	i := 0
	for i < len(body) && (body[i] >= '0' && body[i] <= ';') {
		i++
	}
	params, between := string(body[:i]), string(body[i:])
	switch {
	case mark == 0 && between == "":
		return strings.IndexByte("@ABCDEFGHIJKLMPSTXZ`abcdefgmr", final) >= 0 || final == 't' && (params == "14" || params == "16")
	case mark == '?' && between == "" && (final == 'h' || final == 'l'):
		if !modes[params] {
			return false
		}
		tell.mode(params, final == 'h')
		return true
	case between == "$" && final == 'p', between == " " && final == 'q' && mark == 0: // questions about modes, the caret's shape
		return true
	case mark == '?' && between == "":
		return final == 'u' || final == 'W' && params == "5" // questions about the keyboard, tab stops
	case mark == '>' && between == "":
		return final == 'u' || final == 'm' || final == 'q' || final == 'c' // the keyboard's modes, the terminal's name
	case mark == '<' && between == "", mark == '=' && between == "":
		return final == 'u'
	}
	return false
}

// osc says whether an operating system command may pass: titles, colours asked for or set by us, the clipboard set but never
// read.
func osc(s []byte) bool {
	body := bytes.TrimSuffix(bytes.TrimSuffix(s[2:], []byte{0x07}), []byte{0x1b, '\\'})
	if len(body) == len(s)-2 || !printable(body) {
		return false
	}
	number, text, _ := bytes.Cut(body, []byte{';'})
	switch string(number) {
	case "0", "2", "10", "11", "12", "110", "111", "112":
		return true
	case "52":
		_, data, _ := bytes.Cut(text, []byte{';'})
		return string(data) != "?"
	}
	return false
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(b)
}

// dcs says whether a device control string may pass: questions about capabilities (XTGETTCAP) and colours (DECRQSS of SGR).
func dcs(s []byte) bool {
	return string(s) == "\x1bP$qm\x1b\\" || len(s) > 6 && s[2] == '+' && s[3] == 'q' && bytes.HasSuffix(s, []byte{0x1b, '\\'}) && printable(s[4:len(s)-2])
}
