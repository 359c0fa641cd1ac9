package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// ErrMalformed says that a message breaks the rules of this codec, or follows one that did.
var ErrMalformed = errors.New("malformed picture")

// Decoder puts the messages of one viewport on its canvas. It belongs to one goroutine. Beside the canvas and one update it
// holds what zstd needs for its window, however a message is made.
type Decoder struct {
	view   screen.Viewport
	canvas []screen.RGB565
	seq    uint64
	taken  time.Time
	err    error // the first one stays

	update []byte
	in     feed
	stream *zstd.Decoder
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

// NewDecoder starts with v and a black canvas.
func NewDecoder(v screen.Viewport) (*Decoder, error) {
	d := &Decoder{}
	var err error
	d.stream, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(window), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, fmt.Errorf("start decompression: %w", err)
	}
	if err := d.Reset(v); err != nil {
		return nil, err
	}
	return d, nil
}

// Reset starts over with v: the next message is the first of another Encoder.
func (d *Decoder) Reset(v screen.Viewport) error {
	if err := v.Check(v.Region.Max); err != nil {
		return fmt.Errorf("viewport: %w", err)
	}
	n := v.Grid.X * v.Grid.Y
	if cap(d.canvas) < n {
		d.canvas = make([]screen.RGB565, n)
	}
	d.view, d.canvas, d.seq, d.taken, d.err = v, d.canvas[:n], 0, time.Time{}, nil
	clear(d.canvas)
	d.in = nil
	if err := d.stream.Reset(&d.in); err != nil {
		return fmt.Errorf("start decompression: %w", err)
	}
	return nil
}

// Decode applies one message and returns the whole picture, which is the caller's. After ErrMalformed the stream cannot go
// on and every call says so.
func (d *Decoder) Decode(msg []byte) (*screen.Picture, error) {
	if err := d.Apply(msg); err != nil {
		return nil, err
	}
	return d.Picture(), nil
}

// Picture is a copy of the canvas.
func (d *Decoder) Picture() *screen.Picture {
	return &screen.Picture{Viewport: d.view, Pix: append([]screen.RGB565(nil), d.canvas...), Seq: d.seq, Captured: d.taken}
}

// Apply is Decode without the copy, for messages that another one follows already.
func (d *Decoder) Apply(msg []byte) error {
	if d.err == nil {
		d.err = d.apply(msg)
	}
	return d.err
}

func (d *Decoder) apply(msg []byte) error {
	if len(msg) > MaxMessage {
		return malformed("message of %d bytes", len(msg))
	}
	seq, a := binary.Uvarint(msg)
	taken, b := binary.Varint(msg[max(a, 0):])
	length, c := binary.Uvarint(msg[max(a, 0)+max(b, 0):])
	if a <= 0 || b <= 0 || c <= 0 {
		return malformed("no head")
	}
	if limit := updateLimit(len(d.canvas)); length < 1 || length > uint64(limit) {
		return malformed("update of %d bytes, the grid allows %d", length, limit)
	}
	if err := d.unpack(msg[a+b+c:], int(length)); err != nil {
		return err
	}
	if err := set(d.canvas, d.update); err != nil {
		return err
	}
	d.seq, d.taken = seq, time.UnixMicro(taken)
	return nil
}

// unpack decompresses a chunk, which has to hold an update of exactly that length.
func (d *Decoder) unpack(chunk []byte, length int) error {
	if cap(d.update) < length {
		d.update = make([]byte, length)
	}
	d.update, d.in = d.update[:length], chunk
	if _, err := io.ReadFull(d.stream, d.update); err != nil {
		return malformed("update of %d bytes: %v", length, err)
	}
	if len(d.in) > 0 {
		return malformed("%d bytes after the update", len(d.in))
	}
	return nil
}

// set puts an update on a canvas.
func set(canvas []screen.RGB565, update []byte) error {
	length, n := binary.Uvarint(update)
	if n <= 0 || length > uint64(len(update)-n) {
		return malformed("no spans")
	}
	spans, pixels := update[n:n+int(length)], update[n+int(length):]
	at := uint64(0)
	for len(spans) > 0 {
		skip, a := binary.Uvarint(spans)
		run, b := binary.Uvarint(spans[max(a, 0):])
		room := uint64(len(canvas)) - at
		if a <= 0 || b <= 0 || skip > room || run < 1 || run > room-skip || 2*run > uint64(len(pixels)) {
			return malformed("span of %d after %d pixels, %d from the end", run, skip, room)
		}
		at += skip
		for i := range canvas[at : at+run] {
			canvas[at+uint64(i)] = screen.RGB565(binary.LittleEndian.Uint16(pixels[2*i:]))
		}
		at, spans, pixels = at+run, spans[a+b:], pixels[2*run:]
	}
	if len(pixels) > 0 {
		return malformed("%d bytes of pixels without a span", len(pixels))
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
