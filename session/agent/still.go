package agent

import (
	"bufio"
	"context"
	"fmt"
	"image"

	"assist/session/inner"
	"assist/transport/wire"
)

// Still asks the host for a part of the display as it is now, at full resolution and in true colours; an empty region is the
// whole display. The bounds of the picture are the part that it shows. It waits until the picture is there, the link is gone
// or ctx ends, so it is nothing for the goroutine of a terminal. The host's no is a *inner.StillRefusedError.
func (s *Session) Still(ctx context.Context, region image.Rectangle) (image.Image, error) {
	stream, err := s.openStream(ctx, wire.StreamStill, urgencyScreen)
	if err != nil {
		return nil, err
	}
	defer stream.CancelRead(0)
	stop := context.AfterFunc(ctx, func() {
		stream.CancelWrite(0)
		stream.CancelRead(0)
	})
	defer stop()
	if _, err := stream.Write(inner.AppendStillAsk(nil, region)); err != nil {
		return nil, fmt.Errorf("ask for a still: %w", err)
	}
	_ = stream.Close()
	img, err := inner.ReadStill(bufio.NewReaderSize(stream, 64<<10))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return img, err
}
