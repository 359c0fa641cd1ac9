package tui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"assist/screen"
)

// A terminal that takes 50 KB a second and a picture that scrolls: keys must not wait for it, and what they do is drawn before the
// rest of the picture. Time is simulated, so that what is measured is who waits for whom, and not how fast the machine is; were
// anything to wait for the terminal under a lock, the simulation would stand still.
func TestKeysDoNotWaitForASlowTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startPlayed(t, true)
		d.file.slow = 1024 * time.Second / 50_000
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for n := 1; ctx.Err() == nil; n++ {
				d.s.change(func() { d.s.pic = scrolled(d.s.base, n) })
				time.Sleep(100 * time.Millisecond)
			}
		}()
		time.Sleep(3 * time.Second)
		var waits, echo time.Duration
		for range 20 {
			began := time.Now()
			d.p.Send(pressed("?"))
			waits = max(waits, time.Since(began))
			for !strings.Contains(d.screen.Text(), "take control: keys") && time.Since(began) < 5*time.Second {
				time.Sleep(time.Millisecond)
			}
			echo = max(echo, time.Since(began))
			began = time.Now()
			d.p.Send(pressed("esc"))
			waits = max(waits, time.Since(began))
			time.Sleep(737 * time.Millisecond)
		}
		cancel()
		time.Sleep(time.Second)
		d.file.slow = 0
		if s := d.m.opt.painter.Stats(); s.Picture < 500_000 {
			t.Errorf("the picture hardly moved: %+v", s)
		}
		d.finish(t)
		t.Logf("a key reaches Update after %v at most, its dialog of about 5 KB is on the screen after %v", waits, echo)
		if waits > 30*time.Millisecond || echo > 500*time.Millisecond {
			t.Errorf("a key waited %v, its dialog %v", waits, echo)
		}
	})
}

// scrolled is a picture of lines that have moved up by n.
func scrolled(base *screen.Picture, n int) *screen.Picture {
	p := &screen.Picture{Viewport: base.Viewport, Seq: base.Seq + uint64(n), Pix: make([]screen.RGB565, len(base.Pix))}
	for i := range p.Pix {
		x, y := i%base.Viewport.Grid.X, i/base.Viewport.Grid.X+n
		p.Pix[i] = screen.RGB565(uint32(x/3*2654435761+y*40503) >> 7)
	}
	return p
}
