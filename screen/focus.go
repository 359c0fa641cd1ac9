package screen

import "image"

// Focus is where the customer's machine expects attention: the window that has the keyboard, and the place where what is typed
// appears. The place is a guess from what changes on the display right after keys, since few programs say where their caret
// is. Either is empty while it is not known.
type Focus struct {
	Window image.Rectangle // display pixels
	Caret  image.Rectangle
}

// Append adds f.
func (f Focus) Append(b []byte) []byte {
	return appendRect(appendRect(append(b, kindFocus), f.Window), f.Caret)
}

func (r *reader) focus() Focus { return Focus{Window: r.rect(), Caret: r.rect()} }

// MaxCaret is how large damage may be along each side to pass for a caret with the letters before it, in display pixels: a few
// letters of a large font.
const MaxCaret = 96

// CaretIn is the place where something was typed, if d, which came right after a key, is small enough for it.
func CaretIn(d Damage) (image.Rectangle, bool) {
	var all image.Rectangle
	for _, r := range d {
		all = all.Union(r)
	}
	return all, !all.Empty() && all.Dx() <= MaxCaret && all.Dy() <= MaxCaret
}
