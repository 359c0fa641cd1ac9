package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"time"

	"assist/screen"
	"assist/session/inner"
	"assist/transport"
)

// A console may ask for so many stills; each costs a copy of the frame and its compression.
const (
	stillRate  = 1 // a second
	stillBurst = 3
	stillAsk   = 5 * time.Second  // for the question to arrive
	stillTime  = 60 * time.Second // for the answer to be taken, however slow the link is
)

var (
	errNoView    = errors.New("the customer does not share the screen with you now")
	errTooOften  = errors.New("too many pictures at once, ask again in a moment")
	errTooLarge  = errors.New("that part of the display is too large for one picture")
	errNoDisplay = errors.New("there is no picture of the display")
)

// serveStill answers one question for a part of the display at full resolution. The studio only copies the pixels, they are
// compressed here.
func (s *studio) serveStill(ctx context.Context, c *console, stream transport.Stream) error {
	defer stream.CancelRead(0)
	stream.SetUrgency(urgePicture)
	_ = stream.SetReadDeadline(time.Now().Add(stillAsk))
	region, err := inner.ReadStillAsk(bufio.NewReaderSize(stream, 16))
	if err != nil {
		stream.CancelWrite(0)
		return streamEnd(err)
	}
	paced := transport.Pace(stream, transport.Bulk)
	_ = paced.SetWriteDeadline(time.Now().Add(stillTime))
	answer, err := s.still(ctx, c, region)
	if err != nil {
		answer = inner.AppendStillRefused(nil, err.Error())
	}
	if _, err := paced.Write(answer); err != nil {
		return givenUp(err, "write still")
	}
	_ = stream.Close()
	return nil
}

// still is the whole answer for a region.
func (s *studio) still(ctx context.Context, c *console, region image.Rectangle) ([]byte, error) {
	if !c.stills.Allow() {
		return nil, errTooOften
	}
	type copied struct {
		img *image.RGBA
		err error
	}
	done := make(chan copied, 1)
	s.post(func(s *studio) {
		img, err := s.copy(c, region)
		done <- copied{img, err}
	})
	var got copied
	select {
	case got = <-done:
	case <-s.done:
		return nil, errNoDisplay
	case <-ctx.Done():
		return nil, errNoDisplay
	}
	if got.err != nil {
		return nil, got.err
	}
	var file bytes.Buffer
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(&file, got.img); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return append(inner.AppendStill(nil, got.img.Rect, file.Len()), file.Bytes()...), nil
}

// copy takes a region of the newest frame, if the console may see it; an empty region is the whole display.
func (s *studio) copy(c *console, region image.Rectangle) (*image.RGBA, error) {
	if s.over.Load() || (*s.may.Load())[c.id] == 0 {
		return nil, errNoView
	}
	if s.frame == nil || s.changed {
		if err := s.grab(time.Now()); err != nil {
			s.log.Warn("grab display", "err", err)
			return nil, errNoDisplay
		}
	}
	whole := image.Rectangle{Max: s.frame.Size}
	if region.Empty() {
		region = whole
	}
	if region = region.Intersect(whole); region.Empty() || region.Dx()*region.Dy() > inner.MaxStillPixels {
		return nil, errTooLarge
	}
	return pixels(s.frame, region), nil
}

// pixels copies a region of a frame, which is B, G, R and nothing.
func pixels(f *screen.Frame, region image.Rectangle) *image.RGBA {
	out := image.NewRGBA(region)
	for y := region.Min.Y; y < region.Max.Y; y++ {
		from := f.Pix[y*f.Stride+region.Min.X*4:]
		to := out.Pix[(y-region.Min.Y)*out.Stride:]
		for x := range region.Dx() {
			bgr := binary.LittleEndian.Uint32(from[4*x:])
			binary.BigEndian.PutUint32(to[4*x:], bgr<<8|0xFF)
		}
	}
	return out
}
