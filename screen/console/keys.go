package console

import (
	"fmt"
	"image"
	"strings"
	"unicode"

	"assist/screen"
)

// keyboard translates events to what a terminal sends (xterm's control sequences, ctlseqs). Of a person who presses modifiers
// as keys of their own it remembers which are down.
type keyboard struct {
	held   screen.Mods
	button screen.Button // that is down
	at     image.Point   // of the newest report of motion
}

// modifiers are the keys that are held for the sake of others.
var modifiers = map[screen.Key]screen.Mods{
	screen.KeyShift: screen.ModShift, screen.KeyControl: screen.ModControl, screen.KeyAlt: screen.ModAlt, screen.KeySuper: screen.ModSuper,
	screen.KeyAltGr: screen.ModAltGr,
}

// encode is what a terminal in those modes sends for ev; nothing for what it has no word for.
func (k *keyboard) encode(ev screen.Input, modes screen.TextModes, size image.Point) []byte {
	switch ev.Kind {
	case screen.KeyTap:
		return key(ev.Key, ev.Mods|k.held, modes)
	case screen.KeyPress:
		if m, is := modifiers[ev.Key]; is {
			k.held |= m
			return nil
		}
		return key(ev.Key, ev.Mods|k.held, modes)
	case screen.KeyRelease:
		k.held &^= modifiers[ev.Key]
	case screen.TypeText:
		return []byte(tidy(ev.Text))
	case screen.PasteText:
		return paste(ev.Text, modes)
	case screen.ButtonPress, screen.ButtonRelease, screen.PointerMove, screen.Wheel:
		return k.mouse(ev, modes, size)
	case screen.ReleaseAll:
		k.held = 0
		if k.button != 0 {
			return k.mouse(screen.Input{Kind: screen.ButtonRelease, Button: k.button, At: k.at}, modes, size)
		}
	}
	return nil
}

// tidy leaves out controls but line ends and tabs, so that a text is never a sequence (threats A14); line ends become Enter.
func tidy(s string) string {
	s = strings.NewReplacer("\r\n", "\r", "\n", "\r").Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\r' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

func paste(s string, modes screen.TextModes) []byte {
	s = tidy(s)
	if modes.Has(screen.BracketedPaste) {
		return []byte("\x1b[200~" + s + "\x1b[201~")
	}
	return []byte(s)
}

// cursorKeys are those whose sequence ends in a letter; functionKeys end in a number and a tilde.
var (
	cursorKeys = map[screen.Key]byte{
		screen.KeyUp: 'A', screen.KeyDown: 'B', screen.KeyRight: 'C', screen.KeyLeft: 'D', screen.KeyHome: 'H', screen.KeyEnd: 'F',
	}
	functionKeys = map[screen.Key]int{
		screen.KeyInsert: 2, screen.KeyDelete: 3, screen.KeyPageUp: 5, screen.KeyPageDown: 6, screen.KeyF5: 15, screen.KeyF6: 17,
		screen.KeyF7: 18, screen.KeyF8: 19, screen.KeyF9: 20, screen.KeyF10: 21, screen.KeyF11: 23, screen.KeyF12: 24, screen.KeyMenu: 29,
	}
)

// modParameter is how xterm tells modifiers: one more than the sum of Shift 1, Alt 2, Control 4, Super 8.
func modParameter(m screen.Mods) int {
	n := 1
	for i, one := range [...]screen.Mods{screen.ModShift, screen.ModAlt, screen.ModControl, screen.ModSuper} {
		if m&one != 0 {
			n += 1 << i
		}
	}
	return n
}

func key(k screen.Key, m screen.Mods, modes screen.TextModes) []byte {
	mod := modParameter(m)
	if c, ok := cursorKeys[k]; ok {
		switch {
		case mod > 1:
			return fmt.Appendf(nil, "\x1b[1;%d%c", mod, c)
		case modes.Has(screen.CursorKeys):
			return []byte{0x1b, 'O', c}
		}
		return []byte{0x1b, '[', c}
	}
	if k >= screen.KeyF1 && k <= screen.KeyF4 {
		c := 'P' + byte(k-screen.KeyF1)
		if mod > 1 {
			return fmt.Appendf(nil, "\x1b[1;%d%c", mod, c)
		}
		return []byte{0x1b, 'O', c}
	}
	if n, ok := functionKeys[k]; ok {
		if mod > 1 {
			return fmt.Appendf(nil, "\x1b[%d;%d~", n, mod)
		}
		return fmt.Appendf(nil, "\x1b[%d~", n)
	}
	return withAlt(plainKey(k, m, modes), m)
}

// withAlt is ESC before what the key sends without Alt (metaSendsEscape).
func withAlt(b []byte, m screen.Mods) []byte {
	if m&screen.ModAlt != 0 && len(b) > 0 {
		return append([]byte{0x1b}, b...)
	}
	return b
}

// plainKey is a key that sends a character.
func plainKey(k screen.Key, m screen.Mods, modes screen.TextModes) []byte {
	switch k {
	case screen.KeyEnter:
		if modes.Has(screen.NewLine) {
			return []byte("\r\n")
		}
		return []byte{'\r'}
	case screen.KeyTab:
		if m&screen.ModShift != 0 {
			return []byte("\x1b[Z")
		}
		return []byte{'\t'}
	case screen.KeyBackspace:
		if m&screen.ModControl != 0 {
			return []byte{'\b'}
		}
		return []byte{0x7F}
	case screen.KeyEscape:
		return []byte{0x1b}
	case screen.KeySpace:
		k = ' '
	}
	if k > unicode.MaxRune || unicode.IsControl(rune(k)) {
		return nil
	}
	r := rune(k)
	if m&screen.ModControl != 0 {
		if c, ok := control(r); ok {
			return []byte{c}
		}
	}
	if m&screen.ModShift != 0 {
		r = unicode.ToUpper(r)
	}
	return []byte(string(r))
}

// control is what Control makes of a character.
func control(r rune) (byte, bool) {
	switch {
	case r >= '@' && r <= '_', r >= 'a' && r <= 'z':
		return byte(r) & 0x1F, true
	case r == ' ' || r == '2' || r == '`':
		return 0, true
	case r >= '3' && r <= '7':
		return byte(r-'3') + 0x1B, true
	case r == '8' || r == '?':
		return 0x7F, true
	case r == '/' || r == '-':
		return 0x1F, true
	}
	return 0, false
}
