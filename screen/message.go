package screen

import (
	"encoding/binary"
	"image"
	"math"
	"time"
)

// Message is one message of the screen stream: Viewport, Shown and Pin go to the host, Display, Pointer, Hands and Quality to
// the console.
// The first byte says which; whoever reads refuses what goes the other way.
type Message interface {
	Append(b []byte) []byte
}

// The first byte of a message. Retired numbers stay reserved.
const (
	kindViewport = 1
	kindShown    = 2
	kindDisplay  = 3
	kindPointer  = 4
	kindHands    = 5
	kindPin      = 6
	kindQuality  = 7
	kindFocus    = 16
)

// Limits of a Display.
const (
	MaxMonitors = 16
	MaxName     = 64 // bytes of printable ASCII; others are replaced before they are sent
)

// MaxHands is how many agents can point at once.
const MaxHands = 64

// Hand is where an agent of the session points.
type Hand struct {
	Member uint32 // grows within Hands
	At     image.Point
}

// Hands is where the other agents of the session point; who is not in it does not.
type Hands []Hand

// Shown is the console's word that it has the picture Seq of a viewport, so that the host may send more.
type Shown struct {
	Viewport uint32
	Seq      uint64
	Drawn    time.Duration // what the terminal needs for a picture, in whole milliseconds; 0: not known
}

// ParseMessage reads one whole message. It returns one of those that Message names, or ErrMalformed.
func ParseMessage(b []byte) (Message, error) {
	r := reader{b: b}
	var m Message
	switch kind := r.byte(); kind {
	case kindViewport:
		m = r.viewport()
	case kindShown:
		m = r.shown()
	case kindDisplay:
		m = r.display()
	case kindPointer:
		m = r.pointer()
	case kindHands:
		m = r.hands()
	case kindPin:
		m = r.pin()
	case kindQuality:
		m = r.quality()
	case kindFocus:
		m = r.focus()
	default:
		r.fail("kind %d", kind)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return m, nil
}

// Append adds v: its number, region and grid.
func (v Viewport) Append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, kindViewport), uint64(v.ID))
	b = appendRect(b, v.Region)
	return appendPoint(b, v.Grid)
}

func (r *reader) viewport() Viewport {
	v := Viewport{ID: uint32(r.uint(math.MaxUint32)), Region: r.rect(), Grid: r.point()}
	if err := v.limits(); err != nil {
		r.fail("%v", err)
	}
	return v
}

// Append adds d with its first MaxMonitors monitors.
func (d Display) Append(b []byte) []byte {
	b = appendPoint(append(b, kindDisplay), d.Size)
	b = appendName(b, d.Name)
	monitors := d.Monitors[:min(len(d.Monitors), MaxMonitors)]
	b = binary.AppendUvarint(b, uint64(len(monitors)))
	for _, m := range monitors {
		b = appendName(b, m.Name)
		b = appendRect(b, m.Bounds)
		b = append(b, flag(m.Primary))
	}
	return b
}

func (r *reader) display() Display {
	d := Display{Size: r.point(), Name: r.name()}
	for n := r.uint(MaxMonitors); n > 0 && r.err == nil; n-- {
		m := Monitor{Name: r.name(), Bounds: r.rect(), Primary: r.flag()}
		if m.Bounds.Empty() || !m.Bounds.In(image.Rectangle{Max: d.Size}) {
			r.fail("monitor %v on a display of %v", m.Bounds, d.Size)
		}
		d.Monitors = append(d.Monitors, m)
	}
	return d
}

// Append adds p.
func (p Pointer) Append(b []byte) []byte {
	b = append(appendPoint(append(b, kindPointer), p.At), flag(p.Hidden))
	return binary.AppendUvarint(b, uint64(p.Shape))
}

func (r *reader) pointer() Pointer {
	return Pointer{At: r.point(), Hidden: r.flag(), Shape: uint32(r.uint(math.MaxUint32))}
}

// Append adds the first MaxHands of h.
func (h Hands) Append(b []byte) []byte {
	h = h[:min(len(h), MaxHands)]
	b = binary.AppendUvarint(append(b, kindHands), uint64(len(h)))
	for _, hand := range h {
		b = appendPoint(binary.AppendUvarint(b, uint64(hand.Member)), hand.At)
	}
	return b
}

func (r *reader) hands() (h Hands) {
	for n := r.uint(MaxHands); n > 0 && r.err == nil; n-- {
		hand := Hand{Member: uint32(r.uint(math.MaxUint32)), At: r.point()}
		if len(h) > 0 && hand.Member <= h[len(h)-1].Member {
			r.fail("member %d after %d", hand.Member, h[len(h)-1].Member)
		}
		h = append(h, hand)
	}
	return h
}

// appendRect adds where a rectangle begins and how large it is.
func appendRect(b []byte, q image.Rectangle) []byte {
	at := clamp(q.Min)
	return appendPoint(appendPoint(b, at), clamp(q.Max).Sub(at))
}

func (r *reader) rect() image.Rectangle {
	at := r.point()
	end := at.Add(r.point())
	if end.X > MaxDisplay || end.Y > MaxDisplay {
		r.fail("a rectangle up to %v", end)
		return image.Rectangle{}
	}
	return image.Rectangle{Min: at, Max: end}
}

func appendName(b []byte, s string) []byte {
	s = s[:min(len(s), MaxName)]
	b = append(b, byte(len(s))) // MaxName is a uvarint of one byte
	for i := range len(s) {
		c := s[i]
		if !printable(c) {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}

func (r *reader) name() string {
	s := r.bytes(MaxName)
	for _, c := range s {
		if !printable(c) {
			r.fail("byte %#x in a name", c)
			return ""
		}
	}
	return string(s)
}

func printable(c byte) bool { return c >= ' ' && c <= '~' }

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func (r *reader) flag() bool { return r.uint(1) == 1 }
