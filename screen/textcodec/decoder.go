package textcodec

import (
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// Decoder puts the messages of one series together.
type Decoder struct {
	grid   *screen.TextGrid
	styles []screen.Style
	err    error // the first one stays

	in     feed
	stream *zstd.Decoder
	update []byte
}

// feed gives the decompressor the message at hand and nothing beyond it.
type feed []byte

func (f *feed) Read(p []byte) (int, error) {
	if len(*f) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, *f)
	*f = (*f)[n:]
	return n, nil
}

// NewDecoder begins a series.
func NewDecoder() (*Decoder, error) {
	d := &Decoder{}
	var err error
	d.stream, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(window), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, fmt.Errorf("start decompression: %w", err)
	}
	d.Reset()
	return d, nil
}

// Reset begins another series.
func (d *Decoder) Reset() {
	d.grid, d.styles, d.err, d.in = nil, []screen.Style{{}}, nil, nil
	_ = d.stream.Reset(&d.in) // reads nothing yet
}

// Decode takes one message and returns the state that it leads to, which shares with the last one what did not change.
func (d *Decoder) Decode(msg []byte) (*screen.TextGrid, error) {
	if d.err != nil {
		return nil, d.err
	}
	g, err := d.decode(msg)
	if err != nil {
		d.err = err
		return nil, err
	}
	d.grid = g
	return g, nil
}

// step is how much memory a length may ask for before the bytes are there (threats A18).
const step = 64 << 10

func (d *Decoder) decode(msg []byte) (*screen.TextGrid, error) {
	n, used := binary.Uvarint(msg)
	if used <= 0 || n > maxUpdate {
		return nil, malformed("an update of %d bytes", n)
	}
	d.in = feed(msg[used:])
	d.update = d.update[:0]
	for len(d.update) < int(n) {
		at := len(d.update)
		d.update = append(d.update, make([]byte, min(int(n)-at, max(step, cap(d.update)-at)))...)
		if _, err := io.ReadFull(d.stream, d.update[at:]); err != nil {
			return nil, malformed("decompress: %v", err)
		}
	}
	if len(d.in) > 0 {
		return nil, malformed("%d bytes too many", len(d.in))
	}
	r := reader{b: d.update}
	g := d.apply(&r)
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes left of an update", len(r.b))
	}
	return g, r.err
}

// apply makes the next state.
func (d *Decoder) apply(r *reader) *screen.TextGrid {
	flags := r.byte()
	if flags&hasSize != 0 {
		size := image.Pt(r.count(1, screen.MaxColumns), r.count(1, screen.MaxRows))
		if r.err != nil {
			return nil
		}
		d.grid = screen.NewTextGrid(size)
	}
	if d.grid == nil {
		r.fail("the first update has no size")
		return nil
	}
	g := *d.grid
	g.Seq++
	g.Rows = append([]screen.Row(nil), d.grid.Rows...)
	if flags&hasModes != 0 {
		g.Modes = screen.TextModes(r.count(0, int(screen.AllTextModes)))
	}
	if flags&hasScroll != 0 {
		r.scroll(&g)
	}
	if flags&hasTop != 0 {
		g.Oldest, g.Top = r.uint(), r.uint()
		if g.Oldest > g.Top {
			r.fail("lines from %d to %d", g.Oldest, g.Top)
		}
	}
	if flags&hasWraps != 0 {
		r.wraps(&g)
	}
	cursor := g.Cursor
	if flags&hasCursor != 0 {
		cursor = r.cursor(g.Size)
	}
	if flags&hasCells != 0 {
		end := d.spans(r, &g)
		if flags&hasCursor == 0 {
			cursor.At = image.Pt(end%g.Size.X, end/g.Size.X)
		}
	}
	g.Cursor = cursor
	return &g
}

// spans sets cells and says where the last span ends. Rows are copied before they are changed.
func (d *Decoder) spans(r *reader, g *screen.TextGrid) int {
	at, area, own := 0, g.Size.X*g.Size.Y, -1
	for len(r.b) > 0 && r.err == nil {
		at += r.count(0, area-1-at)
		n := r.count(1, g.Size.X-at%g.Size.X)
		if r.err != nil {
			return 0
		}
		y, x := at/g.Size.X, at%g.Size.X
		if own != y {
			g.Rows[y].Cells = append([]screen.Cell(nil), g.Rows[y].Cells...)
			own = y
		}
		cells := g.Rows[y].Cells
		r.cells(cells[x:x+n], &d.styles)
		if !wholeAt(cells, x) || !wholeAt(cells, x+n) {
			r.fail("half a character in row %d", y)
		}
		if at += n; at == area {
			break
		}
	}
	return min(at, area-1)
}

// wholeAt says whether no character stands on both sides of x, and none has lost its other half there.
func wholeAt(cells []screen.Cell, x int) bool {
	lead := x > 0 && cells[x-1].Span == screen.WideLead
	rest := x < len(cells) && cells[x].Span == screen.WideRest
	return lead == rest
}

func (r *reader) scroll(g *screen.TextGrid) {
	s := scroll{top: r.count(0, g.Size.Y-1)}
	s.count = r.count(1, g.Size.Y-s.top)
	by, n := binary.Varint(r.b)
	if n <= 0 || r.err != nil {
		r.fail("it ends inside a number")
		return
	}
	r.b = r.b[n:]
	if by < -int64(g.Size.Y) || by > int64(g.Size.Y) || s.top-int(by) < 0 || s.top-int(by)+s.count > g.Size.Y {
		r.fail("%d rows from %d move by %d", s.count, s.top, by)
		return
	}
	s.by = int(by)
	s.apply(g.Rows, g.Size.X)
}

func (r *reader) wraps(g *screen.TextGrid) {
	y := 0
	for n := r.count(1, g.Size.Y); n > 0 && r.err == nil; n-- {
		y += r.count(0, g.Size.Y-1-y)
		if r.err == nil {
			g.Rows[y].Wrapped = !g.Rows[y].Wrapped
		}
	}
}

func (r *reader) cursor(size image.Point) screen.Cursor {
	c := screen.Cursor{At: image.Pt(r.count(0, size.X-1), r.count(0, size.Y-1))}
	flags := r.byte()
	c.Hidden, c.Steady, c.Form = flags&1 != 0, flags&2 != 0, screen.Caret(flags>>2)
	if c.Form > screen.BarCaret {
		r.fail("cursor of form %d", c.Form)
	}
	return c
}
