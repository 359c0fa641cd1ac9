//go:build lab

package codec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"assist/screen"
)

// TestCorpus plays the recordings of the folder CORPUS (1920x1080) through average and codec and prints what they cost. It
// fails when a decoder does not see the same picture; how much is too much is the live bench's to say.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	files, err := filepath.Glob(filepath.Join(dir, "*.mkv"))
	if dir == "" || err != nil || len(files) == 0 {
		t.Skip("CORPUS names no folder with recordings")
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer out.Flush()
	fmt.Fprintf(out, "recorded, at\tworkload\tframes\tkeyframe B\tB a frame\tp95 B\tms a frame\t%% of a core at 15/s\t\n")
	for _, grid := range []image.Point{image.Pt(320, 192), image.Pt(160, 96)} {
		for _, file := range files {
			c := play(t, file, grid)
			name := strings.TrimSuffix(filepath.Base(file), ".mkv")
			fmt.Fprintf(out, "%dx%d\t%s\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t\n", grid.X, grid.Y, name, len(c.sizes), c.key, mean(c.sizes), p95(c.sizes), c.ms(), c.ms()*1.5)
		}
	}
}

// cost is what a recording took. The keyframe counts apart.
type cost struct {
	key   int
	sizes []int
	nanos int64
}

func (c cost) ms() float64 { return float64(c.nanos) / 1e6 / float64(max(1, len(c.sizes))) }

func play(t *testing.T, file string, grid image.Point) cost {
	runtime.LockOSThread() // the clock below is the thread's
	defer runtime.UnlockOSThread()
	size := image.Pt(1920, 1080)
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "bgr0", "-")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f, last := newFrame(size), newFrame(size)
	v := screen.Viewport{ID: 1, Region: image.Rectangle{Max: size}, Grid: grid}
	enc, err := NewEncoder(v, size)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder(v)
	if err != nil {
		t.Fatal(err)
	}
	var c cost
	for r := bufio.NewReaderSize(pipe, 1<<20); ; f.Seq++ {
		if _, err := io.ReadFull(r, f.Pix); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		d := differing(f, last)
		before := threadTime(t)
		msg, changed := enc.Encode(f, d)
		spent := threadTime(t) - before
		if changed {
			if err := dec.Apply(msg); err != nil {
				t.Fatal(err)
			}
		}
		if f.Seq == 0 {
			c.key = len(msg)
		} else {
			c.sizes, c.nanos = append(c.sizes, len(msg)), c.nanos+spent
		}
		copy(last.Pix, f.Pix)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(dec.Picture().Pix, reference(v, last)) {
		t.Errorf("%s: the last picture differs", file)
	}
	return c
}

// differing is damage as a server would tell it: tiles of 32x32 pixels that changed.
func differing(f, last *screen.Frame) screen.Damage {
	const tile = 32
	var d screen.Damage
	for y := 0; y < f.Size.Y; y += tile {
		for x := 0; x < f.Size.X; x += tile {
			r := image.Rect(x, y, x+tile, y+tile).Intersect(image.Rectangle{Max: f.Size})
			for row := r.Min.Y; row < r.Max.Y; row++ {
				from, to := row*f.Stride+r.Min.X*4, row*f.Stride+r.Max.X*4
				if !bytes.Equal(f.Pix[from:to], last.Pix[from:to]) {
					d = append(d, r)
					break
				}
			}
		}
	}
	return d
}

func threadTime(t *testing.T) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

func mean(xs []int) int {
	sum := 0
	for _, x := range xs {
		sum += x
	}
	return sum / max(1, len(xs))
}

func p95(xs []int) int {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)*95/100]
}
