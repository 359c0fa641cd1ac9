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
	fresh bool // no message yet

	row    []screen.RGB565
	skip   int // of the span that is open
	run    int
	last   int // the pixel after it
	spans  []byte
	pixels []byte // to set
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
	e.dirty = newMarks(v.Grid)
	e.dirty.add(image.Rectangle{Max: v.Grid})
	e.fresh = true
	e.stream.Reset(&e.out)
	return nil
}

// Viewport is what the messages show.
func (e *Encoder) Viewport() screen.Viewport { return e.view }

// Mark remembers damage of a frame that is not encoded because no viewer waits for it.
func (e *Encoder) Mark(d screen.Damage) {
	for _, r := range d {
		e.dirty.add(e.grid.Target(r))
	}
}

// Pending says whether something is marked: damage since the last message, or what did not fit into it. Most of it may turn
// out to look the same.
func (e *Encoder) Pending() bool { return !e.dirty.empty() }

// Encode makes the message that brings viewers from the last message to f, of which d changed since the last call of Encode
// or Mark. Nothing changed in the viewport: false. The message holds until the next call. A frame that does not contain the
// region, because the display was made smaller, gives false too and leaves the damage marked: it is time for a new viewport.
func (e *Encoder) Encode(f *screen.Frame, d screen.Damage) (msg []byte, changed bool) {
	e.Mark(d)
	if !e.view.Region.In(image.Rectangle{Max: f.Size}) || e.dirty.empty() && !e.fresh {
		return nil, false
	}
	e.collect(f)
	if len(e.pixels) == 0 && !e.fresh {
		return nil, false
	}
	e.fresh = false
	return e.pack(f), true
}

// collect averages what is marked and gathers the spans that differ from what was sent.
func (e *Encoder) collect(f *screen.Frame) {
	e.spans, e.pixels = e.spans[:0], e.pixels[:0]
	e.skip, e.run, e.last = 0, 0, 0
	for len(e.spans)+len(e.pixels) < maxUpdate {
		y, x0, x1, ok := e.dirty.next()
		if !ok {
			break
		}
		row := e.row[:x1-x0]
		e.grid.Row(row, f, y, x0, x1)
		e.differ(row, y*e.view.Grid.X+x0)
	}
	e.closeSpan()
}

// gap is how many pixels that stay the same are set again rather than end a span: that saves about 15 % of the bytes of
// moving text. More saves little.
const gap = 4

// differ adds the spans of row, which begins at pixel at.
func (e *Encoder) differ(row []screen.RGB565, at int) {
	sent := e.sent[at : at+len(row)]
	for i := 0; i < len(row); {
		if row[i] == sent[i] {
			i++
			continue
		}
		from, end := i, i+1
		for i++; i < len(row) && i <= end+gap; i++ {
			if row[i] != sent[i] {
				end = i + 1
			}
		}
		for _, c := range row[from:end] {
			e.pixels = binary.LittleEndian.AppendUint16(e.pixels, uint16(c))
		}
		copy(sent[from:], row[from:end])
		i = end
		if at+from > e.last {
			e.closeSpan()
			e.skip, e.run = at+from-e.last, 0
		}
		e.run += end - from
		e.last = at + end
	}
}

func (e *Encoder) closeSpan() {
	if e.run > 0 {
		e.spans = binary.AppendUvarint(e.spans, uint64(e.skip))
		e.spans = binary.AppendUvarint(e.spans, uint64(e.run))
	}
}

func (e *Encoder) pack(f *screen.Frame) []byte {
	var head [binary.MaxVarintLen64]byte
	spans := binary.AppendUvarint(head[:0], uint64(len(e.spans)))
	e.out = binary.AppendUvarint(e.out[:0], f.Seq)
	e.out = binary.AppendVarint(e.out, f.Time.UnixMicro())
	e.out = binary.AppendUvarint(e.out, uint64(len(spans)+len(e.spans)+len(e.pixels)))
	for _, part := range [...][]byte{spans, e.spans, e.pixels} {
		_, _ = e.stream.Write(part) // fails only where the sink does, and that takes everything
	}
	_ = e.stream.Flush()
	return e.out
}
