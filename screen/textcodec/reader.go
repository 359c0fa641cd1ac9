package textcodec

import (
	"encoding/binary"
	"unicode/utf8"
)

// reader takes an update apart. After the first mistake it stays wrong and gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(format, args...)
	}
	r.b = nil
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail("it ends too early")
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("it ends inside a number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number between least and most.
func (r *reader) count(least, most int) int {
	v := r.uint()
	if r.err == nil && (most < least || v < uint64(least) || v > uint64(most)) {
		r.fail("%d where %d to %d are allowed", v, least, most)
	}
	if r.err != nil {
		return 0
	}
	return int(v)
}

func (r *reader) rune() rune {
	c, n := utf8.DecodeRune(r.b)
	if n == 0 || c == utf8.RuneError && n == 1 {
		r.fail("a character that is not UTF-8")
		return 0
	}
	r.b = r.b[n:]
	return c
}
