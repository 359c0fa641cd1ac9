package textcodec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// AppendRow writes one row by itself and uncompressed, up to its last written cell: for keeping many.
func AppendRow(b []byte, row screen.Row) []byte { return appendRow(b, newStyles(), row) }

// ParseRow reads a row that AppendRow wrote.
func ParseRow(b []byte) (screen.Row, error) {
	r := reader{b: b}
	row := r.row(&[]screen.Style{{}})
	return row, r.err
}

func appendRow(b []byte, styles map[screen.Style]uint64, row screen.Row) []byte {
	n := row.Length()
	b = append(binary.AppendUvarint(b, uint64(n)), flag(row.Wrapped))
	return appendCells(b, styles, row.Cells[:n])
}

func (r *reader) row(styles *[]screen.Style) screen.Row {
	n := r.count(0, screen.MaxColumns)
	row := screen.Row{Wrapped: r.count(0, 1) == 1}
	if r.err == nil {
		row.Cells = make([]screen.Cell, n)
		r.cells(row.Cells, styles)
	}
	return row
}

// AppendRows compresses rows of scrollback; each may have a width of its own.
func AppendRows(b []byte, rows []screen.Row) []byte {
	styles := newStyles()
	var raw []byte
	for _, row := range rows {
		raw = appendRow(raw, styles, row)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithEncoderCRC(false))
	if err != nil { // only wrong options
		panic(err)
	}
	defer enc.Close()
	return enc.EncodeAll(raw, b)
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// ParseRows reads count rows that AppendRows wrote.
func ParseRows(b []byte, count int) ([]screen.Row, error) {
	stream, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(maxUpdate), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, fmt.Errorf("start decompression: %w", err)
	}
	defer stream.Close()
	raw, err := io.ReadAll(io.LimitReader(stream, maxUpdate))
	if err != nil {
		return nil, malformed("decompress: %v", err)
	}
	r := reader{b: raw}
	styles := []screen.Style{{}}
	var rows []screen.Row
	for range min(count, screen.MaxTextLines) {
		row := r.row(&styles)
		if r.err != nil {
			return nil, r.err
		}
		rows = append(rows, row)
	}
	if len(r.b) > 0 {
		r.fail("%d bytes left of a page", len(r.b))
	}
	return rows, r.err
}
