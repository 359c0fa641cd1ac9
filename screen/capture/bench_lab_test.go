//go:build lab

package capture

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// Each phase lasts this long, and each is measured this often; the medians count.
const (
	benchPhase  = 8 * time.Second
	benchRounds = 3
)

// The limits, in percent of a core.
const (
	maxWork = 2.0
	maxIdle = 0.2
	maxKey  = 10 * time.Millisecond // from key press to encoded frame, p95
)

// phases are what happens on the desktop, as shell commands that end by themselves or are ended.
var phases = []struct{ name, script string }{
	{"typing", `xdotool search --name typing windowactivate --sync; while :; do xdotool type --delay 90 'the quick brown fox jumps over the lazy dog '; done`},
	{"scrolling", `xterm -T scrolling -geometry 150x50+300+20 -e sh -c 'while :; do ls -l --color /usr/bin /usr/lib; done | while read l; do echo "$l"; sleep 0.033; done'`},
	{"window drag", `xdotool search --name typing windowmove 200 200; sleep 0.3; xdotool mousemove 500 450 keydown alt mousedown 1; while :; do for x in $(seq 500 12 1100) $(seq 1100 -12 500); do xdotool mousemove $x 450; sleep 0.03; done; done`},
	{"idle", `sleep 60`},
}

// meter is one of the processes that are compared.
type meter struct {
	name  string
	pid   int
	bytes func() int64
	cpu   [][]float64 // a phase, a round: percent of a core
	sent  [][]float64 // bytes a second
}

// TestBenchLive puts our pipeline beside x11vnc on one live desktop, at the same size and rate, and prints what each takes.
func TestBenchLive(t *testing.T) {
	for _, program := range []string{"Xvfb", "openbox", "xterm", "xdotool", "x11vnc", "xsetroot"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	display := startX(t, "1920x1080x24")
	start(t, display, "openbox", "--sm-disable")
	time.Sleep(time.Second)
	sh(t, display, "xsetroot -mod 7 11 -fg '#446688' -bg '#335577'")
	start(t, display, "xterm", "-bc", "-T", "typing", "-geometry", "110x40+200+200")
	time.Sleep(2 * time.Second)
	meters := []*meter{ours(t, display), vnc(t, display, "x11vnc ZRLE", rfbZRLE), vnc(t, display, "x11vnc Tight", rfbTight)}
	time.Sleep(3 * time.Second)
	for round := range benchRounds {
		for p, phase := range phases {
			measure(t, display, phase.script, meters, p)
			t.Logf("round %d: %s", round+1, phase.name)
		}
	}
	report(t, meters)
}

func measure(t *testing.T, display, script string, meters []*meter, phase int) {
	drive := start(t, display, "sh", "-c", script)
	time.Sleep(1500 * time.Millisecond) // windows open
	cpu, sent := make([]time.Duration, len(meters)), make([]int64, len(meters))
	began := time.Now()
	for i, m := range meters {
		cpu[i], sent[i] = spent(t, m.pid), m.bytes()
	}
	time.Sleep(benchPhase)
	took := time.Since(began)
	for i, m := range meters {
		for len(m.cpu) <= phase {
			m.cpu, m.sent = append(m.cpu, nil), append(m.sent, nil)
		}
		m.cpu[phase] = append(m.cpu[phase], 100*float64(spent(t, m.pid)-cpu[i])/float64(took))
		m.sent[phase] = append(m.sent[phase], float64(m.bytes()-sent[i])/took.Seconds())
	}
	stop(drive)
	sh(t, display, "xdotool mouseup 1 keyup alt mousemove 1500 1000")
	time.Sleep(time.Second)
}

// report prints the medians and says where ours is not good enough.
func report(t *testing.T, meters []*meter) {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "live 1920x1080 at %dx%d, %d/s", benchGrid.X, benchGrid.Y, benchRate)
	for _, m := range meters {
		fmt.Fprintf(out, "\t%s: %% of a core\tB/s", m.name)
	}
	fmt.Fprintln(out, "\tx11vnc/ours: CPU\tbytes\t")
	work := make([]struct{ cpu, sent float64 }, len(meters))
	for p, phase := range phases {
		fmt.Fprint(out, phase.name)
		for i, m := range meters {
			cpu, sent := median(m.cpu[p]), median(m.sent[p])
			fmt.Fprintf(out, "\t%.2f\t%.0f", cpu, sent)
			if phase.name != "idle" {
				work[i].cpu += cpu / float64(len(phases)-1)
				work[i].sent += sent / float64(len(phases)-1)
			}
		}
		cpu, sent := best(meters, func(m *meter) float64 { return median(m.cpu[p]) }), best(meters, func(m *meter) float64 { return median(m.sent[p]) })
		fmt.Fprintf(out, "\t%.1f\t%.1f\t\n", cpu, sent)
		if ours := median(meters[0].cpu[p]); phase.name == "idle" && ours > maxIdle {
			t.Errorf("idle: %.2f %% of a core, at most %.1f", ours, maxIdle)
		}
	}
	fmt.Fprint(out, "work, mean")
	for i := range meters {
		fmt.Fprintf(out, "\t%.2f\t%.0f", work[i].cpu, work[i].sent)
	}
	fmt.Fprintf(out, "\t%.1f\t%.1f\t\n", min(work[1].cpu, work[2].cpu)/work[0].cpu, min(work[1].sent, work[2].sent)/work[0].sent)
	out.Flush()
	if work[0].cpu > maxWork {
		t.Errorf("work: %.2f %% of a core, at most %.1f", work[0].cpu, maxWork)
	}
	if work[0].cpu >= min(work[1].cpu, work[2].cpu) || work[0].sent >= min(work[1].sent, work[2].sent) {
		t.Error("work: x11vnc takes less")
	}
}

// best is how many times ours the better of the others takes.
func best(meters []*meter, of func(*meter) float64) float64 {
	return min(of(meters[1]), of(meters[2])) / max(of(meters[0]), 1e-9)
}

func ours(t *testing.T, display string) *meter {
	cmd, in, out := pipelineProcess(t, display, false)
	return &meter{name: "ours", pid: cmd.Process.Pid, bytes: func() int64 {
		if _, err := io.WriteString(in, "\n"); err != nil {
			t.Fatal(err)
		}
		for out.Scan() {
			if n, ok := strings.CutPrefix(out.Text(), "bytes "); ok {
				v, _ := strconv.ParseInt(n, 10, 64)
				return v
			}
		}
		t.Fatal("our pipeline is gone")
		return 0
	}}
}

func pipelineProcess(t *testing.T, display string, frames bool) (*exec.Cmd, io.Writer, *bufio.Scanner) {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestPipeline$", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), "BENCH_DISPLAY="+display)
	if frames {
		cmd.Env = append(cmd.Env, "BENCH_FRAMES=1")
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
	return cmd, in, bufio.NewScanner(out)
}

// vnc starts x11vnc as it comes, told only to leave the pointer out, and pulls from it.
func vnc(t *testing.T, display, name string, encoding int32) *meter {
	cmd := exec.Command("x11vnc", "-display", display, "-scale", fmt.Sprintf("%dx%d", benchGrid.X, benchGrid.Y), "-localhost", "-autoport", "5950",
		"-nopw", "-forever", "-shared", "-noipv6", "-q", "-nocursor")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
	port := ""
	for lines := bufio.NewScanner(out); port == "" && lines.Scan(); {
		port, _ = strings.CutPrefix(lines.Text(), "PORT=")
	}
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	var bytes atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := pull(conn, encoding, benchRate, &bytes); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: %v", name, err)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-ended })
	return &meter{name: name, pid: cmd.Process.Pid, bytes: bytes.Load}
}

// TestBenchKeys measures from a key press (XTEST) to the frame that shows it, with a terminal between.
func TestBenchKeys(t *testing.T) {
	display := startX(t, "1920x1080x24")
	start(t, display, "openbox", "--sm-disable")
	start(t, display, "xterm", "-T", "keys", "-geometry", "100x30+100+100", "-e", "cat")
	sh(t, display, "sleep 2; xdotool search --sync --name keys windowactivate --sync; sleep 1")
	_, _, out := pipelineProcess(t, display, true)
	frames := make(chan time.Time, 100)
	go func() {
		defer close(frames)
		for out.Scan() {
			if s, ok := strings.CutPrefix(out.Text(), "frame "); ok {
				ns, _ := strconv.ParseInt(s, 10, 64)
				frames <- time.Unix(0, ns)
			}
		}
	}()
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := xtest.Init(conn); err != nil {
		t.Fatal(err)
	}
	var p50, p95 []float64
	for range benchRounds {
		took := presses(t, conn, frames)
		p50, p95 = append(p50, took[len(took)/2]), append(p95, took[len(took)*95/100])
	}
	fmt.Printf("key press to encoded frame, %d times %d: p50 %.1f ms, p95 %.1f ms (medians; p95 of each %.1f)\n", benchRounds, pressesARound, median(p50), median(p95), p95)
	if median(p95) > float64(maxKey.Milliseconds()) {
		t.Errorf("p95 is above %v", maxKey)
	}
}

const pressesARound = 100

// presses gives the milliseconds that each press took, sorted.
func presses(t *testing.T, conn *xgb.Conn, frames <-chan time.Time) []float64 {
	var took []float64
	for range pressesARound {
		time.Sleep(time.Duration(150+rand.IntN(60)) * time.Millisecond)
		for len(frames) > 0 {
			<-frames
		}
		pressed := time.Now()
		const a = 38 // the key A of a PC keyboard, in X11's numbers
		xtest.FakeInput(conn, xproto.KeyPress, a, 0, 0, 0, 0, 0)
		xtest.FakeInput(conn, xproto.KeyRelease, a, 0, 0, 0, 0, 0)
		select {
		case at := <-frames:
			took = append(took, at.Sub(pressed).Seconds()*1e3)
		case <-time.After(2 * time.Second):
			t.Fatal("a key press was never seen")
		}
	}
	slices.Sort(took)
	return took
}

// start starts a program on a display in a process group of its own, for stop.
func start(t *testing.T, display string, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	cmd.SysProcAttr = ownGroup
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(cmd) })
	return cmd
}

// spent is the CPU time of all threads of a process, in the scheduler's own nanoseconds.
func spent(t *testing.T, pid int) time.Duration {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("process %d is gone", pid)
	}
	var sum int64
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		ns, _, _ := strings.Cut(string(b), " ")
		v, _ := strconv.ParseInt(ns, 10, 64)
		sum += v
	}
	return time.Duration(sum)
}

func median(xs []float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)/2]
}
