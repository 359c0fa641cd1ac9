package screen

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// ErrMalformed says that a message from the other side breaks the rules of this package.
var ErrMalformed = errors.New("malformed screen message")

// reader takes a message apart. After the first mistake it stays wrong and gives zeros, so that a parser checks once.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("it ends too early")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// uint reads a uvarint of at most limit, in its shortest form.
func (r *reader) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case n <= 0:
		r.fail("it ends inside a number")
		return 0
	case n > 1 && r.b[n-1] == 0:
		r.fail("a number longer than it needs to be")
		return 0
	case v > limit:
		r.fail("%d where at most %d is allowed", v, limit)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// steps reads a zigzag varint of at most limit up or down.
func (r *reader) steps(limit int) int {
	v := r.uint(2 * uint64(limit))
	return int(v>>1) ^ -int(v&1)
}

func (r *reader) point() image.Point {
	x := r.uint(MaxDisplay)
	return image.Pt(int(x), int(r.uint(MaxDisplay)))
}

func (r *reader) bytes(limit int) []byte {
	n := r.uint(uint64(limit))
	if n > uint64(len(r.b)) {
		r.fail("it ends inside a text")
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// end is the error of the whole message; nothing may be left.
func (r *reader) end() error {
	if len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	return r.err
}

// clamp keeps p where a display can have a pixel, so that what this build appends it also parses.
func clamp(p image.Point) image.Point {
	return image.Pt(max(0, min(p.X, MaxDisplay)), max(0, min(p.Y, MaxDisplay)))
}

func appendPoint(b []byte, p image.Point) []byte {
	p = clamp(p)
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(p.X)), uint64(p.Y))
}

func appendSteps(b []byte, n, limit int) []byte {
	return binary.AppendVarint(b, int64(max(-limit, min(n, limit))))
}
