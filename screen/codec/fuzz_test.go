package codec

import (
	"encoding/binary"
	"errors"
	"image"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"assist/screen"
)

// FuzzDecode feeds two messages to a decoder: no panic, nothing outside the canvas, and every error is ErrMalformed.
func FuzzDecode(f *testing.F) {
	enc, _, frame := pair(f)
	first := append([]byte(nil), encode(f, enc, frame)...)
	scribble(frame, image.Rect(5, 5, 50, 9), 1, rand.New(rand.NewPCG(7, 8)))
	f.Add(first, encode(f, enc, frame))
	for _, update := range updates {
		f.Add(message(f, update, 0), []byte{})
	}
	view := enc.Viewport()
	f.Fuzz(func(t *testing.T, first, second []byte) {
		dec, err := NewDecoder(view)
		if err != nil {
			t.Fatal(err)
		}
		for _, msg := range [][]byte{first, second} {
			pic, err := dec.Decode(msg)
			if err != nil && !errors.Is(err, ErrMalformed) || err == nil && len(pic.Pix) != view.Grid.X*view.Grid.Y {
				t.Fatalf("%v", err)
			}
		}
	})
}

// FuzzUpdate skips the compression, which a mutated message seldom survives.
func FuzzUpdate(f *testing.F) {
	for _, update := range updates {
		f.Add(update)
	}
	f.Fuzz(func(t *testing.T, update []byte) {
		dec := &Decoder{canvas: make([]screen.RGB565, 32*24)}
		if err := set(dec.canvas, update); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
}

// updates are malformed but for the first two.
var updates = map[string][]byte{
	"nothing":                 {0},
	"one pixel":               {2, 0, 1, 0xAA, 0xBB},
	"empty":                   {},
	"spans longer than it is": {9, 0, 1},
	"half a pixel":            {2, 0, 1, 0xAA},
	"empty span":              {2, 1, 0},
	"half a span":             {1, 0, 0xAA, 0xBB},
	"more pixels than spans":  {2, 0, 1, 1, 1, 2, 2},
	"fewer pixels than spans": {2, 0, 2, 0xAA, 0xBB},
	"past the end":            append(binary.AppendUvarint([]byte{3}, 32*24), 1, 0xAA, 0xBB),
	"skip of 2^63":            append(append([]byte{11}, binary.AppendUvarint(nil, 1<<63)...), 1, 0xAA, 0xBB),
	"run of 2^63":             append(append([]byte{11, 0}, binary.AppendUvarint(nil, 1<<63)...), 0xAA, 0xBB),
}

// message wraps an update; more is added to its announced length.
func message(t testing.TB, update []byte, more int) []byte {
	msg := binary.AppendVarint(binary.AppendUvarint(nil, 1), 2)
	msg = binary.AppendUvarint(msg, uint64(len(update)+more))
	out := sink(msg)
	w, err := zstd.NewWriter(&out, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(update); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUpdatesRefused(t *testing.T) {
	for why, update := range updates {
		_, dec, _ := pair(t)
		_, err := dec.Decode(message(t, update, 0))
		if good := why == "nothing" || why == "one pixel"; good != (err == nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestMessagesRefused(t *testing.T) {
	limit := updateLimit(32 * 24)
	wide, err := zstd.NewWriter(nil, zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	head := func(length int) []byte {
		return binary.AppendUvarint([]byte{1, 2}, uint64(length))
	}
	zeros := make([]byte, 64<<20)
	for why, msg := range map[string][]byte{
		"empty":                     {},
		"head cut short":            {1, 2},
		"longer than the grid":      append(head(limit+1), 0x28, 0xB5, 0x2F, 0xFD),
		"length of 2^63":            binary.AppendUvarint([]byte{1, 2}, 1<<63),
		"length of nothing":         head(0),
		"shorter than announced":    message(t, updates["one pixel"], 3),
		"longer than announced":     message(t, make([]byte, 200<<10), -(200<<10)+1),
		"bytes after the blocks":    append(message(t, updates["one pixel"], 0), 7),
		"bomb of 64 MiB":            wide.EncodeAll(zeros, head(limit)),
		"not compressed":            append(head(5), updates["one pixel"]...),
		"skipped blocks of 4 GiB":   append(head(5), 0x50, 0x2A, 0x4D, 0x18, 0xFF, 0xFF, 0xFF, 0xFF),
		"message beyond the limit":  make([]byte, MaxMessage+1),
		"window larger than agreed": append(head(5), 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x68),
	} {
		_, dec, _ := pair(t)
		if _, err := dec.Decode(msg); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// FuzzGather feeds two separate messages: no panic, and every error is ErrMalformed.
func FuzzGather(f *testing.F) {
	frame := newFrame(image.Pt(64, 48))
	view := screen.Viewport{Region: image.Rectangle{Max: frame.Size}, Grid: image.Pt(32, 24)}
	enc, err := NewSeparate(view, frame.Size)
	if err != nil {
		f.Fatal(err)
	}
	frame.Seq = 1
	msg, _ := enc.EncodeAs(frame, nil, Tuning{})
	first := append([]byte(nil), msg...)
	enc.Confirmed(1)
	scribble(frame, image.Rect(5, 5, 50, 9), 1, rand.New(rand.NewPCG(7, 8)))
	frame.Seq = 2
	second, _ := enc.EncodeAs(frame, screen.Damage{image.Rect(5, 5, 50, 9)}, Tuning{})
	f.Add(first, second)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		dec, err := NewGather(view)
		if err != nil {
			t.Fatal(err)
		}
		for _, msg := range [][]byte{first, second} {
			pic, err := dec.Decode(msg)
			if err != nil && !errors.Is(err, ErrMalformed) || pic != nil && len(pic.Pix) != view.Grid.X*view.Grid.Y {
				t.Fatalf("%v", err)
			}
		}
	})
}
