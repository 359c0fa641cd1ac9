package demo

import (
	"context"
	"fmt"
	"image"
	"strings"
	"time"

	"assist/screen"
	"assist/session/console"
)

// playText is Play where a terminal is shared.
func (s *Stage) playText(ctx context.Context, a *actor, begin time.Time) (saw Saw, err error) {
	defer func() { saw.Seconds = time.Since(begin).Seconds() }()
	saw.Text = true
	if err := a.until(ctx, "the session to open", func() bool {
		st := a.seat.State()
		return st.Phase == console.In && st.Text.Offered
	}); err != nil {
		return saw, err
	}
	size := image.Pt(80, 24)
	a.seat.LookText(true, size)
	if err := a.until(ctx, "the first state", func() bool { return a.text != nil && a.text.Size == size }); err != nil {
		return saw, err
	}
	before := a.text
	saw.Grid = fmt.Sprintf("%dx%d", size.X, size.Y)
	if err := a.takeControl(ctx); err != nil {
		return saw, err
	}
	saw.Typed = fmt.Sprintf("assist was here, %s äöü € 日本語", begin.Format(time.TimeOnly))
	if err := a.input(screen.Input{Kind: screen.TypeText, Text: saw.Typed}, screen.Input{Kind: screen.KeyTap, Key: screen.KeyEnter}); err != nil {
		return saw, err
	}
	if saw.ReadBack, err = s.arrived(ctx, a); err != nil {
		return saw, err
	}
	if err := a.until(ctx, "the typing to be seen", func() bool { return strings.Contains(a.text.Rows[0].Text(), saw.Typed) }); err != nil {
		return saw, err
	}
	if err := a.until(ctx, "a round trip to be measured", func() bool { link := a.seat.State().Link; return link.RTT > 0 && link.Path != "" }); err != nil {
		return saw, err
	}
	now := a.seat.State()
	for y := range before.Rows {
		for x := range before.Rows[y].Cells {
			if before.Rows[y].Cells[x] != a.text.Rows[y].Cells[x] {
				saw.Changed++
			}
		}
	}
	saw.Frames, saw.Path, saw.RTTms, saw.Trusted = a.frames, now.Link.Path, float64(now.Link.RTT.Microseconds())/1000, now.TrustedBy
	if saw.OK = saw.ReadBack == saw.Typed; !saw.OK {
		return saw, fmt.Errorf("typed %q, the customer's terminal got %q", saw.Typed, saw.ReadBack)
	}
	return saw, nil
}
