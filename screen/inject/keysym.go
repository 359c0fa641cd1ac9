package inject

import (
	"sort"

	"assist/screen"
)

// keysym is what a key means, after X11's keysymdef.h.
type keysym uint32

// Keysyms with a meaning of their own here (keysymdef.h).
const (
	noSymbol    keysym = 0
	symTab      keysym = 0xff09
	symReturn   keysym = 0xff0d
	symNumLock  keysym = 0xff7f
	symMode     keysym = 0xff7e // Mode_switch
	symShiftL   keysym = 0xffe1
	symShiftR   keysym = 0xffe2
	symControlL keysym = 0xffe3
	symControlR keysym = 0xffe4
	symCapsLock keysym = 0xffe5
	symShiftLck keysym = 0xffe6
	symMetaL    keysym = 0xffe7
	symAltL     keysym = 0xffe9
	symAltR     keysym = 0xffea
	symSuperL   keysym = 0xffeb
	symHyperR   keysym = 0xffee
	symLevel3   keysym = 0xfe03 // ISO_Level3_Shift
	symLevel5   keysym = 0xfe11 // ISO_Level5_Shift
	symUnicode  keysym = 0x01000000
)

// named maps the named keys to their keysyms, the likeliest first.
var named = map[screen.Key][]keysym{
	screen.KeyEnter:      {symReturn},
	screen.KeyTab:        {symTab},
	screen.KeyBackspace:  {0xff08},
	screen.KeyEscape:     {0xff1b},
	screen.KeyInsert:     {0xff63},
	screen.KeyDelete:     {0xffff},
	screen.KeyHome:       {0xff50},
	screen.KeyEnd:        {0xff57},
	screen.KeyPageUp:     {0xff55},
	screen.KeyPageDown:   {0xff56},
	screen.KeyUp:         {0xff52},
	screen.KeyDown:       {0xff54},
	screen.KeyLeft:       {0xff51},
	screen.KeyRight:      {0xff53},
	screen.KeyF1:         {0xffbe},
	screen.KeyF2:         {0xffbf},
	screen.KeyF3:         {0xffc0},
	screen.KeyF4:         {0xffc1},
	screen.KeyF5:         {0xffc2},
	screen.KeyF6:         {0xffc3},
	screen.KeyF7:         {0xffc4},
	screen.KeyF8:         {0xffc5},
	screen.KeyF9:         {0xffc6},
	screen.KeyF10:        {0xffc7},
	screen.KeyF11:        {0xffc8},
	screen.KeyF12:        {0xffc9},
	screen.KeyPrint:      {0xff61},
	screen.KeyPause:      {0xff13},
	screen.KeyScrollLock: {0xff14},
	screen.KeyCapsLock:   {symCapsLock},
	screen.KeyNumLock:    {symNumLock},
	screen.KeyMenu:       {0xff67},
	screen.KeyShift:      {symShiftL, symShiftR},
	screen.KeyControl:    {symControlL, symControlR},
	screen.KeyAlt:        {symAltL, symMetaL},
	screen.KeyAltGr:      {symLevel3, symMode, symAltR},
	screen.KeySuper:      {symSuperL, symSuperL + 1},
	screen.KeySpace:      {' '},
}

// modKeys says which key holds each modifier of a tap.
var modKeys = []struct {
	mod screen.Mods
	key screen.Key
}{
	{screen.ModControl, screen.KeyControl},
	{screen.ModAlt, screen.KeyAlt},
	{screen.ModSuper, screen.KeySuper},
	{screen.ModAltGr, screen.KeyAltGr},
	{screen.ModShift, screen.KeyShift},
}

// keysyms lists what may stand for k in a keymap. A character may be there under its legacy name or its Unicode one.
func keysyms(k screen.Key) []keysym {
	if k > screen.KeyNone {
		return named[k]
	}
	return charSyms(rune(k))
}

// charSyms lists the keysyms of a character: Latin-1 and the control characters that are keys have one, others their
// legacy ones before the Unicode one.
func charSyms(r rune) []keysym {
	switch {
	case r == '\n', r == '\r':
		return []keysym{symReturn}
	case r == '\t':
		return []keysym{symTab}
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return nil
	case r < 0x100:
		return []keysym{keysym(r)}
	}
	var out []keysym
	if r <= 0xffff {
		i := sort.Search(len(legacy), func(i int) bool { return rune(legacy[i].char) >= r })
		for ; i < len(legacy) && rune(legacy[i].char) == r; i++ {
			out = append(out, keysym(legacy[i].sym))
		}
	}
	return append(out, symUnicode|keysym(r))
}

// isModifier says whether a key with this keysym changes what other keys mean while it is held. Locks do not: holding
// them changes nothing.
func (s keysym) isModifier() bool {
	switch {
	case s == symCapsLock, s == symShiftLck:
		return false
	case s >= symShiftL && s <= symHyperR, s == symMode, s >= symLevel3 && s <= symLevel5:
		return true
	}
	return false
}

// Rune is the character that a keysym stands for, for who reads a keyboard instead of playing one; 0: it stands for none.
func Rune(sym uint32) rune {
	switch k := keysym(sym); {
	case k >= 0x20 && k <= 0x7e, k >= 0xa0 && k <= 0xff:
		return rune(k)
	case k > symUnicode && k <= symUnicode+0x10ffff:
		return rune(k - symUnicode)
	case k < 0x10000:
		for _, l := range legacy {
			if keysym(l.sym) == k {
				return rune(l.char)
			}
		}
	}
	return 0
}
