package console

import (
	"strings"

	"assist/screen"
	"assist/screen/textcodec"
)

// How much scrollback is kept.
const (
	keepLines = 10000
	keepBytes = 16 << 20
)

// history is the newest lines that scrolled off, each as textcodec writes it.
type history struct {
	first uint64 // number of the oldest
	kept  [][]byte
	bytes int
	buf   []byte
}

func (h *history) end() uint64 { return h.first + uint64(len(h.kept)) }

func (h *history) add(row screen.Row) {
	h.buf = textcodec.AppendRow(h.buf[:0], row)
	h.kept = append(h.kept, append([]byte(nil), h.buf...))
	h.bytes += len(h.buf)
	for len(h.kept) > keepLines || h.bytes > keepBytes {
		h.bytes -= len(h.kept[0])
		h.kept[0] = nil
		h.kept = h.kept[1:]
		h.first++
	}
}

// clear forgets everything; numbers go on.
func (h *history) clear() {
	h.first, h.kept, h.bytes = h.end(), nil, 0
}

// row is line n, which is kept.
func (h *history) row(n uint64) screen.Row {
	row, err := textcodec.ParseRow(h.kept[n-h.first])
	if err != nil { // written above
		panic(err)
	}
	return row
}

// lines are those from number from on, at most n, and the number of the first.
func (h *history) lines(from uint64, n int) (first uint64, rows []screen.Row) {
	first = min(max(from, h.first), h.end())
	for i := first; i < h.end() && len(rows) < min(n, screen.MaxTextLines); i++ {
		rows = append(rows, h.row(i))
	}
	return first, rows
}

// find looks through the scrollback and the rows below it, from a line on, for words in lower case.
func find(h *history, below []screen.Row, from uint64, down bool, words string) (uint64, bool) {
	end := h.end() + uint64(len(below))
	if words == "" || end == h.first {
		return 0, false
	}
	has := func(n uint64) bool {
		row := screen.Row{}
		if n < h.end() {
			row = h.row(n)
		} else {
			row = below[n-h.end()]
		}
		return strings.Contains(strings.ToLower(row.Text()), words)
	}
	if down {
		for n := max(from, h.first); n < end; n++ {
			if has(n) {
				return n, true
			}
		}
		return 0, false
	}
	for n := min(from+1, end); n > h.first; n-- {
		if has(n - 1) {
			return n - 1, true
		}
	}
	return 0, false
}
