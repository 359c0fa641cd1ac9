package painter

import (
	"bytes"
	"image"
	"strconv"
	"time"

	"assist/screen/raster"
)

// farewell is how long leaving the alternate screen may wait for a terminal that takes nothing.
const farewell = 2 * time.Second

// Write takes what Bubble Tea has for the terminal. It waits only when maxQueue is full, and when the alternate screen is left,
// because the modes of the terminal are set back right after it.
func (p *Painter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) > maxQueue && p.err == nil {
		p.space.Wait()
	}
	if p.err != nil {
		return 0, p.err
	}
	leaves := false
	if bytes.Contains(b, []byte("\x1b[?1049l")) {
		p.queue = p.tiles.clear(p.queue)
	}
	p.queue = p.filter.pass(p.queue, b, found{
		greeting: AskWidths,
		sentinel: func(r rune) { p.hole.seen(r, &p.enc, p.freed) },
		mode: func(mode string, on bool) {
			switch mode {
			case "25":
				p.caret = on
			case "1049":
				p.alt, leaves = on, leaves || !on
			}
		},
	})
	p.poke()
	if leaves {
		p.drain(p.now().Add(farewell))
	}
	return len(b), p.err
}

// freed forgets the image on a cell that Bubble Tea has written. It needs mu.
func (p *Painter) freed(c image.Point) {
	if p.mode == raster.Pixels {
		p.tiles.loseAt(c)
	}
}

// drain waits until the queue is written. It needs mu.
func (p *Painter) drain(until time.Time) {
	stop := time.AfterFunc(time.Until(until), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.space.Broadcast()
	})
	defer stop.Stop()
	for (len(p.queue) > 0 || p.writing) && p.err == nil && p.now().Before(until) {
		p.space.Wait()
	}
}

// Report takes the terminal's answer about mode 2026; known says that it has the mode.
func (p *Painter) Report(known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sync = known
	p.pace.answered(p.now())
	p.poke()
}

func appendCSI(b []byte, n int, final byte) []byte {
	b = append(b, 0x1b, '[')
	if n != 1 {
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, final)
}
