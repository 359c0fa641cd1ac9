package inner

import (
	"bufio"
	"bytes"
	"image"
	"io"
	"strings"
	"testing"

	"assist/screen"

	"github.com/google/go-cmp/cmp"
)

func TestScreenStream(t *testing.T) {
	sent := []screen.Message{
		screen.Viewport{ID: 3, Region: image.Rect(10, 20, 110, 220), Grid: image.Pt(50, 100)},
		screen.Shown{Viewport: 3, Seq: 99},
		screen.Display{Size: image.Pt(1920, 1080), Name: ":0"},
		screen.Pointer{At: image.Pt(5, 6), Shape: 2},
	}
	var b []byte
	for _, m := range sent {
		b = AppendScreen(b, m)
	}
	r := bufio.NewReader(bytes.NewReader(b))
	for _, want := range sent {
		got, err := ReadScreen(r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	if _, err := ReadScreen(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestLongestDisplayFits(t *testing.T) {
	d := screen.Display{Size: image.Pt(screen.MaxDisplay, screen.MaxDisplay), Name: strings.Repeat("n", screen.MaxName)}
	for range screen.MaxMonitors {
		d.Monitors = append(d.Monitors, screen.Monitor{Name: d.Name, Bounds: image.Rectangle{Max: d.Size}, Primary: true})
	}
	if _, err := ReadScreen(bufio.NewReader(bytes.NewReader(AppendScreen(nil, d)))); err != nil {
		t.Error(err)
	}
}
