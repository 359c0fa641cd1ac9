package screen

import "image"

// Key names a key: a Unicode code point for what types a character, or one of the named keys above U+10FFFF.
type Key uint32

// The named keys. Retired numbers stay reserved.
const (
	KeyNone Key = iota + 0x110000
	KeyEnter
	KeyTab
	KeyBackspace
	KeyEscape
	KeyInsert
	KeyDelete
	KeyHome
	KeyEnd
	KeyPageUp
	KeyPageDown
	KeyUp
	KeyDown
	KeyLeft
	KeyRight
	KeyF1
	KeyF2
	KeyF3
	KeyF4
	KeyF5
	KeyF6
	KeyF7
	KeyF8
	KeyF9
	KeyF10
	KeyF11
	KeyF12
	KeyPrint
	KeyPause
	KeyScrollLock
	KeyCapsLock
	KeyNumLock
	KeyMenu
	KeyShift
	KeyControl
	KeyAlt
	KeyAltGr
	KeySuper
	KeySpace // U+0020 means the same; this one is for latches and menus
	keyEnd
)

// Valid says whether k is a code point or a named key of this build.
func (k Key) Valid() bool {
	return k > 0 && k < 0xD800 || k > 0xDFFF && k <= 0x10FFFF || k > KeyNone && k < keyEnd
}

// Mods is the set of modifiers that are held around a tap.
type Mods uint8

// The modifiers.
const (
	ModShift Mods = 1 << iota
	ModControl
	ModAlt
	ModSuper
	ModAltGr
)

// Button numbers follow X11: 1 left, 2 middle, 3 right, 8 back, 9 forward. The wheel is an event of its own.
type Button uint8

// InputKind says what an Input is.
type InputKind uint8

// The kinds of input.
const (
	KeyTap     InputKind = iota + 1 // press and release, with Mods held around it
	KeyPress                        // stays down until KeyRelease; Mods are pressed as keys of their own
	KeyRelease                      //
	TypeText                        // Text is typed as it is, whatever the layout
	PointerMove
	ButtonPress   // at At
	ButtonRelease // at At
	Wheel         // Steps: X right, Y down, in notches, at At
	ReleaseAll    // every key and button that this member holds
	PasteText     // Text is pasted: a terminal's program is told so if it asked; elsewhere it is typed
)

// MaxText is the longest Text of one event, in bytes; longer pastes are split.
const MaxText = 4096

// Input is one event of an agent for the customer's machine. Events of one member are numbered from 1 by the console; the
// host plays each once and in order.
type Input struct {
	Seq    uint64
	Kind   InputKind
	Key    Key
	Mods   Mods
	Button Button
	At     image.Point // display pixels; cells of the grid when it is for the text
	Steps  image.Point
	Text   string
	ToText bool // for the text that the host shares, not for its desktop
}
