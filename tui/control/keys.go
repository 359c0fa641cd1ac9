package control

import (
	"unicode"
	"unicode/utf8"

	"assist/screen"

	tea "charm.land/bubbletea/v2"
)

// named are the terminal's keys that have a name of their own on the customer's machine.
var named = map[rune]screen.Key{
	tea.KeyEnter: screen.KeyEnter, tea.KeyTab: screen.KeyTab, tea.KeyBackspace: screen.KeyBackspace, tea.KeyEscape: screen.KeyEscape,
	tea.KeyInsert: screen.KeyInsert, tea.KeyDelete: screen.KeyDelete, tea.KeyHome: screen.KeyHome, tea.KeyEnd: screen.KeyEnd,
	tea.KeyPgUp: screen.KeyPageUp, tea.KeyPgDown: screen.KeyPageDown,
	tea.KeyUp: screen.KeyUp, tea.KeyDown: screen.KeyDown, tea.KeyLeft: screen.KeyLeft, tea.KeyRight: screen.KeyRight,
	tea.KeyFind: screen.KeyHome, tea.KeySelect: screen.KeyEnd, // VT220's names for the same places
	tea.KeyPrintScreen: screen.KeyPrint, tea.KeyPause: screen.KeyPause, tea.KeyScrollLock: screen.KeyScrollLock,
	tea.KeyCapsLock: screen.KeyCapsLock, tea.KeyNumLock: screen.KeyNumLock, tea.KeyMenu: screen.KeyMenu,
	tea.KeyKpEnter: screen.KeyEnter, tea.KeyKpUp: screen.KeyUp, tea.KeyKpDown: screen.KeyDown, tea.KeyKpLeft: screen.KeyLeft,
	tea.KeyKpRight: screen.KeyRight, tea.KeyKpPgUp: screen.KeyPageUp, tea.KeyKpPgDown: screen.KeyPageDown, tea.KeyKpHome: screen.KeyHome,
	tea.KeyKpEnd: screen.KeyEnd, tea.KeyKpInsert: screen.KeyInsert, tea.KeyKpDelete: screen.KeyDelete,
	tea.KeyKpEqual: '=', tea.KeyKpMultiply: '*', tea.KeyKpPlus: '+', tea.KeyKpComma: ',', tea.KeyKpSep: ',', tea.KeyKpMinus: '-',
	tea.KeyKpDecimal: '.', tea.KeyKpDivide: '/',
}

// modifiers are the keys that are held for the sake of others. Left and right are one.
var modifiers = map[rune]screen.Mods{
	tea.KeyLeftShift: screen.ModShift, tea.KeyRightShift: screen.ModShift,
	tea.KeyLeftCtrl: screen.ModControl, tea.KeyRightCtrl: screen.ModControl,
	tea.KeyLeftAlt: screen.ModAlt, tea.KeyRightAlt: screen.ModAlt, tea.KeyLeftMeta: screen.ModAlt, tea.KeyRightMeta: screen.ModAlt,
	tea.KeyLeftSuper: screen.ModSuper, tea.KeyRightSuper: screen.ModSuper, tea.KeyLeftHyper: screen.ModSuper, tea.KeyRightHyper: screen.ModSuper,
	tea.KeyIsoLevel3Shift: screen.ModAltGr, tea.KeyIsoLevel5Shift: screen.ModAltGr,
}

// modKeys are the modifiers as keys, in the order in which they are pressed.
var modKeys = []struct {
	mod screen.Mods
	key screen.Key
}{
	{screen.ModControl, screen.KeyControl},
	{screen.ModAlt, screen.KeyAlt},
	{screen.ModAltGr, screen.KeyAltGr},
	{screen.ModShift, screen.KeyShift},
	{screen.ModSuper, screen.KeySuper},
}

// stroke is what one press of a terminal's key means for the customer's machine.
type stroke struct {
	mod  screen.Mods // not 0: the key is a modifier by itself
	key  screen.Key  // the key, or KeyNone
	mods screen.Mods // held around it; for a text key without those that made the text
	text string      // not empty: typed as it is, whatever the layout
}

// modsOf translates the modifiers of a terminal. The locks change nothing: they are in the text already.
func modsOf(m tea.KeyMod) screen.Mods {
	var out screen.Mods
	for _, p := range []struct {
		from tea.KeyMod
		to   screen.Mods
	}{
		{tea.ModShift, screen.ModShift},
		{tea.ModCtrl, screen.ModControl},
		{tea.ModAlt, screen.ModAlt},
		{tea.ModMeta, screen.ModAlt},
		{tea.ModSuper, screen.ModSuper},
		{tea.ModHyper, screen.ModSuper},
	} {
		if m.Contains(p.from) {
			out |= p.to
		}
	}
	return out
}

// translate reads a key of the terminal. It reports false for keys that the customer's machine has no name for.
func translate(k tea.Key) (stroke, bool) {
	if m, ok := modifiers[k.Code]; ok {
		return stroke{mod: m}, true
	}
	if k.Text != "" && printable(k.Text) {
		return textStroke(k.Text), true
	}
	mods := modsOf(k.Mod)
	switch {
	case k.Code >= tea.KeyF1 && k.Code <= tea.KeyF12:
		return stroke{key: screen.KeyF1 + screen.Key(k.Code-tea.KeyF1), mods: mods}, true
	case k.Code >= tea.KeyF13 && k.Code <= tea.KeyF24: // what older terminals send for Shift with F1 to F12 (terminfo kf13..kf24)
		return stroke{key: screen.KeyF1 + screen.Key(k.Code-tea.KeyF13), mods: mods | screen.ModShift}, true
	case k.Code >= tea.KeyKp0 && k.Code <= tea.KeyKp9:
		return stroke{key: screen.Key('0' + k.Code - tea.KeyKp0), mods: mods}, true
	}
	if key, ok := named[k.Code]; ok {
		return stroke{key: key, mods: mods}, true
	}
	if k.Code == tea.KeyExtended || k.Code > unicode.MaxRune || !unicode.IsPrint(k.Code) && k.Code != ' ' {
		return stroke{}, false
	}
	return stroke{key: screen.Key(unicode.ToLower(k.Code)), mods: mods | shiftOf(k.Code)}, true
}

// shiftOf says that an upper-case letter was made with Shift, whether the terminal told so or not.
func shiftOf(r rune) screen.Mods {
	if unicode.IsUpper(r) {
		return screen.ModShift
	}
	return 0
}

// textStroke is the stroke for characters: a key where one of ASCII can be pressed and held, else text.
func textStroke(s string) stroke {
	if len(s) == 1 {
		return stroke{key: screen.Key(s[0])}
	}
	return stroke{text: s}
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// shifted is how a text stroke is played while other modifiers are latched: the plain key with Shift beside them.
func (s stroke) shifted(mods screen.Mods) (screen.Key, screen.Mods) {
	if r := rune(s.key); s.key < unicode.MaxRune && unicode.IsUpper(r) && mods != 0 {
		return screen.Key(unicode.ToLower(r)), mods | screen.ModShift
	}
	return s.key, mods
}
