package inject

import "assist/screen"

// Deaf names a condition under which no key and no text is played: the customer writes into a window of assist's own, which
// has the keyboard, and what agents type must not land there. The function is called for each of them and must not block.
func (x *X11) Deaf(f func() bool) { x.deaf.Store(&f) }

// drops says whether an event would type into what is the customer's own.
func (x *X11) drops(kind screen.InputKind) bool {
	f := x.deaf.Load()
	types := kind == screen.TypeText || kind == screen.KeyTap || kind == screen.KeyPress
	return types && f != nil && *f != nil && (*f)()
}
