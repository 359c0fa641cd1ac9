//go:build lab

package tui

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"assist/screen"
	"assist/tui/painter"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/sys/unix"
)

// TestBenchProgram is the CPU of the whole console, Bubble Tea included, while the recordings of the folder CORPUS are shown at 10
// pictures a second in 160x45 cells, with the painter and with the picture as text. It fails when the painter takes more than 3 ms
// a picture of scrolling.
func TestBenchProgram(t *testing.T) {
	if os.Getenv("CORPUS") == "" {
		t.Skip("CORPUS names no folder with recordings")
	}
	for _, name := range []string{"typing", "scroll", "video"} {
		pics := recorded(t, filepath.Join(os.Getenv("CORPUS"), name+".mkv"))
		painted, text := program(t, pics, true), program(t, pics, false)
		fmt.Printf("%-8s whole program: painter %.2f ms and %d B a picture, as text %.2f ms and %d B\n", name, painted.ms, painted.bytes, text.ms, text.bytes)
		if name == "scroll" && painted.ms > 3 {
			t.Errorf("scrolling takes %.2f ms a picture", painted.ms)
		}
	}
}

var benchView = screen.Viewport{ID: 1, Region: image.Rect(0, 0, 1920, 1080), Grid: image.Pt(160, 90)}

func recorded(t *testing.T, file string) (out []*screen.Picture) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", file, "-frames:v", "30", "-f", "rawvideo", "-pix_fmt", "bgr0", "-")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	grid := screen.NewGrid(benchView)
	f := &screen.Frame{Size: image.Pt(1920, 1080), Stride: 1920 * 4, Pix: make([]byte, 1920*1080*4)}
	for r := bufio.NewReaderSize(pipe, 1<<20); ; {
		if _, err := io.ReadFull(r, f.Pix); err != nil {
			return out
		}
		p := &screen.Picture{Viewport: benchView, Seq: uint64(len(out) + 1), Pix: make([]screen.RGB565, 160*90)}
		for y := range 90 {
			grid.Row(p.Pix[y*160:(y+1)*160], f, y, 0, 160)
		}
		out = append(out, p)
	}
}

// null is a terminal that takes everything.
type null struct {
	mu    sync.Mutex
	bytes int
}

func (n *null) Read([]byte) (int, error) { select {} }
func (n *null) Close() error             { return nil }
func (n *null) Fd() uintptr              { return ^uintptr(0) }
func (n *null) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bytes += len(b)
	return len(b), nil
}

func (n *null) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.bytes
}

type programCost struct {
	ms    float64
	bytes int
}

func program(t *testing.T, pics []*screen.Picture, paints bool) programCost {
	s := newFake()
	s.pic = pics[0]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	file := &null{}
	opt := Options{ColorProfile: colorprofile.TrueColor, Env: []string{"TERM=xterm-256color"}}
	out := tea.WithOutput(file)
	if paints {
		opt.painter = painter.New(file)
		out = tea.WithOutput(opt.painter)
		go func() { _ = opt.painter.Run(ctx) }()
	}
	p := tea.NewProgram(newModel(ctx, s, opt.filled()), tea.WithoutSignals(), tea.WithoutSignalHandler(), tea.WithInput(nil), out,
		tea.WithWindowSize(160, 47), tea.WithEnvironment(opt.Env), tea.WithColorProfile(colorprofile.TrueColor))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = p.Run()
	}()
	time.Sleep(time.Second)
	const n = 40
	before, bytes := used(t), file.count()
	for i := range n {
		s.change(func() { s.pic = pics[i%len(pics)] })
		time.Sleep(100 * time.Millisecond)
	}
	cost := programCost{(used(t) - before) / n, (file.count() - bytes) / n}
	p.Quit()
	<-done
	return cost
}

func used(t *testing.T) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
