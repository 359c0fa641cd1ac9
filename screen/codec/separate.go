package codec

import (
	"encoding/binary"
	"fmt"
	"image"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// A separate message needs nothing but one picture that the viewer has confirmed, so that any of those in between may be
// lost:
//
//	uvarint  number of the picture
//	varint   when it was captured, in microseconds since 1970
//	uvarint  number of the picture that it starts from; 0: a black grid
//	uvarint  length of the update, in bytes
//	...      the update, one zstd frame (RFC 8878)

// MaxAway is how many pictures an encoder lets be on their way before one of them is confirmed, and how many a decoder
// keeps to start from.
const MaxAway = 12

// Separate makes separate messages for one viewer. It belongs to one goroutine.
type Separate struct {
	view   screen.Viewport
	grid   *screen.Grid
	now    []screen.RGB565 // the newest frame
	dirty  marks           // of now
	base   canvas          // the newest that the viewer has confirmed
	away   []canvas        // sent after it, oldest first
	free   [][]screen.RGB565
	behind bool // the last message does not show all of now: it was full
	rough  bool // the last message was less than exact

	spans  spans
	update []byte
	out    []byte
	zstd   *zstd.Encoder
}

// canvas is what a viewer shows once it has a picture.
type canvas struct {
	seq uint64
	pix []screen.RGB565
}

// NewSeparate starts with v, which has to pass v.Check(display).
func NewSeparate(v screen.Viewport, display image.Point) (*Separate, error) {
	if err := v.Check(display); err != nil {
		return nil, fmt.Errorf("viewport: %w", err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, fmt.Errorf("start compression: %w", err)
	}
	n := v.Grid.X * v.Grid.Y
	e := &Separate{view: v, grid: screen.NewGrid(v), now: make([]screen.RGB565, n), dirty: newMarks(v.Grid), behind: true, zstd: z}
	e.base.pix = make([]screen.RGB565, n)
	e.dirty.add(image.Rectangle{Max: v.Grid})
	return e, nil
}

// Viewport is what the messages show.
func (e *Separate) Viewport() screen.Viewport { return e.view }

// Mark remembers damage of a frame and says whether any is in the viewport.
func (e *Separate) Mark(d screen.Damage) (seen bool) { return e.dirty.damage(e.grid, d) }

// Pending says whether something is marked, or the viewer will not have everything when it has what was sent.
func (e *Separate) Pending() bool { return e.behind || !e.dirty.empty() }

// Rough says whether the last message was less than exact, and Refine lets the next one mend it.
func (e *Separate) Rough() bool { return e.rough && !e.Pending() }

// Refine lets the next message be made although nothing changed.
func (e *Separate) Refine() { e.behind = true }

// Marked is how many pixels of the grid a message may set.
func (e *Separate) Marked() int {
	if e.behind {
		return max(e.dirty.count(), len(e.now)/4)
	}
	return e.dirty.count()
}

// Confirmed says that the viewer has picture seq; the next messages start from it.
func (e *Separate) Confirmed(seq uint64) {
	for len(e.away) > 0 && e.away[0].seq <= seq {
		e.free = append(e.free, e.base.pix)
		e.base = e.away[0]
		e.away = e.away[1:]
	}
}

// Away is how many pictures are on their way.
func (e *Separate) Away() int { return len(e.away) }

// EncodeAs makes the message that brings a viewer who has the confirmed picture to f, of which d changed since the last call
// of Encode or Mark. Nothing changed since the last message, or MaxAway pictures are on their way: false. The message holds
// until the next call.
func (e *Separate) EncodeAs(f *screen.Frame, d screen.Damage, t Tuning) (msg []byte, changed bool) {
	e.Mark(d)
	if !e.view.Region.In(image.Rectangle{Max: f.Size}) || !e.Pending() || len(e.away) >= MaxAway {
		return nil, false
	}
	e.average(f)
	next := e.copyBase()
	e.differ(next, t)
	if len(e.spans.pixels) == 0 && e.base.seq > 0 && len(e.away) == 0 {
		e.free = append(e.free, next)
		return nil, false
	}
	e.away = append(e.away, canvas{f.Seq, next})
	return e.pack(f), true
}

// average brings now up to date.
func (e *Separate) average(f *screen.Frame) {
	e.dirty.begin(0)
	for {
		y, x0, x1, ok := e.dirty.next()
		if !ok {
			return
		}
		e.grid.Row(e.now[y*e.view.Grid.X+x0:], f, y, x0, x1)
	}
}

func (e *Separate) copyBase() []screen.RGB565 {
	var pix []screen.RGB565
	if n := len(e.free); n > 0 {
		pix, e.free = e.free[n-1], e.free[:n-1]
	} else {
		pix = make([]screen.RGB565, len(e.now))
	}
	copy(pix, e.base.pix)
	return pix
}

// differ gathers what makes next, the confirmed picture, look like now.
func (e *Separate) differ(next []screen.RGB565, t Tuning) {
	e.spans.reset()
	limit := maxUpdate
	if t.Limit > 0 {
		limit = min(limit, t.Limit)
	}
	w := e.view.Grid.X
	row := make([]screen.RGB565, w)
	e.behind, e.rough = false, false
	for y := range e.view.Grid.Y { // from the top each time: the rest of a large picture goes on from the part that was confirmed
		if e.spans.size() >= limit {
			e.behind = true
			break
		}
		copy(row, e.now[y*w:])
		sent := next[y*w : (y+1)*w]
		if !t.exact() && settle(row, sent, t) {
			e.rough = true
		}
		e.spans.differ(row, sent, y*w)
	}
	e.spans.close()
}

func (e *Separate) pack(f *screen.Frame) []byte {
	e.update = binary.AppendUvarint(e.update[:0], uint64(len(e.spans.where)))
	e.update = append(append(e.update, e.spans.where...), e.spans.pixels...)
	e.out = binary.AppendUvarint(e.out[:0], f.Seq)
	e.out = binary.AppendVarint(e.out, f.Time.UnixMicro())
	e.out = binary.AppendUvarint(e.out, e.base.seq)
	e.out = binary.AppendUvarint(e.out, uint64(len(e.update)))
	e.out = e.zstd.EncodeAll(e.update, e.out)
	return e.out
}
