// Package painter brings the picture into the terminal past Bubble Tea's renderer, which would parse every cell of every frame.
//
// The view holds a constant hole where the picture goes (viewer.Renderer), and a Painter is the one writer to the terminal:
// given to tea.WithOutput it passes on what Bubble Tea writes, as far as an allow-list lets it, and paints the picture into the
// hole itself, only the cells that differ, with absolute moves between a saved and a restored cursor. The hole is made of
// private-use runes that say where they are; they never reach the terminal, but tell the painter which cells Bubble Tea has just
// given free. Cells under dialogs are not painted and not counted as shown.
//
// Who owns what: Rows and Hide belong to the goroutine of the tea.Program; Write to whoever Bubble Tea lets write; Run is the one
// goroutine that writes to the terminal. They meet under a lock that is never held while somebody waits for the terminal, so that
// a slow one makes no key wait. A picture is state: what does not fit the budget of a write differs still and goes next time,
// from the newest cells. What Bubble Tea writes is history: it waits in order, up to maxQueue, behind which Write waits.
package painter

import (
	"context"
	"errors"
	"image"
	"slices"
	"sync"
	"time"

	"assist/screen/raster"
	"assist/tui/cell"
	"assist/tui/viewer"

	"github.com/charmbracelet/x/term"
)

// maxQueue is how much of what Bubble Tea wrote may wait for the terminal, in bytes.
const maxQueue = 256 << 10

// Painter is a viewer.Renderer and the terminal's one writer.
type Painter struct {
	term.File // the terminal
	now       func() time.Time
	tap       func(b []byte, now time.Time) // set before Run

	// Of the goroutine of the tea.Program.
	fit   raster.Fitter
	last  viewer.Frame
	tags  []viewer.Tag
	block cell.Block

	mu      sync.Mutex
	want    []raster.Cell
	on      bool // there is a hole in the view
	mode    raster.Mode
	depth   raster.Depth
	hole    hole
	enc     raster.Encoder
	tiles   tiles
	frozen  bool // a still picture is shown
	filter  filter
	queue   []byte // filtered, not yet written
	alt     bool   // Bubble Tea has taken the alternate screen
	caret   bool   // the terminal's cursor is visible
	sync    bool   // the terminal knows synchronized output
	pace    pace
	stats   Stats
	err     error // of the terminal
	spare   []byte
	writing bool       // Run writes
	space   *sync.Cond // the queue got shorter
	wake    chan struct{}
}

// Stats is what a painter has done so far.
type Stats struct {
	Bytes   uint64 // written to the terminal
	Picture uint64 // of them for the picture
	Rate    int    // bytes a second that the terminal takes, where it was the limit in the last seconds; 0: it was not
	Waiting int    // bytes on their way that the terminal has not confirmed
	Late    bool   // the picture waits for the terminal
	Blocked uint64 // sequences that were not let through
}

// New makes a painter for a terminal.
func New(terminal term.File) *Painter {
	p := &Painter{File: terminal, now: time.Now, wake: make(chan struct{}, 1)}
	p.space = sync.NewCond(&p.mu)
	return p
}

// Rows implements viewer.Renderer: a hole where the picture goes.
func (p *Painter) Rows(f viewer.Frame) cell.Block {
	if f.Picture == nil {
		p.Hide()
		return cell.Fill(f.Size.X, f.Size.Y)
	}
	cells, size := p.fit.Fit(f.Picture, f.Mode, f.Depth, f.Sprites()...)
	if cells == nil || size.X > f.Size.X || size.Y > f.Size.Y {
		p.Hide()
		return cell.Fill(f.Size.X, f.Size.Y)
	}
	tags := f.Tags()
	at := f.Place.Add(viewer.Placed(f.Size, size))
	covered := slices.Clone(f.Covered)
	for _, t := range tags {
		from := f.Place.Add(t.At)
		covered = append(covered, image.Rectangle{Min: from, Max: from.Add(image.Pt(t.Width, 1))})
	}
	p.mu.Lock()
	dug := p.place(size, at, f.Mode, f.Depth)
	if grid := f.Picture.Viewport.Grid; f.Mode == raster.Pixels && (dug || p.tiles.grid != grid || len(p.tiles.shown) == 0) {
		p.queue = p.tiles.clear(p.queue)
		p.tiles.place(grid, at)
		copy(p.tiles.want, p.fit.Drawn())
	}
	if !slices.Equal(covered, p.hole.covered) {
		p.poke() // what is an image has to go around it
	}
	dug = p.hole.cover(covered, &p.enc, p.now()) || dug
	if dug || p.fit.Made() > 0 || !p.on {
		copy(p.want, cells)
		if f.Mode == raster.Pixels {
			copy(p.tiles.want, p.fit.Drawn())
		}
		p.on = true
		p.poke()
	}
	var rows []string
	if dug || p.block == nil {
		rows = p.hole.rows()
	}
	p.mu.Unlock()
	if rows != nil {
		p.block = nil
	} else {
		rows = p.hole.lines
	}
	if p.block == nil || p.last.Size != f.Size || !slices.Equal(tags, p.tags) {
		p.block = f.Lay(rows, size.X, tags)
	}
	p.last, p.tags = f, tags
	return p.block
}

// place makes room for a picture and says whether the hole is another one. It needs mu.
func (p *Painter) place(size, at image.Point, m raster.Mode, d raster.Depth) bool {
	switch {
	case p.on && size == p.hole.size && at == p.hole.at && m == p.mode && d == p.depth:
		return false
	case p.on && size == p.hole.size && at == p.hole.at:
		if m != p.mode {
			p.queue = p.tiles.clear(p.queue)
		}
		p.mode, p.depth = m, d
		p.enc.Remake(m, d)
		return false
	}
	p.queue = p.tiles.clear(p.queue)
	p.mode, p.depth, p.frozen = m, d, false
	p.enc.Reset(size, at, m, d)
	p.hole.dig(size, at)
	p.want = make([]raster.Cell, size.X*size.Y)
	return true
}

// Hide implements viewer.Renderer: nothing is painted until there is a picture in the view again.
func (p *Painter) Hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on, p.frozen = false, false
	p.block = nil
	if p.queue = p.tiles.clear(p.queue); len(p.queue) > 0 {
		p.poke()
	}
}

// SetImages says by which protocol the terminal takes images, for the mode that needs one.
func (p *Painter) SetImages(proto Protocol) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if proto != p.tiles.proto {
		p.queue = p.tiles.clear(p.queue)
		p.tiles.proto = proto
		p.poke()
	}
}

// SetCell says how many pixels a cell of the terminal has; zero: that is not known.
func (p *Painter) SetCell(pixels image.Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pixels != p.tiles.cell {
		p.tiles.cell = pixels
		p.tiles.again()
		p.poke()
	}
}

// Tap lets f see whatever is written to the terminal, whole sequences at a time. It is called by Run and set before it.
func (p *Painter) Tap(f func(b []byte, now time.Time)) { p.tap = f }

// SetTolerance says by how much a channel of a colour may differ, in 255, from what is shown to be left as it is.
func (p *Painter) SetTolerance(t int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t < p.enc.Tolerance { // what was near enough is so no more
		defer p.poke()
	}
	p.enc.Tolerance = t
}

// Stats says what was done so far.
func (p *Painter) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Rate, s.Waiting, s.Late, s.Blocked = p.pace.takes(p.now()), p.pace.waiting(), p.pace.late, p.filter.blocked
	return s
}

// poke wakes Run. It needs mu.
func (p *Painter) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run writes to the terminal until ctx ends; what waits then is written first. It returns nil, or why the terminal takes no
// more.
func (p *Painter) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		b, again := p.take()
		if len(b) > 0 {
			began := p.now()
			_, err := p.File.Write(b)
			p.wrote(len(b), p.now().Sub(began), err)
			if p.tap != nil {
				p.tap(b, began)
			}
			if err != nil {
				return err
			}
			continue
		}
		timer.Reset(again)
		select {
		case <-ctx.Done():
			p.over(errClosed)
			return nil
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// over ends Write.
func (p *Painter) over(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
	p.space.Broadcast()
}

// take is the next write, and when to look again if there is none.
func (p *Painter) take() (b []byte, again time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again = time.Hour
	b = p.spare[:0]
	if p.sync {
		b = append(b, syncOn...)
	}
	head := len(b)
	b = append(b, p.queue...)
	p.queue = p.queue[:0]
	p.space.Broadcast()
	ask := false
	if p.on && p.alt && !p.frozen {
		now := p.now()
		if wait := p.pace.wait(now); wait > 0 {
			again = wait
		} else {
			before := len(b)
			b = p.paint(b)
			p.stats.Picture += uint64(len(b) - before)
			ask = len(b) > before && p.pace.ask(now, len(b))
		}
	}
	if len(b) == head {
		p.spare = b[:0]
		return nil, again
	}
	if p.sync {
		b = append(b, syncOff...)
	}
	if ask {
		b = append(b, askMode...)
	}
	p.spare, p.writing = b, true
	return b, again
}

// paint appends what differs, within the budget. It needs mu.
func (p *Painter) paint(b []byte) []byte {
	start := len(b)
	if p.caret && !p.sync {
		b = append(b, caretOff...)
	}
	b = append(b, saveCursor...)
	head := len(b)
	b, p.pace.more = p.enc.Append(b, p.want, p.pace.budget())
	if p.mode == raster.Pixels && p.tiles.proto != NoImages && !p.pace.more {
		b, p.pace.more = p.tiles.append(b, p.hole.inside(), p.pace.budget())
	}
	if len(b) == head {
		return b[:start]
	}
	b = append(b, restoreCursor...)
	if p.caret && !p.sync {
		b = append(b, caretOn...)
	}
	return b
}

// wrote notes how a write went.
func (p *Painter) wrote(n int, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing = false
	p.stats.Bytes += uint64(n)
	p.pace.wrote(p.now(), n, took)
	if err != nil && p.err == nil {
		p.err = err
	}
	p.space.Broadcast()
}

// errClosed is what Write says when Run is over.
var errClosed = errors.New("the terminal is no longer written to")

// The sequences that a painter writes beside the encoder's.
const (
	saveCursor    = "\x1b7"
	restoreCursor = "\x1b8"
	syncOn        = "\x1b[?2026h"
	syncOff       = "\x1b[?2026l"
	askMode       = "\x1b[?2026$p"
	caretOff      = "\x1b[?25l"
	caretOn       = "\x1b[?25h"
)
