//go:build desktop

package inject

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assist/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desktop is an X server of the test's own with a window manager.
type desktop struct {
	t    testing.TB
	name string // display
}

// newDesktop starts Xvfb on a free display, and openbox in it.
func newDesktop(t testing.TB) *desktop {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	start(t, cmd)
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb said no display number: %v", err)
	}
	r.Close()
	d := &desktop{t: t, name: ":" + strings.TrimSpace(line)}
	d.start("openbox", "--sm-disable")
	d.until("openbox is up", func() bool { return strings.Contains(d.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "0x") })
	return d
}

// start starts a process and ends it, with all that it started, with the test.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}

func (d *desktop) env() []string {
	return append(os.Environ(), "DISPLAY="+d.name, "LC_ALL=C.UTF-8", "XMODIFIERS=")
}

// start starts a program on the display.
func (d *desktop) start(name string, args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.env()
	start(d.t, cmd)
	return cmd
}

// run runs a program on the display and returns what it printed.
func (d *desktop) run(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Env = d.env()
	out, _ := cmd.CombinedOutput()
	return strings.TrimRight(string(out), "\n")
}

// until waits for something that other programs do.
func (d *desktop) until(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	d.t.Fatalf("waited 20 s in vain: %s", what)
}

// layout sets the keyboard layout, as setxkbmap takes it.
func (d *desktop) layout(args ...string) {
	d.t.Helper()
	if out := d.run("setxkbmap", args...); out != "" {
		d.t.Fatalf("setxkbmap %v: %s", args, out)
	}
}

// typist is an xterm whose shell writes each line it reads to a file.
type typist struct {
	d    *desktop
	file string
	seen int // bytes of the file that were compared
}

// terminal opens an xterm in focus; script says what runs in it, %s being the file.
func (d *desktop) terminal(title string, script ...string) *typist {
	d.t.Helper()
	p := &typist{d: d, file: filepath.Join(d.t.TempDir(), "typed")}
	script = append(script, "stty -ixon; exec cat > %s")
	d.start("xterm", "-u8", "-T", title, "-geometry", "100x20+40+60", "-fa", "DejaVu Sans Mono", "-fs", "10", "-e", "sh", "-c", fmt.Sprintf(script[0], p.file))
	d.until("xterm shows", func() bool { return d.run("xdotool", "search", "--onlyvisible", "--name", title) != "" })
	d.until("xterm has the focus", func() bool { return d.run("xdotool", "getwindowfocus", "getwindowname") == title })
	d.until("cat runs", func() bool { _, err := os.Stat(p.file); return err == nil })
	return p
}

// read is what was typed so far.
func (p *typist) read() string {
	b, err := os.ReadFile(p.file)
	if err != nil {
		p.d.t.Fatal(err)
	}
	return string(b)
}

// types types a text and Enter, and compares what arrived since.
func (p *typist) types(t *testing.T, x *X11, text string) {
	t.Helper()
	if err := x.Play(screen.Input{Kind: screen.TypeText, Text: text + "\n"}); err != nil {
		t.Fatal(err)
	}
	p.gets(t, text+"\n")
}

// readLine waits for one line.
func (p *typist) readLine() string {
	p.d.t.Helper()
	p.d.until("a line", func() bool { return strings.Contains(p.read()[p.seen:], "\n") })
	line, _, _ := strings.Cut(p.read()[p.seen:], "\n")
	p.seen += len(line) + 1
	return line + "\n"
}

// gets waits for as many lines as the text has, and compares.
func (p *typist) gets(t *testing.T, text string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = p.read()[p.seen:]; strings.Count(got, "\n") >= strings.Count(text, "\n") {
			break
		}
	}
	p.seen += len(got)
	if got != text {
		t.Errorf("typed\n%q\narrived\n%q", text, got)
	}
}

// open opens the display for input and closes it with the test.
func (d *desktop) open() *X11 {
	d.t.Helper()
	x, err := Open(d.name)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = x.Close() })
	return x
}

// play plays events that must not fail.
func (d *desktop) play(x *X11, evs ...screen.Input) {
	d.t.Helper()
	for _, ev := range evs {
		if err := x.Play(ev); err != nil {
			d.t.Fatalf("%+v: %v", ev, err)
		}
	}
}
