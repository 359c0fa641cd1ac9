package codec

import (
	"errors"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"assist/screen"
)

// seen is what a viewer should see of f when nothing is lost and all is exact.
func seen(v screen.Viewport, f *screen.Frame) []screen.RGB565 {
	g, out := screen.NewGrid(v), make([]screen.RGB565, v.Grid.X*v.Grid.Y)
	for y := range v.Grid.Y {
		g.Row(out[y*v.Grid.X:], f, y, 0, v.Grid.X)
	}
	return out
}

// Whatever is lost, late, confirmed or not: what arrives can be decoded, and when all has settled it is the frame.
func TestSeparatePicturesNeedOnlyWhatWasConfirmed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := image.Pt(rapid.IntRange(8, 90).Draw(t, "w"), rapid.IntRange(8, 40).Draw(t, "h"))
		v := screen.Viewport{Region: image.Rectangle{Max: size}, Grid: image.Pt(max(1, size.X/2), max(1, size.Y/2))}
		f := newFrame(size)
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		enc, err := NewSeparate(v, size)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := NewGather(v)
		if err != nil {
			t.Fatal(err)
		}
		var last *screen.Picture
		deliver := func(msg []byte) {
			p, err := dec.Decode(msg)
			if err != nil {
				t.Fatal(err)
			}
			if p != nil {
				last = p
			}
		}
		var late [][]byte
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			r := drawRect(t, image.Rectangle{Max: size})
			scribble(f, r, rapid.IntRange(0, 2).Draw(t, "style"), rnd)
			f.Seq++
			tune := Tuning{Tolerance: rapid.SampledFrom([]int{0, 8, 24}).Draw(t, "tolerance"), Coarse: rapid.Bool().Draw(t, "coarse"), Limit: rapid.SampledFrom([]int{0, 40, 400}).Draw(t, "limit")}
			if msg, changed := enc.EncodeAs(f, screen.Damage{r}, tune); changed {
				switch msg = slices.Clone(msg); rapid.IntRange(0, 3).Draw(t, "fate") {
				case 0: // lost
				case 1:
					late = append(late, msg)
				default:
					deliver(msg)
				}
			}
			if last != nil && rapid.Bool().Draw(t, "the confirmation arrives") {
				enc.Confirmed(last.Seq)
			}
			if len(late) > 0 && rapid.Bool().Draw(t, "a late one arrives") {
				if p, err := dec.Decode(late[0]); p != nil || err != nil && !errors.Is(err, ErrMalformed) {
					if p != nil {
						last = p
					}
				}
				late = late[1:]
			}
			if enc.Away() > MaxAway {
				t.Fatalf("%d pictures away", enc.Away())
			}
		}
		for i := 0; i == 0 || enc.Pending() || enc.Away() > 0; i++ {
			f.Seq++
			if msg, changed := enc.EncodeAs(f, screen.Damage{{Max: size}}, Tuning{}); changed {
				deliver(msg)
			} else if last == nil || i > 100 {
				t.Fatal("does not settle")
			}
			enc.Confirmed(last.Seq)
			if i > 100 {
				t.Fatal("goes on for ever")
			}
		}
		if !slices.Equal(last.Pix, seen(v, f)) {
			t.Fatal("the picture is another one")
		}
	})
}

func TestSeparateMessagesThatMakeNoSense(t *testing.T) {
	v := screen.Viewport{Region: image.Rect(0, 0, 40, 20), Grid: image.Pt(40, 20)}
	f := newFrame(image.Pt(40, 20))
	f.Seq = 5
	enc, err := NewSeparate(v, f.Size)
	if err != nil {
		t.Fatal(err)
	}
	scribble(f, image.Rectangle{Max: f.Size}, 1, rand.New(rand.NewPCG(1, 2)))
	msg, _ := enc.EncodeAs(f, nil, Tuning{})
	good := slices.Clone(msg)
	for name, bad := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-3], "more": append(slices.Clone(good), 1, 2, 3),
		"number 0": append([]byte{0}, good[1:]...), "from one that is not there": {9, 0, 4, 5, 1, 2, 3}, "from itself": {9, 0, 9, 5},
	} {
		dec, err := NewGather(v)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := dec.Decode(bad); !errors.Is(err, ErrMalformed) || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestTolerancesAreKeptAndMendedLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := image.Pt(64, 32)
		v := screen.Viewport{Region: image.Rectangle{Max: size}, Grid: size}
		f, rnd := newFrame(size), rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		enc, err := NewEncoder(v, size)
		if err != nil {
			t.Fatal(err)
		}
		dec, err := NewDecoder(v)
		if err != nil {
			t.Fatal(err)
		}
		tune := Tuning{Tolerance: rapid.SampledFrom([]int{0, 8, 16, 24}).Draw(t, "tolerance"), Coarse: rapid.Bool().Draw(t, "coarse"), Limit: rapid.SampledFrom([]int{0, 100, 900}).Draw(t, "limit")}
		var got *screen.Picture
		show := func(d screen.Damage, tune Tuning) {
			if msg, changed := enc.EncodeAs(f, d, tune); changed {
				if got, err = dec.Decode(msg); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			r := drawRect(t, image.Rectangle{Max: size})
			scribble(f, r, rapid.IntRange(0, 2).Draw(t, "style"), rnd)
			f.Seq++
			show(screen.Damage{r}, tune)
		}
		for i := 0; enc.Pending(); i++ {
			if show(nil, tune); i > 1000 {
				t.Fatal("what does not fit is never sent")
			}
		}
		off := tune.Tolerance
		if tune.Coarse {
			off += 16
		}
		for i, c := range seen(v, f) {
			if !near(c, got.Pix[i], off) {
				t.Fatalf("pixel %d is %04x, shown as %04x", i, c, got.Pix[i])
			}
		}
		for enc.Refine(); enc.Pending(); {
			show(nil, Tuning{})
		}
		if !slices.Equal(got.Pix, seen(v, f)) || enc.Rough() {
			t.Fatal("not mended")
		}
	})
}

func TestCoarseColoursKeepBlackAndWhite(t *testing.T) {
	for _, c := range []screen.RGB565{0, 0xFFFF} {
		if got := coarse(c); got != c {
			t.Errorf("%04x becomes %04x", c, got)
		}
	}
	distinct := map[screen.RGB565]bool{}
	for c := range 1 << 16 {
		got := coarse(screen.RGB565(c))
		distinct[got] = true
		if coarse(got) != got || !near(got, screen.RGB565(c), 16) {
			t.Fatalf("%04x becomes %04x", c, got)
		}
	}
	if len(distinct) != 1<<12 {
		t.Errorf("%d colours", len(distinct))
	}
}
