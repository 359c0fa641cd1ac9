//go:build lab

package raster

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"assist/screen"
)

// TestBenchRaster plays the recordings of the folder CORPUS (1920x1080) at 160x45 cells through every mode, and the same frames,
// already scaled, through the programs that draw pictures in terminals. All in one run: ratios count. It fails when exact
// half-blocks take more bytes than timg's, or a frame of 160x48 cells of which every pixel changes takes more than a
// millisecond.
func TestBenchRaster(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(os.Getenv("CORPUS"), "*.mkv"))
	if os.Getenv("CORPUS") == "" || len(files) == 0 {
		t.Skip("CORPUS names no folder with recordings")
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "workload, 160x45 cells\twhat\tB a frame\tCPU ms a frame\t\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".mkv")
		frames := decode(t, file)
		ours := 0
		for _, w := range ways {
			c := w.play(t, frames)
			fmt.Fprintf(out, "%s\t%s\t%d\t%.2f\t\n", name, w.name, c.bytes/len(frames), c.ms/float64(len(frames)))
			if w.exact {
				ours = max(ours, c.bytes)
			}
		}
		for _, peer := range peers {
			c, why := peer.play(t, frames)
			if why != "" {
				fmt.Fprintf(out, "%s\t%s\t%s\t\t\n", name, peer.name, why)
				continue
			}
			fmt.Fprintf(out, "%s\t%s\t%d\t%.2f\t\n", name, peer.name, c.bytes/len(frames), c.ms/float64(len(frames)))
			if peer.name == "timg -ph" && ours > c.bytes {
				t.Errorf("%s: exact half-blocks took %d bytes, timg's %d", name, ours, c.bytes)
			}
		}
	}
	out.Flush()
	if ms := wholeFrame(t); ms > 1 {
		t.Errorf("a whole frame of 160x48 cells took %.2f ms", ms)
	}
}

// wholeFrame is the CPU of a frame of noise: no cell stays, none are alike.
func wholeFrame(t *testing.T) float64 {
	grid := image.Pt(160, 96)
	p := [2]*screen.Picture{noisy(grid, 1), noisy(grid, 2)}
	var f Fitter
	e := encoder(Half, TrueColor, image.Pt(160, 48))
	buf := make([]byte, 0, 1<<20)
	const n = 400
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cpu(t, unix.RUSAGE_THREAD)
	for i := range n {
		cells, _ := f.Fit(p[i%2], Half, TrueColor)
		e.Append(buf, cells, 0)
	}
	ms := (cpu(t, unix.RUSAGE_THREAD) - before) / n
	fmt.Printf("a frame of 160x48 cells of noise: %.2f ms\n", ms)
	return ms
}

// frame is one picture at half-block size, in both depths, and as display.
type frame struct {
	display *screen.Frame
	small   []byte // 160x90, R, G, B: as others get it
}

var cells45 = image.Pt(160, 45)

func decode(t *testing.T, file string) (out []frame) {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", file, "-frames:v", "40", "-f", "rawvideo", "-pix_fmt", "bgr0", "-")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	for {
		f := &screen.Frame{Size: image.Pt(1920, 1080), Stride: 1920 * 4, Pix: make([]byte, 1920*1080*4)}
		if _, err := io.ReadFull(pipe, f.Pix); err != nil {
			return out
		}
		out = append(out, frame{f, average(f, image.Pt(160, 90))})
	}
}

// average is f at another size, in eight bits a channel. The sizes divide.
func average(f *screen.Frame, size image.Point) []byte {
	w, h := f.Size.X/size.X, f.Size.Y/size.Y
	out := make([]byte, 0, size.X*size.Y*3)
	for y := range size.Y {
		for x := range size.X {
			var sum [3]int
			for dy := range h {
				line := f.Pix[(y*h+dy)*f.Stride+x*w*4:]
				for dx := range w {
					for c := range 3 {
						sum[c] += int(line[dx*4+2-c])
					}
				}
			}
			for c := range 3 {
				out = append(out, byte((sum[c]+w*h/2)/(w*h)))
			}
		}
	}
	return out
}

// way is one of ours.
type way struct {
	name      string
	mode      Mode
	depth     Depth
	tolerance int
	deep      bool // eight bits a channel, which the host does not send: as exact as timg
	exact     bool
}

var ways = []way{
	{name: "half, exact 24 bit", deep: true, exact: true},
	{name: "half", exact: true},
	{name: "half, tolerance 6", tolerance: 6},
	{name: "half, 256 colours", depth: Colors256},
	{name: "half, 16 colours", depth: Colors16},
	{name: "quadrant", mode: Quadrant},
	{name: "sextant", mode: Sextant},
	{name: "octant", mode: Octant},
	{name: "octant, tolerance 6", mode: Octant, tolerance: 6},
}

type spent struct {
	bytes int
	ms    float64
}

func (w way) play(t *testing.T, frames []frame) (c spent) {
	g := w.mode.Grain()
	v := screen.Viewport{Region: image.Rect(0, 0, 1920, 1080), Grid: image.Pt(cells45.X*g.X, cells45.Y*g.Y)}
	grid := screen.NewGrid(v)
	e := &Encoder{}
	e.Reset(cells45, image.Point{}, w.mode, w.depth)
	free(e)
	e.Tolerance = w.tolerance
	var f Fitter
	buf := make([]byte, 0, 4<<20)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, fr := range frames {
		p := &screen.Picture{Viewport: v, Pix: make([]screen.RGB565, v.Grid.X*v.Grid.Y)}
		for y := range v.Grid.Y {
			grid.Row(p.Pix[y*v.Grid.X:(y+1)*v.Grid.X], fr.display, y, 0, v.Grid.X)
		}
		var deep []Cell
		if w.deep {
			deep = halves24(fr.small)
		}
		before := cpu(t, unix.RUSAGE_THREAD)
		cells := deep
		if !w.deep {
			cells, _ = f.Fit(p, w.mode, w.depth)
		}
		b, _ := e.Append(buf, cells, 0)
		c.ms += cpu(t, unix.RUSAGE_THREAD) - before
		c.bytes += len(b)
	}
	return c
}

func halves24(pix []byte) (out []Cell) {
	at := func(x, y int) Colour {
		p := pix[(y*cells45.X+x)*3:]
		return Colour(p[0])<<16 | Colour(p[1])<<8 | Colour(p[2])
	}
	for y := range cells45.Y {
		for x := range cells45.X {
			c := Cell{at(x, 2*y), at(x, 2*y+1), 1}
			if c.FG == c.BG {
				c = solid(c.BG)
			}
			out = append(out, c)
		}
	}
	return out
}

// peer is another program that draws in terminals. It gets the frames scaled already, without loss.
type peer struct {
	name string
	args []string // %s is the video
	each bool     // one picture at a time
}

var peers = []peer{
	{name: "timg -ph", args: []string{"timg", "-g160x48", "-ph", "--loops=1", "-V", "%s"}},
	{name: "timg -pq", args: []string{"timg", "-g160x48", "-pq", "--loops=1", "-V", "%s"}},
	{name: "mpv tct", args: []string{"mpv", "--no-config", "--no-audio", "--really-quiet", "--vo=tct", "--vo-tct-algo=half-blocks", "--vo-tct-width=160", "--vo-tct-height=45", "--untimed", "--no-input-terminal", "%s"}},
	{name: "chafa half", args: []string{"chafa", "--size", "160x45", "--symbols", "half", "--colors", "full", "%s"}, each: true},
	{name: "chafa sextant", args: []string{"chafa", "--size", "160x45", "--symbols", "sextant", "--colors", "full", "%s"}, each: true},
}

func (p peer) play(t *testing.T, frames []frame) (c spent, why string) {
	if _, err := exec.LookPath(p.args[0]); err != nil {
		return c, "not installed"
	}
	dir := t.TempDir()
	var raw bytes.Buffer
	for _, f := range frames {
		raw.Write(f.small)
	}
	name, format := filepath.Join(dir, "v.mkv"), []string{"-c:v", "ffv1", "-pix_fmt", "bgr0"}
	if p.each {
		name, format = filepath.Join(dir, "%03d.png"), nil
	}
	args := append([]string{"-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "160x90", "-r", "10", "-i", "-"}, format...)
	make := exec.Command("ffmpeg", append(args, name)...)
	make.Stdin = &raw
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names := []string{name}
	if p.each {
		names, _ = filepath.Glob(filepath.Join(dir, "*.png"))
	}
	for _, n := range names {
		b, ms := p.run(t, n)
		c.bytes, c.ms = c.bytes+b, c.ms+ms
	}
	return c, ""
}

func (p peer) run(t *testing.T, file string) (n int, ms float64) {
	args := append([]string(nil), p.args[1:]...)
	args[len(args)-1] = file
	cmd := exec.Command(p.args[0], args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor")
	out, err := cmd.Output()
	if err != nil {
		t.Logf("%s: %v", p.name, err)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return len(out), float64(time.Duration(u.Utime.Nano()+u.Stime.Nano())) / 1e6
}

// cpu is the milliseconds of CPU so far.
func cpu(t *testing.T, who int) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
