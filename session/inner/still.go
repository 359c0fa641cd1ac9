package inner

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"assist/chat"
	"assist/screen"
)

// A still stream is one question and one answer. The console writes the region that it wants, in display pixels: x, y, width
// and height (uvarints); an empty one means the whole display. The host answers with a byte, 0 and the region that it shows
// and a PNG (RFC 2083) of exactly that size after its length, or 1 and a sentence that says why not, after its length.

// Limits of a still stream.
const (
	MaxStill       = 96 << 20 // bytes of the PNG: what cannot be compressed of MaxStillPixels
	MaxStillPixels = 32 << 20 // a desktop of 7680x4320 is just within
	maxStillWhy    = 1 << 10
)

// StillRefusedError is the host's no to a still picture, in its words.
type StillRefusedError struct{ Why string }

func (e *StillRefusedError) Error() string { return e.Why }

// AppendStillAsk adds the question.
func AppendStillAsk(b []byte, region image.Rectangle) []byte {
	for _, v := range [4]int{region.Min.X, region.Min.Y, region.Dx(), region.Dy()} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}

// ReadStillAsk reads the question.
func ReadStillAsk(r *bufio.Reader) (image.Rectangle, error) { return readRegion(r) }

func readRegion(r *bufio.Reader) (image.Rectangle, error) {
	var v [4]int
	for i := range v {
		n, err := readUvarint(r)
		if err != nil {
			return image.Rectangle{}, unexpected(err)
		}
		if n > screen.MaxDisplay {
			return image.Rectangle{}, malformed("a coordinate of %d", n)
		}
		v[i] = int(n)
	}
	return image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]), nil
}

// AppendStill adds the answer up to its PNG, which is of size bytes and follows.
func AppendStill(b []byte, region image.Rectangle, size int) []byte {
	return binary.AppendUvarint(AppendStillAsk(append(b, 0), region), uint64(size))
}

// AppendStillRefused adds the answer that there is none.
func AppendStillRefused(b []byte, why string) []byte {
	why = why[:min(len(why), maxStillWhy)]
	return append(binary.AppendUvarint(append(b, 1), uint64(len(why))), why...)
}

// ReadStill reads the answer: a picture whose bounds are the region that it shows. The size of the pixels is checked against
// the region before they are decoded. A no is a *StillRefusedError.
func ReadStill(r *bufio.Reader) (image.Image, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, unexpected(err)
	}
	switch kind {
	case 0:
	case 1:
		why, err := readBlock(r, maxStillWhy, nil)
		if err != nil {
			return nil, unexpected(err)
		}
		return nil, &StillRefusedError{Why: chat.Line(string(why))}
	default:
		return nil, malformed("answer %d", kind)
	}
	region, err := readRegion(r)
	if err != nil {
		return nil, err
	}
	size, err := readUvarint(r)
	if err != nil {
		return nil, unexpected(err)
	}
	if size > MaxStill || region.Empty() || uint64(region.Dx())*uint64(region.Dy()) > MaxStillPixels {
		return nil, malformed("a still of %d bytes for %v", size, region)
	}
	return decodeStill(bufio.NewReader(io.LimitReader(r, int64(size))), region)
}

// pngHead is how much of a PNG says its size: signature and IHDR (RFC 2083, 11.2.2).
const pngHead = 8 + 8 + 8

func decodeStill(r *bufio.Reader, region image.Rectangle) (image.Image, error) {
	head, err := r.Peek(pngHead)
	if err != nil {
		return nil, malformed("still: %v", err)
	}
	w, h := binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:])
	if int64(w) != int64(region.Dx()) || int64(h) != int64(region.Dy()) {
		return nil, malformed("a still of %dx%d for %v", w, h, region)
	}
	img, err := png.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("%w: still: %v", ErrMalformed, err)
	}
	return placed{img, region}, nil
}

// placed is a picture under other bounds.
type placed struct {
	image.Image
	at image.Rectangle
}

func (p placed) Bounds() image.Rectangle { return p.at }

func (p placed) At(x, y int) color.Color {
	return p.Image.At(x-p.at.Min.X, y-p.at.Min.Y)
}
