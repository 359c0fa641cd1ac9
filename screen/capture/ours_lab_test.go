//go:build lab

package capture

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"os"
	"testing"
	"time"

	"assist/screen"
	"assist/screen/codec"
)

// benchGrid and benchRate are what is compared: a small terminal's whole screen, as often as the design says.
var benchGrid = image.Pt(320, 192)

const benchRate = 15

// TestPipeline is not a test: it is our side of the bench as a process of its own, on the display that BENCH_DISPLAY names.
// For each line on stdin it prints the bytes so far; with BENCH_FRAMES it prints the time of every frame too.
func TestPipeline(t *testing.T) {
	display := os.Getenv("BENCH_DISPLAY")
	if display == "" {
		t.Skip("started by TestBenchLive")
	}
	x, err := Open(display)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _ = x.Run(ctx) }()
	ask := make(chan struct{})
	go func() {
		defer cancel()
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			ask <- struct{}{}
		}
	}()
	if err := pipeline(ctx, x, ask, os.Getenv("BENCH_FRAMES") != ""); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

// pipeline is what the host does for one viewer: the first change at once, then at most benchRate frames a second.
func pipeline(ctx context.Context, x *X11, ask <-chan struct{}, frames bool) error {
	size := x.Display().Size
	enc, err := codec.NewEncoder(screen.Viewport{ID: 1, Region: image.Rectangle{Max: size}, Grid: benchGrid}, size)
	if err != nil {
		return err
	}
	x.Watch(true)
	total, last := 0, time.Time{}
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ask:
			fmt.Println("bytes", total)
			continue
		case <-changed:
		case <-x.Changed():
		}
		time.Sleep(time.Second/benchRate - time.Since(last))
		last = time.Now()
		f, d, err := x.Grab()
		if err != nil {
			return err
		}
		if _, err := x.Pointer(); err != nil {
			return err
		}
		if msg, ok := enc.Encode(f, d); ok {
			total += len(msg)
			if frames {
				fmt.Println("frame", time.Now().UnixNano())
			}
		}
	}
}
