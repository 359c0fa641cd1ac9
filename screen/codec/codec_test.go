package codec

import (
	"errors"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"assist/screen"
)

func newFrame(size image.Point) *screen.Frame {
	return &screen.Frame{Size: size, Stride: size.X * 4, Pix: make([]byte, size.X*size.Y*4), Time: time.UnixMicro(1_700_000_000_000_000)}
}

// scribble draws in r: one colour, noise, or a pattern that alternates from pixel to pixel.
func scribble(f *screen.Frame, r image.Rectangle, style int, rnd *rand.Rand) {
	colour := rnd.Uint32()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := colour
			switch style {
			case 1:
				c = rnd.Uint32()
			case 2:
				c = uint32(x&1) * colour
			}
			p := f.Pix[y*f.Stride+x*4:]
			p[0], p[1], p[2], p[3] = byte(c), byte(c>>8), byte(c>>16), byte(c>>24)
		}
	}
}

// reference is what a viewer of v should see of f.
func reference(v screen.Viewport, f *screen.Frame) []screen.RGB565 {
	g := screen.NewGrid(v)
	pix := make([]screen.RGB565, v.Grid.X*v.Grid.Y)
	for y := range v.Grid.Y {
		g.Row(pix[y*v.Grid.X:(y+1)*v.Grid.X], f, y, 0, v.Grid.X)
	}
	return pix
}

func drawRect(t *rapid.T, in image.Rectangle) image.Rectangle {
	x := rapid.IntRange(in.Min.X, in.Max.X-1).Draw(t, "x")
	y := rapid.IntRange(in.Min.Y, in.Max.Y-1).Draw(t, "y")
	return image.Rect(x, y, rapid.IntRange(x+1, in.Max.X).Draw(t, "to x"), rapid.IntRange(y+1, in.Max.Y).Draw(t, "to y"))
}

func TestDecoderSeesWhatTheEncoderSaw(t *testing.T) {
	size := image.Pt(300, 200)
	enc, err := NewEncoder(screen.Viewport{Region: image.Rectangle{Max: size}, Grid: image.Pt(1, 1)}, size)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := newFrame(size)
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		v := screen.Viewport{ID: 3, Region: drawRect(t, image.Rectangle{Max: size}), Grid: image.Pt(rapid.IntRange(1, 200).Draw(t, "w"), rapid.IntRange(1, 100).Draw(t, "h"))}
		if err := enc.Reset(v, size); err != nil {
			t.Fatal(err)
		}
		dec, err := NewDecoder(v)
		if err != nil {
			t.Fatal(err)
		}
		for step := range rapid.IntRange(1, 20).Draw(t, "steps") {
			f.Seq = uint64(step + 1)
			f.Time = f.Time.Add(66 * time.Millisecond)
			var d screen.Damage
			for range rapid.IntRange(0, 4).Draw(t, "damage") {
				r := drawRect(t, image.Rectangle{Max: size})
				scribble(f, r, rapid.IntRange(0, 2).Draw(t, "style"), rnd)
				d = append(d, r)
			}
			if step > 0 && rapid.IntRange(0, 3).Draw(t, "viewer is slow") == 0 {
				enc.Mark(d)
				continue
			}
			msg, changed := enc.Encode(f, d)
			if !changed {
				if step == 0 || !slices.Equal(dec.canvas, reference(v, f)) {
					t.Fatalf("step %d: no message, but the picture differs", step)
				}
				continue
			}
			pic, err := dec.Decode(msg)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(pic.Pix, reference(v, f)) {
				t.Fatalf("step %d: the picture differs", step)
			}
			if pic.Seq != f.Seq || !pic.Captured.Equal(f.Time) || pic.Viewport != v {
				t.Fatalf("step %d: %d of %v, viewport %+v", step, pic.Seq, pic.Captured, pic.Viewport)
			}
			if enc.Pending() {
				t.Fatal("something is left of a small picture")
			}
		}
	})
}

func TestUpdateLimitHoldsForTheWorstPicture(t *testing.T) {
	size := image.Pt(2000, 300)
	f := newFrame(size)
	v := screen.Viewport{Region: image.Rectangle{Max: size}, Grid: size}
	enc, err := NewEncoder(v, size)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder(v)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	all := image.Rectangle{Max: size}
	for _, style := range []int{0, 2, 1, 2, 1, 1} {
		scribble(f, all, style, rnd)
		msg, changed := enc.Encode(f, screen.Damage{all})
		if !changed || enc.Pending() {
			t.Fatalf("style %d: changed %v, pending %v", style, changed, enc.Pending())
		}
		if n := 1 + enc.spans.size(); n > updateLimit(size.X*size.Y) {
			t.Fatalf("update of %d bytes, limit %d", n, updateLimit(size.X*size.Y))
		}
		if _, err := dec.Decode(msg); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLargestPictureTravelsInParts(t *testing.T) {
	size := image.Pt(2048, 1024)
	f := newFrame(size)
	all := image.Rectangle{Max: size}
	scribble(f, all, 1, rand.New(rand.NewPCG(1, 2)))
	v := screen.Viewport{Region: all, Grid: size}
	enc, err := NewEncoder(v, size)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder(v)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		msg, changed := enc.Encode(f, nil)
		if !changed || len(msg) > MaxMessage {
			t.Fatalf("message %d: changed %v, %d bytes", n, changed, len(msg))
		}
		if err := dec.Apply(msg); err != nil {
			t.Fatal(err)
		}
		if !enc.Pending() {
			break
		}
		if n > 2 {
			t.Fatal("it does not come to an end")
		}
	}
	if !slices.Equal(dec.Picture().Pix, reference(v, f)) {
		t.Error("the picture differs")
	}
}

func TestAMessageBeginsWhereItIsToldTo(t *testing.T) {
	size := image.Pt(64, 64)
	f := newFrame(size)
	scribble(f, image.Rectangle{Max: size}, 1, rand.New(rand.NewPCG(1, 2)))
	v := screen.Viewport{Region: image.Rectangle{Max: size}, Grid: size}
	enc, err := NewEncoder(v, size)
	if err != nil {
		t.Fatal(err)
	}
	dec := must2(t)(NewDecoder(v))
	want := reference(v, f)
	enc.From(40)
	part := must(t)(dec.Decode(first(t)(enc.EncodeAs(f, nil, Tuning{Limit: 500}))))
	if part.Pix[39*64] == want[39*64] || !slices.Equal(part.Pix[40*64:41*64], want[40*64:41*64]) {
		t.Error("it begins elsewhere")
	}
	whole := part
	for enc.Pending() {
		whole = must(t)(dec.Decode(first(t)(enc.EncodeAs(f, nil, Tuning{}))))
	}
	if !slices.Equal(whole.Pix, want) {
		t.Error("something is missing")
	}
}

func must2(t testing.TB) func(*Decoder, error) *Decoder {
	return func(d *Decoder, err error) *Decoder {
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
}

func first(t testing.TB) func([]byte, bool) []byte {
	return func(msg []byte, changed bool) []byte {
		if !changed {
			t.Fatal("no message")
		}
		return msg
	}
}

func TestPictureDoesNotChangeAfterwards(t *testing.T) {
	enc, dec, f := pair(t)
	first := must(t)(dec.Decode(encode(t, enc, f)))
	before := slices.Clone(first.Pix)
	scribble(f, image.Rectangle{Max: f.Size}, 1, rand.New(rand.NewPCG(5, 5)))
	must(t)(dec.Decode(encode(t, enc, f)))
	if !slices.Equal(first.Pix, before) {
		t.Error("an older picture changed")
	}
}

func TestSmallerDisplayGivesNoMessage(t *testing.T) {
	enc, dec, f := pair(t)
	must(t)(dec.Decode(encode(t, enc, f)))
	small := newFrame(image.Pt(10, 10))
	if _, changed := enc.Encode(small, screen.Damage{image.Rect(0, 0, 10, 10)}); changed || !enc.Pending() {
		t.Errorf("changed %v, pending %v", changed, enc.Pending())
	}
}

func TestViewportsRefused(t *testing.T) {
	for _, v := range []screen.Viewport{
		{Region: image.Rect(0, 0, 100, 100), Grid: image.Pt(0, 5)},
		{Region: image.Rect(0, 0, 100, 100), Grid: image.Pt(screen.MaxGrid+1, 5)},
		{Region: image.Rect(0, 0, 100, 100), Grid: image.Pt(screen.MaxGrid, screen.MaxGrid)},
		{Grid: image.Pt(5, 5)},
	} {
		if _, err := NewEncoder(v, image.Pt(200, 200)); err == nil {
			t.Errorf("encoder takes %+v", v)
		}
		if _, err := NewDecoder(v); err == nil {
			t.Errorf("decoder takes %+v", v)
		}
	}
	if _, err := NewEncoder(screen.Viewport{Region: image.Rect(0, 0, 100, 101), Grid: image.Pt(5, 5)}, image.Pt(100, 100)); err == nil {
		t.Error("encoder takes a region that is not on the display")
	}
}

func TestErrorStays(t *testing.T) {
	enc, dec, f := pair(t)
	good := slices.Clone(encode(t, enc, f))
	if _, err := dec.Decode(good[:len(good)-1]); !errors.Is(err, ErrMalformed) {
		t.Fatalf("a message cut short: %v", err)
	}
	if _, err := dec.Decode(good); !errors.Is(err, ErrMalformed) {
		t.Fatalf("after a mistake: %v", err)
	}
	if err := dec.Reset(dec.view); err != nil {
		t.Fatal(err)
	}
	must(t)(dec.Decode(good))
}

func pair(t testing.TB) (*Encoder, *Decoder, *screen.Frame) {
	f := newFrame(image.Pt(64, 48))
	scribble(f, image.Rect(3, 3, 40, 40), 1, rand.New(rand.NewPCG(3, 4)))
	v := screen.Viewport{ID: 1, Region: image.Rectangle{Max: f.Size}, Grid: image.Pt(32, 24)}
	enc, err := NewEncoder(v, f.Size)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder(v)
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec, f
}

func encode(t testing.TB, e *Encoder, f *screen.Frame) []byte {
	msg, changed := e.Encode(f, screen.Damage{image.Rectangle{Max: f.Size}})
	if !changed {
		t.Fatal("no message")
	}
	return msg
}

func must(t testing.TB) func(*screen.Picture, error) *screen.Picture {
	return func(p *screen.Picture, err error) *screen.Picture {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}
