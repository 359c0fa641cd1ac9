package sessiontest

import (
	"context"
	"image"
	"sync"
	"testing"
	"time"

	"assist/screen"
)

// Display is a customer's display that a test paints. It implements host.Source.
type Display struct {
	changed chan struct{}

	mu      sync.Mutex
	pix     []byte
	size    image.Point
	damage  screen.Damage
	seq     uint64
	pointer screen.Pointer
	mark    image.Rectangle
	shade   byte
	grabbed []byte // what the host looks at between two grabs
}

// NewDisplay makes a black display.
func NewDisplay(w, h int) *Display {
	d := &Display{changed: make(chan struct{}, 1), size: image.Pt(w, h), pix: make([]byte, w*h*4), grabbed: make([]byte, w*h*4)}
	d.damage = screen.Damage{image.Rect(0, 0, w, h)}
	return d
}

// Run implements host.Source: nothing has to be pumped.
func (d *Display) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Display implements host.Source.
func (d *Display) Display() screen.Display {
	return screen.Display{Size: d.size, Name: ":test", Monitors: []screen.Monitor{{Name: "test", Bounds: image.Rectangle{Max: d.size}, Primary: true}}}
}

// Changed implements host.Source.
func (d *Display) Changed() <-chan struct{} { return d.changed }

// Grab implements host.Source.
func (d *Display) Grab() (*screen.Frame, screen.Damage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	copy(d.grabbed, d.pix)
	damage := d.damage
	d.damage = nil
	return &screen.Frame{Size: d.size, Stride: d.size.X * 4, Pix: d.grabbed, Seq: d.seq, Time: time.Now()}, damage, nil
}

// Pointer implements host.Source.
func (d *Display) Pointer() (screen.Pointer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pointer, nil
}

// MovePointer puts the customer's pointer somewhere.
func (d *Display) MovePointer(at image.Point) {
	d.mu.Lock()
	d.pointer.At = at
	d.mu.Unlock()
	d.wake()
}

// Paint fills a rectangle with what colour says for each pixel.
func (d *Display) Paint(r image.Rectangle, colour func(x, y int) (red, green, blue byte)) {
	d.mu.Lock()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := d.pix[(y*d.size.X+x)*4:]
			p[2], p[1], p[0] = colour(x, y)
		}
	}
	d.damage = append(d.damage, r)
	d.mu.Unlock()
	d.wake()
}

// Show replaces the whole picture by pix, of the display's size, B, G, R and nothing; damage says where it differs.
func (d *Display) Show(pix []byte, damage screen.Damage) {
	d.mu.Lock()
	copy(d.pix, pix)
	d.paintMark()
	d.damage = append(d.damage, damage...)
	d.mu.Unlock()
	d.wake()
}

// Mark keeps a rectangle grey, whatever is shown.
func (d *Display) Mark(r image.Rectangle, shade byte) {
	d.mu.Lock()
	d.mark, d.shade = r, shade
	d.damage = append(d.damage, r)
	d.paintMark()
	d.mu.Unlock()
	d.wake()
}

func (d *Display) paintMark() {
	for y := d.mark.Min.Y; y < d.mark.Max.Y; y++ {
		for x := d.mark.Min.X; x < d.mark.Max.X; x++ {
			p := d.pix[(y*d.size.X+x)*4:]
			p[0], p[1], p[2] = d.shade, d.shade, d.shade
		}
	}
}

// Fill paints a rectangle in one colour.
func (d *Display) Fill(r image.Rectangle, red, green, blue byte) {
	d.Paint(r, func(int, int) (byte, byte, byte) { return red, green, blue })
}

func (d *Display) wake() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Average is what a viewer of the whole display has to see on a grid that divides it, computed apart from the codec: the
// mean of each block, rounded to what 5, 6 and 5 bits can say.
func (d *Display) Average(grid image.Point) []screen.RGB565 {
	d.mu.Lock()
	defer d.mu.Unlock()
	bw, bh := d.size.X/grid.X, d.size.Y/grid.Y
	out := make([]screen.RGB565, 0, grid.X*grid.Y)
	for gy := range grid.Y {
		for gx := range grid.X {
			var sum [3]int
			for y := gy * bh; y < (gy+1)*bh; y++ {
				for x := gx * bw; x < (gx+1)*bw; x++ {
					p := d.pix[(y*d.size.X+x)*4:]
					sum[0], sum[1], sum[2] = sum[0]+int(p[2]), sum[1]+int(p[1]), sum[2]+int(p[0])
				}
			}
			n := bw * bh
			out = append(out, screen.RGB565(nearest(sum[0], n, 31)<<11|nearest(sum[1], n, 63)<<5|nearest(sum[2], n, 31)))
		}
	}
	return out
}

// Recorder is the customer's machine as far as input goes. It implements host.Injector.
type Recorder struct {
	changed chan struct{}

	mu     sync.Mutex
	played []screen.Input
	at     []time.Time // of played
	down   map[screen.Key]bool
	frees  int
}

// NewRecorder makes one.
func NewRecorder() *Recorder {
	return &Recorder{changed: make(chan struct{}, 1), down: map[screen.Key]bool{}}
}

// Play implements host.Injector.
func (r *Recorder) Play(ev screen.Input) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.played, r.at = append(r.played, ev), append(r.at, time.Now())
	switch ev.Kind {
	case screen.KeyPress:
		r.down[ev.Key] = true
	case screen.KeyRelease:
		delete(r.down, ev.Key)
	case screen.ReleaseAll:
		clear(r.down)
	}
	r.wake()
	return nil
}

// ReleaseAll implements host.Injector.
func (r *Recorder) ReleaseAll() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.down)
	r.frees++
	r.wake()
	return nil
}

// Close implements host.Injector.
func (r *Recorder) Close() error { return r.ReleaseAll() }

func (r *Recorder) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Played is everything that was played so far.
func (r *Recorder) Played() []screen.Input {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]screen.Input(nil), r.played...)
}

// Times is when each event of Played was played.
func (r *Recorder) Times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.at...)
}

// Down says whether a key is held.
func (r *Recorder) Down(k screen.Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down[k]
}

// Wait waits until ok holds of what was played.
func (r *Recorder) Wait(t testing.TB, what string, ok func([]screen.Input) bool) []screen.Input {
	t.Helper()
	Until(t, what, r.changed, func() bool { return ok(r.Played()) })
	return r.Played()
}

// nearest is the level k of 0 to most whose colour, k*255/most, is the nearest to sum/n; of two that are as near, the brighter.
func nearest(sum, n, most int) int { return (2*sum*most + 255*n) / (2 * 255 * n) }
