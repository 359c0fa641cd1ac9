package textcodec

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// Encoder makes the messages of one series.
type Encoder struct {
	sent   *screen.TextGrid // what a decoder of all messages so far has; nil: nothing
	rows   []screen.Row     // of sent
	styles map[screen.Style]uint64
	seed   maphash.Seed
	out    sink
	stream *zstd.Encoder
	update []byte
}

type sink []byte

func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// NewEncoder begins a series.
func NewEncoder() (*Encoder, error) {
	e := &Encoder{seed: maphash.MakeSeed()}
	var err error
	e.stream, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("start compression: %w", err)
	}
	e.Reset()
	return e, nil
}

// Reset begins another series, in the memory that is there.
func (e *Encoder) Reset() {
	e.sent, e.rows, e.styles = nil, nil, newStyles()
	e.stream.Reset(&e.out)
}

// Begins says whether the next message is the first of a series.
func (e *Encoder) Begins() bool { return e.sent == nil }

// Full says that the series has named so many styles that another one should begin.
func (e *Encoder) Full() bool { return len(e.styles) > maxStyles/2 }

// Encode makes the message that brings decoders from the last state to g. Nothing changed: false. The message holds until the
// next call.
func (e *Encoder) Encode(g *screen.TextGrid) (msg []byte, changed bool) {
	flags, head := byte(0), []byte(nil)
	if e.sent == nil || e.sent.Size != g.Size {
		flags |= hasSize
		head = binary.AppendUvarint(binary.AppendUvarint(head, uint64(g.Size.X)), uint64(g.Size.Y))
		blank := screen.NewTextGrid(g.Size)
		e.sent, e.rows = blank, blank.Rows
	}
	if g.Modes != e.sent.Modes {
		flags |= hasModes
		head = binary.AppendUvarint(head, uint64(g.Modes))
	}
	if s, worth := e.findScroll(g.Rows); worth {
		flags |= hasScroll
		head = s.append(head)
		s.apply(e.rows, g.Size.X)
	}
	if g.Oldest != e.sent.Oldest || g.Top != e.sent.Top {
		flags |= hasTop
		head = binary.AppendUvarint(binary.AppendUvarint(head, g.Oldest), g.Top)
	}
	if wraps := e.wraps(g.Rows); len(wraps) > 0 {
		flags |= hasWraps
		head = append(head, wraps...)
	}
	cursor := e.sent.Cursor
	body, end := e.spans(g)
	if len(body) > 0 {
		flags |= hasCells
		cursor.At.Y, cursor.At.X = end/g.Size.X, end%g.Size.X
	}
	if cursor != g.Cursor {
		flags |= hasCursor
		head = binary.AppendUvarint(binary.AppendUvarint(head, uint64(g.Cursor.At.X)), uint64(g.Cursor.At.Y))
		head = append(head, cursorFlags(g.Cursor))
	}
	e.sent = g
	if flags == 0 {
		return nil, false
	}
	e.rows = append([]screen.Row(nil), g.Rows...)
	return e.pack(flags, head, body), true
}

// pack compresses an update.
func (e *Encoder) pack(flags byte, head, body []byte) []byte {
	e.update = append(append(append(e.update[:0], flags), head...), body...)
	e.out = binary.AppendUvarint(e.out[:0], uint64(len(e.update)))
	_, _ = e.stream.Write(e.update) // fails only where the sink does, and that takes everything
	_ = e.stream.Flush()
	return e.out
}

// wraps lists the rows whose Wrapped is another one than was sent.
func (e *Encoder) wraps(rows []screen.Row) []byte {
	var b []byte
	n, last := uint64(0), 0
	for y := range rows {
		if rows[y].Wrapped != e.rows[y].Wrapped {
			b = binary.AppendUvarint(b, uint64(y-last))
			last = y
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return append(binary.AppendUvarint(nil, n), b...)
}

// gap is how many cells that stay the same are sent again rather than end a span.
const gap = 3

// spans are the cells that differ from what was sent, and where the last one ends.
func (e *Encoder) spans(g *screen.TextGrid) (b []byte, end int) {
	last := 0
	for y := range g.Rows {
		old, row := e.rows[y].Cells, g.Rows[y].Cells
		if sameRow(old, row) {
			continue
		}
		for x := 0; x < len(row); {
			if row[x] == old[x] {
				x++
				continue
			}
			from, to := span(old, row, x)
			at := y*g.Size.X + from
			b = binary.AppendUvarint(b, uint64(at-last))
			b = binary.AppendUvarint(b, uint64(to-from))
			b = appendCells(b, e.styles, row[from:to])
			x, last = to, y*g.Size.X+to
		}
	}
	return b, min(last, g.Size.X*g.Size.Y-1)
}

// span is from the difference at x to where for a while there is none, at whole characters of both rows.
func span(old, row []screen.Cell, x int) (from, to int) {
	from, to = x, x+1
	for i := to; i < len(row) && i <= to+gap; i++ {
		if row[i] != old[i] {
			to = i + 1
		}
	}
	for from > 0 && (row[from].Span == screen.WideRest || old[from].Span == screen.WideRest) {
		from--
	}
	for to < len(row) && (row[to].Span == screen.WideRest || old[to].Span == screen.WideRest) {
		to++
	}
	return from, to
}

// scroll says that count rows from top on move up by by rows (down where it is negative).
type scroll struct{ top, count, by int }

func (s scroll) append(b []byte) []byte {
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.top)), uint64(s.count))
	return binary.AppendVarint(b, int64(s.by))
}

// apply moves rows; those that were left are blank.
func (s scroll) apply(rows []screen.Row, width int) {
	moved := append([]screen.Row(nil), rows[s.top:s.top+s.count]...)
	for y := s.top; y < s.top+s.count; y++ {
		rows[y] = screen.Row{Cells: make([]screen.Cell, width)}
	}
	copy(rows[s.top-s.by:], moved)
}

// findScroll looks for rows that stand elsewhere now.
func (e *Encoder) findScroll(rows []screen.Row) (scroll, bool) {
	changed := 0
	for y := range rows {
		if !sameRow(rows[y].Cells, e.rows[y].Cells) {
			changed++
		}
	}
	if changed < 2 {
		return scroll{}, false
	}
	was := map[uint64][]int{}
	blank := e.hash(make([]screen.Cell, len(rows[0].Cells)))
	for y := range e.rows {
		h := e.hash(e.rows[y].Cells)
		was[h] = append(was[h], y)
	}
	votes := map[int]int{}
	for y := range rows {
		h := e.hash(rows[y].Cells)
		if h == blank || sameRow(rows[y].Cells, e.rows[y].Cells) {
			continue
		}
		for _, from := range was[h] {
			votes[from-y]++
		}
	}
	by, most := 0, 0
	for d, n := range votes {
		if n > most || n == most && (abs(d) < abs(by) || abs(d) == abs(by) && d > by) {
			by, most = d, n
		}
	}
	if most < 1 {
		return scroll{}, false
	}
	return e.longest(rows, by)
}

// longest is the longest stretch of rows that moved by by.
func (e *Encoder) longest(rows []screen.Row, by int) (scroll, bool) {
	best, begin := scroll{by: by}, -1
	for y := 0; y <= len(rows); y++ {
		from := y + by
		if y < len(rows) && from >= 0 && from < len(rows) && sameRow(rows[y].Cells, e.rows[from].Cells) {
			if begin < 0 {
				begin = y
			}
			continue
		}
		if begin >= 0 && y-begin > best.count {
			best.top, best.count = begin+by, y-begin
		}
		begin = -1
	}
	return best, best.count > 0 && by != 0
}

func abs(n int) int { return max(n, -n) }

func (e *Encoder) hash(cells []screen.Cell) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	for i := range cells {
		maphash.WriteComparable(&h, cells[i])
	}
	return h.Sum64()
}
