// Package screen holds what a picture is: a frame of the customer's display, what changed in it, the part that a viewer
// looks at, and where it lands; and the input events that travel the other way.
//
// It is vocabulary and pure arithmetic: no goroutine, no clock, no socket, no display. Capturing, injecting, encoding and
// drawing are machinery one level below.
package screen

import (
	"image"
	"time"
)

// Frame is one picture of a whole display, 4 bytes a pixel in the order B, G, R, unused. The capture goroutine owns Pix;
// readers look at it only between two grabs.
type Frame struct {
	Size   image.Point
	Stride int // bytes from a row to the next
	Pix    []byte
	Seq    uint64 // grows with every grab
	Time   time.Time
}

// Damage is what changed since the last grab, in display pixels. It never leaves the display's bounds.
type Damage []image.Rectangle

// Monitor is one rectangle of the display that a person would call a screen.
type Monitor struct {
	Name    string
	Bounds  image.Rectangle // display pixels
	Primary bool
}

// Limits of what a viewer may ask for.
const (
	MaxGrid    = 2048 // pixels along one side of a viewport's grid
	MaxPixels  = 2 << 20
	MaxDisplay = 32767 // X11 coordinates are signed 16 bit
)

// Viewport is the part of the display that a viewer looks at and the grid it is averaged to, in pixels. A half-block cell
// shows 1x2 of them.
type Viewport struct {
	ID     uint32 // chosen by the console, grows; pictures of older viewports are discarded
	Region image.Rectangle
	Grid   image.Point
}

// Same says whether v and o ask for the same picture, so that they can share an encoder.
func (v Viewport) Same(o Viewport) bool { return v.Region == o.Region && v.Grid == o.Grid }

// RGB565 is a colour of 5, 6 and 5 bits, red in the high ones.
type RGB565 uint16

// RGB gives the 8-bit channels, the low bits filled from the high ones.
func (c RGB565) RGB() (r, g, b uint8) {
	r5, g6, b5 := uint8(c>>11), uint8(c>>5&63), uint8(c&31)
	return r5<<3 | r5>>2, g6<<2 | g6>>4, b5<<3 | b5>>2
}

// Picture is what a viewport shows: immutable once it is handed out.
type Picture struct {
	Viewport Viewport
	Pix      []RGB565 // Grid.X * Grid.Y, row by row
	Seq      uint64   // of the host's frame
	Captured time.Time
}

// Pointer is the customer's mouse pointer; it travels apart from the pixels.
type Pointer struct {
	At     image.Point // display pixels
	Hidden bool
	Shape  uint32 // serial of the shape
}

// Display is the geometry that the host announces.
type Display struct {
	Size     image.Point
	Monitors []Monitor
	Name     string // e.g. ":0"
}
