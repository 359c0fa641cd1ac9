package codec

import (
	"encoding/binary"
	"fmt"
	"image"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// Encoder makes the messages of one viewport. It belongs to one goroutine.
type Encoder struct {
	view  screen.Viewport
	grid  *screen.Grid
	sent  []screen.RGB565 // what a decoder of all messages so far shows
	dirty marks
	rough marks // sent less than exactly
	fresh bool  // no message yet
	from  int   // the row where the next message begins: the last one was full there

	row    []screen.RGB565
	spans  spans
	out    sink
	stream *zstd.Encoder
}

// sink collects what the compressor writes.
type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// NewEncoder starts with v, which has to pass v.Check(display).
func NewEncoder(v screen.Viewport, display image.Point) (*Encoder, error) {
	e := &Encoder{}
	var err error
	e.stream, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("start compression: %w", err)
	}
	if err := e.Reset(v, display); err != nil {
		return nil, err
	}
	return e, nil
}

// Reset starts over with v, in the memory that is there: the next message is the first of a new stream.
func (e *Encoder) Reset(v screen.Viewport, display image.Point) error {
	if err := v.Check(display); err != nil {
		return fmt.Errorf("viewport: %w", err)
	}
	n := v.Grid.X * v.Grid.Y
	if cap(e.sent) < n {
		e.sent = make([]screen.RGB565, n)
	}
	e.view, e.grid, e.sent = v, screen.NewGrid(v), e.sent[:n]
	clear(e.sent)
	e.row = make([]screen.RGB565, v.Grid.X)
	e.dirty, e.rough = newMarks(v.Grid), newMarks(v.Grid)
	e.dirty.add(image.Rectangle{Max: v.Grid})
	e.fresh, e.from = true, 0
	e.stream.Reset(&e.out)
	return nil
}

// From lets the next message begin with row y of the grid; what is marked above waits for the one after it.
func (e *Encoder) From(y int) { e.from = y }

// Viewport is what the messages show.
func (e *Encoder) Viewport() screen.Viewport { return e.view }

// Mark remembers damage of a frame that is not encoded because no viewer waits for it. It says whether any is in the viewport.
func (e *Encoder) Mark(d screen.Damage) (seen bool) { return e.dirty.damage(e.grid, d) }

// Pending says whether something is marked: damage since the last message, or what did not fit into it. Most of it may turn
// out to look the same.
func (e *Encoder) Pending() bool { return !e.dirty.empty() }

// Marked is how many pixels of the grid are marked.
func (e *Encoder) Marked() int { return e.dirty.count() }

// Rough says whether something was sent less than exactly, and Refine marks it, so that the next message can mend it.
func (e *Encoder) Rough() bool { return !e.rough.empty() }

// Refine marks what was sent less than exactly.
func (e *Encoder) Refine() { e.dirty.move(&e.rough) }

// Encode makes the message that brings viewers from the last message to f, of which d changed since the last call of Encode
// or Mark. Nothing changed in the viewport: false. The message holds until the next call. A frame that does not contain the
// region, because the display was made smaller, gives false too and leaves the damage marked: it is time for a new viewport.
func (e *Encoder) Encode(f *screen.Frame, d screen.Damage) (msg []byte, changed bool) {
	return e.EncodeAs(f, d, Tuning{})
}

// EncodeAs is Encode, as exactly as t says.
func (e *Encoder) EncodeAs(f *screen.Frame, d screen.Damage, t Tuning) (msg []byte, changed bool) {
	e.Mark(d)
	if !e.view.Region.In(image.Rectangle{Max: f.Size}) || e.dirty.empty() && !e.fresh {
		return nil, false
	}
	e.collect(f, t)
	if len(e.spans.pixels) == 0 && !e.fresh {
		return nil, false
	}
	e.fresh = false
	return e.pack(f), true
}

// collect averages what is marked and gathers the spans that differ from what was sent. It goes on where the last message
// was full, so that what moves at the top does not keep the rest from being sent.
func (e *Encoder) collect(f *screen.Frame, t Tuning) {
	e.spans.reset()
	limit := maxUpdate
	if t.Limit > 0 {
		limit = min(limit, t.Limit)
	}
	e.dirty.begin(e.from)
	e.from = 0
	for e.spans.size() < limit {
		y, x0, x1, ok := e.dirty.next()
		if !ok {
			break
		}
		row := e.row[:x1-x0]
		e.grid.Row(row, f, y, x0, x1)
		at := y*e.view.Grid.X + x0
		sent := e.sent[at : at+len(row)]
		if !t.exact() && settle(row, sent, t) {
			e.rough.add(image.Rect(x0, y, x1, y+1))
		}
		e.spans.differ(row, sent, at)
		if e.spans.size() >= limit {
			e.from = y + 1
		}
	}
	e.spans.close()
}

func (e *Encoder) pack(f *screen.Frame) []byte {
	var head [binary.MaxVarintLen64]byte
	spans := binary.AppendUvarint(head[:0], uint64(len(e.spans.where)))
	e.out = binary.AppendUvarint(e.out[:0], f.Seq)
	e.out = binary.AppendVarint(e.out, f.Time.UnixMicro())
	e.out = binary.AppendUvarint(e.out, uint64(len(spans)+e.spans.size()))
	for _, part := range [...][]byte{spans, e.spans.where, e.spans.pixels} {
		_, _ = e.stream.Write(part) // fails only where the sink does, and that takes everything
	}
	_ = e.stream.Flush()
	return e.out
}
