package screen

import (
	"encoding/binary"
	"image"
	"math"
	"time"
)

// Pin is what a viewer wants of its pictures, whatever the line.
type Pin uint8

// The pins.
const (
	Auto  Pin = iota // as sharp as the line carries; what stands still is sharp in the end
	Sharp            // always exact, however seldom
	Fast             // soon, however rough while it moves
	Thin             // few bytes: rough, small and seldom
	pins
)

var pinNames = [pins]string{"auto", "sharp", "fast", "thin"}

func (p Pin) String() string { return pinNames[min(p, pins-1)] }

// Next is the pin that a key chooses after p.
func (p Pin) Next() Pin { return (p + 1) % pins }

// ParsePin reads what String writes.
func ParsePin(s string) (Pin, bool) {
	for p, name := range pinNames {
		if s == name {
			return Pin(p), true
		}
	}
	return Auto, false
}

// Why is what keeps pictures from being exact and at full rate.
type Why uint8

// The reasons.
const (
	WhyNone     Why = iota
	WhyLine         // it carries no more
	WhyLoss         // it loses packets
	WhyTerminal     // the viewer's terminal takes no more
	WhyPinned       // the viewer wants it so
	whys
)

var whyNames = [whys]string{"", "thin line", "packets are lost", "slow terminal", "pinned"}

func (w Why) String() string { return whyNames[min(w, whys-1)] }

// Quality is how the host makes pictures for a viewer now. It goes to the console.
type Quality struct {
	Pin       Pin
	Why       Why
	Tolerance uint8 // of moving pictures, in 1/255 of a channel
	Coarse    bool  // moving pictures have 4 bits a channel
	Shrink    uint8 // the grid is divided by this, 1 or 2
	Separate  bool  // each picture needs only one that was confirmed
}

// MaxShrink is the largest divisor of a grid.
const MaxShrink = 2

// Shrunk is v with a grid of a divisor, at least 1x1.
func (v Viewport) Shrunk(by int) Viewport {
	if by > 1 {
		v.Grid = image.Pt(max(1, v.Grid.X/by), max(1, v.Grid.Y/by))
	}
	return v
}

// Append adds p: the console's wish.
func (p Pin) Append(b []byte) []byte { return append(b, kindPin, byte(p)) }

func (r *reader) pin() Pin { return Pin(r.uint(uint64(pins) - 1)) }

// Append adds q.
func (q Quality) Append(b []byte) []byte {
	return append(b, kindQuality, byte(q.Pin), byte(q.Why), q.Tolerance&127, flag(q.Coarse), max(1, q.Shrink), flag(q.Separate))
}

func (r *reader) quality() Quality {
	q := Quality{Pin: r.pin(), Why: Why(r.uint(uint64(whys) - 1)), Tolerance: uint8(r.uint(127)), Coarse: r.flag()}
	if q.Shrink = uint8(r.uint(MaxShrink)); q.Shrink == 0 {
		r.fail("shrunk by 0")
	}
	q.Separate = r.flag()
	return q
}

// maxDrawn is the longest time that a Shown tells.
const maxDrawn = time.Minute

// Append adds s.
func (s Shown) Append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, kindShown), uint64(s.Viewport))
	b = binary.AppendUvarint(b, s.Seq)
	return binary.AppendUvarint(b, uint64(min(max(s.Drawn, 0), maxDrawn)/time.Millisecond))
}

func (r *reader) shown() Shown {
	s := Shown{Viewport: uint32(r.uint(math.MaxUint32)), Seq: r.uint(math.MaxUint64)}
	s.Drawn = time.Duration(r.uint(uint64(maxDrawn/time.Millisecond))) * time.Millisecond
	return s
}
