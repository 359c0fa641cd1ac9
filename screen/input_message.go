package screen

import (
	"encoding/binary"
	"image"
	"math"
	"unicode/utf8"
)

// MaxSteps is how many notches one Wheel event turns at most, each way.
const MaxSteps = 64

// MaxInput is the longest event, in bytes: a text with its length, number and kind.
const MaxInput = MaxText + 16

// The fields that each kind carries after its number; what is not listed is not sent.
//
//	KeyTap, KeyPress, KeyRelease   key, mods
//	TypeText, PasteText            length, UTF-8
//	PointerMove                    x, y
//	ButtonPress, ButtonRelease     button, mods, x, y
//	Wheel                          mods, x, y, steps right, steps down
//	ReleaseAll                     nothing

// toText is the bit of the kind that says that an event is for the text.
const toText = 0x80

// Append adds ev: its kind (a byte, with toText), its number (uvarint), then the fields of its kind. What is out of bounds is cut to
// them; a text is cut to MaxText bytes and made valid UTF-8.
func (ev Input) Append(b []byte) []byte {
	kind := byte(ev.Kind)
	if ev.ToText {
		kind |= toText
	}
	b = binary.AppendUvarint(append(b, kind), ev.Seq)
	switch ev.Kind {
	case KeyTap, KeyPress, KeyRelease:
		return append(binary.AppendUvarint(b, uint64(ev.Key)), byte(ev.Mods))
	case TypeText, PasteText:
		text := validText(ev.Text)
		return append(binary.AppendUvarint(b, uint64(len(text))), text...)
	case PointerMove:
		return appendPoint(b, ev.At)
	case ButtonPress, ButtonRelease:
		return appendPoint(append(b, byte(ev.Button), byte(ev.Mods)), ev.At)
	case Wheel:
		b = appendPoint(append(b, byte(ev.Mods)), ev.At)
		return appendSteps(appendSteps(b, ev.Steps.X, MaxSteps), ev.Steps.Y, MaxSteps)
	case ReleaseAll:
	}
	return b
}

// ParseInput reads one whole event, or says ErrMalformed. Only what Append makes passes.
func ParseInput(b []byte) (Input, error) {
	r := reader{b: b}
	kind := r.byte()
	ev := Input{Kind: InputKind(kind &^ toText), ToText: kind&toText != 0, Seq: r.uint(math.MaxUint64)}
	switch ev.Kind {
	case KeyTap, KeyPress, KeyRelease:
		ev.Key, ev.Mods = r.key(), r.mods()
	case TypeText, PasteText:
		ev.Text = r.text()
	case PointerMove:
		ev.At = r.point()
	case ButtonPress, ButtonRelease:
		ev.Button, ev.Mods = r.button(), r.mods()
		ev.At = r.point()
	case Wheel:
		ev.Mods, ev.At = r.mods(), r.point()
		ev.Steps = image.Pt(r.steps(MaxSteps), 0)
		ev.Steps.Y = r.steps(MaxSteps)
	case ReleaseAll:
	default:
		r.fail("kind %d", ev.Kind)
	}
	if err := r.end(); err != nil {
		return Input{}, err
	}
	return ev, nil
}

func (r *reader) key() Key {
	k := Key(r.uint(uint64(keyEnd)))
	if !k.Valid() {
		r.fail("key %#x", uint32(k))
	}
	return k
}

func (r *reader) mods() Mods {
	m := Mods(r.byte())
	if m > ModShift|ModControl|ModAlt|ModSuper|ModAltGr {
		r.fail("modifiers %#x", m)
	}
	return m
}

// button reads a button: 4 to 7 are the wheel's in X11 and travel as Wheel.
func (r *reader) button() Button {
	n := Button(r.byte())
	if n < 1 || n > 3 && n != 8 && n != 9 {
		r.fail("button %d", n)
	}
	return n
}

func (r *reader) text() string {
	s := r.bytes(MaxText)
	if !utf8.Valid(s) {
		r.fail("a text that is not UTF-8")
		return ""
	}
	return string(s)
}

// validText is s as it can be sent: invalid bytes dropped, at most MaxText bytes and no half character.
func validText(s string) string {
	out := make([]byte, 0, min(len(s), MaxText))
	for _, c := range s {
		if c == utf8.RuneError {
			continue
		}
		if len(out)+utf8.RuneLen(c) > MaxText {
			break
		}
		out = utf8.AppendRune(out, c)
	}
	return string(out)
}
