package codec

import (
	"image"
	"math/rand/v2"
	"testing"

	"assist/screen"
)

// desk is a frame with something like text in a window, and a step that scrolls it by a line.
func desk() (f *screen.Frame, scroll func() screen.Damage) {
	f = newFrame(image.Pt(1920, 1080))
	rnd := rand.New(rand.NewPCG(9, 9))
	scribble(f, image.Rectangle{Max: f.Size}, 0, rnd)
	window := image.Rect(200, 100, 1100, 800)
	for x := window.Min.X; x < window.Max.X; x += 3 {
		scribble(f, image.Rect(x, 100, x+2, 800).Intersect(window), 0, rnd)
	}
	return f, func() screen.Damage {
		for y := window.Min.Y; y < window.Max.Y-13; y++ {
			copy(f.Pix[y*f.Stride+800:y*f.Stride+4400], f.Pix[(y+13)*f.Stride+800:])
		}
		for x := window.Min.X; x < window.Max.X; x += 6 {
			scribble(f, image.Rect(x, window.Max.Y-13, x+rnd.IntN(6), window.Max.Y), 0, rnd)
		}
		f.Seq++
		return screen.Damage{window}
	}
}

func TestNoAllocationPerFrame(t *testing.T) {
	f, scroll := desk()
	all := image.Rectangle{Max: f.Size}
	enc, err := NewEncoder(screen.Viewport{Region: all, Grid: image.Pt(320, 192)}, f.Size)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		enc.Encode(f, scroll())
	}
	if n := testing.AllocsPerRun(50, func() { enc.Encode(f, scroll()) }); n > 1 { // the Damage itself
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkScroll(b *testing.B) {
	f, scroll := desk()
	enc, err := NewEncoder(screen.Viewport{Region: image.Rectangle{Max: f.Size}, Grid: image.Pt(320, 192)}, f.Size)
	if err != nil {
		b.Fatal(err)
	}
	d, bytes := scroll(), 0
	for b.Loop() {
		b.StopTimer()
		scroll()
		b.StartTimer()
		msg, _ := enc.Encode(f, d)
		bytes += len(msg)
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "B/frame")
}

func BenchmarkDecode(b *testing.B) {
	f, scroll := desk()
	v := screen.Viewport{Region: image.Rectangle{Max: f.Size}, Grid: image.Pt(320, 192)}
	enc, err := NewEncoder(v, f.Size)
	if err != nil {
		b.Fatal(err)
	}
	dec, err := NewDecoder(v)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		msg, _ := enc.Encode(f, scroll())
		b.StartTimer()
		if _, err := dec.Decode(msg); err != nil {
			b.Fatal(err)
		}
	}
}
