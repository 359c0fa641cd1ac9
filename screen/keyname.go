package screen

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// keyNames are the named keys as people write them, in lower case; the first of a key is the one that is printed.
var keyNames = []struct {
	name string
	key  Key
}{
	{"enter", KeyEnter},
	{"return", KeyEnter},
	{"tab", KeyTab},
	{"backspace", KeyBackspace},
	{"esc", KeyEscape},
	{"escape", KeyEscape},
	{"insert", KeyInsert},
	{"ins", KeyInsert},
	{"delete", KeyDelete},
	{"del", KeyDelete},
	{"home", KeyHome},
	{"end", KeyEnd},
	{"pageup", KeyPageUp},
	{"pgup", KeyPageUp},
	{"pagedown", KeyPageDown},
	{"pgdn", KeyPageDown},
	{"pgdown", KeyPageDown},
	{"up", KeyUp},
	{"down", KeyDown},
	{"left", KeyLeft},
	{"right", KeyRight},
	{"f1", KeyF1},
	{"f2", KeyF2},
	{"f3", KeyF3},
	{"f4", KeyF4},
	{"f5", KeyF5},
	{"f6", KeyF6},
	{"f7", KeyF7},
	{"f8", KeyF8},
	{"f9", KeyF9},
	{"f10", KeyF10},
	{"f11", KeyF11},
	{"f12", KeyF12},
	{"print", KeyPrint},
	{"pause", KeyPause},
	{"scrolllock", KeyScrollLock},
	{"capslock", KeyCapsLock},
	{"numlock", KeyNumLock},
	{"menu", KeyMenu},
	{"space", KeySpace},
	{"plus", '+'},
	{"minus", '-'},
	{"shift", KeyShift},
	{"ctrl", KeyControl},
	{"control", KeyControl},
	{"alt", KeyAlt},
	{"altgr", KeyAltGr},
	{"super", KeySuper},
	{"win", KeySuper},
	{"cmd", KeySuper},
}

var modNames = map[string]Mods{
	"ctrl": ModControl, "control": ModControl, "alt": ModAlt, "shift": ModShift, "altgr": ModAltGr,
	"super": ModSuper, "win": ModSuper, "cmd": ModSuper,
}

// ParseKey reads a key as people write it: "ctrl+c", "Alt-F4", "enter", "ctrl+alt+del", "ä". Modifiers stand before the key,
// with + or - behind each; a modifier alone is a key.
func ParseKey(s string) (Key, Mods, error) {
	var mods Mods
	rest := s
	for {
		i := strings.IndexAny(rest, "+-")
		if i <= 0 || i == len(rest)-1 {
			break
		}
		m, known := modNames[strings.ToLower(rest[:i])]
		if !known {
			break
		}
		mods |= m
		rest = rest[i+1:]
	}
	for _, n := range keyNames {
		if n.name == strings.ToLower(rest) {
			return n.key, mods, nil
		}
	}
	r, size := utf8.DecodeRuneInString(rest)
	if size != len(rest) || size == 0 || r == utf8.RuneError || r < ' ' || r == 0x7F {
		return KeyNone, 0, fmt.Errorf("%q is no key", s)
	}
	return Key(r), mods, nil
}

// KeyNames are the names that ParseKey knows beside single characters.
func KeyNames() []string {
	out := make([]string, len(keyNames))
	for i, n := range keyNames {
		out[i] = n.name
	}
	return out
}
