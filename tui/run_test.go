package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/creack/pty"
	"go.uber.org/goleak"
)

// terminal is a pseudo-terminal in which a console runs; what it draws is read and kept.
type terminal struct {
	t       *testing.T
	control *os.File
	tty     *os.File
	drawn   chan string
	all     string
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	control, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	if err := pty.Setsize(control, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, control: control, tty: tty, drawn: make(chan string, 1024)}
	go func() {
		defer close(x.drawn)
		buf := make([]byte, 64<<10)
		for {
			n, err := control.Read(buf)
			if err != nil {
				return
			}
			x.drawn <- string(buf[:n])
		}
	}()
	return x
}

// waits until the terminal was sent want.
func (x *terminal) waits(want string) {
	x.t.Helper()
	end := time.After(10 * time.Second)
	for !strings.Contains(x.all, want) {
		select {
		case s := <-x.drawn:
			x.all += s
		case <-end:
			x.t.Fatalf("the terminal was never sent %q, but %q", want, x.all)
		}
	}
}

func (x *terminal) types(s string) {
	if _, err := io.WriteString(x.control, s); err != nil {
		x.t.Fatal(err)
	}
}

// close ends the terminal and returns all that it was sent.
func (x *terminal) close() string {
	x.tty.Close()
	for s := range x.drawn {
		x.all += s
	}
	x.control.Close()
	return x.all
}

func (x *terminal) options() Options {
	return Options{In: x.tty, Out: x.tty, Env: []string{"TERM=xterm-256color"}, ColorProfile: colorprofile.TrueColor}
}

type outcome struct {
	res Result
	err error
}

func (x *terminal) run(ctx context.Context, s Session) chan outcome {
	done := make(chan outcome, 1)
	go func() {
		res, err := Run(ctx, s, x.options())
		done <- outcome{res, err}
	}()
	return done
}

func TestRunLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	x := newTerminal(t)
	s := newFake()
	done := x.run(context.Background(), s)
	x.waits("whole screen")
	x.types("q")
	x.waits("End session")
	x.types("l")
	got := <-done
	all := x.close()
	if got.err != nil || !got.res.Left || got.res.State.Code != "12345678" || s.closed != 1 {
		t.Errorf("result %+v, error %v, closed %d times", got.res, got.err, s.closed)
	}
	for _, back := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l", "\x1b[?1002l"} {
		if !strings.Contains(all, back) {
			t.Errorf("the terminal was never sent %q", back)
		}
	}
}

func TestPicturesAreSynchronizedOverSSH(t *testing.T) {
	x := newTerminal(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	opt := x.options()
	opt.Env = append(opt.Env, "SSH_TTY=/dev/pts/7", "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22")
	go func() {
		_, err := Run(ctx, newFake(), opt)
		done <- err
	}()
	x.waits("\x1b[?2026$p") // it is asked there too
	if strings.Contains(x.all, "\x1b[?2026h") {
		t.Error("pictures are synchronized before the terminal has said that it knows how")
	}
	x.types("\x1b[?2026;2$y?") // and something to draw
	x.waits("\x1b[?2026h")
	cancel()
	<-done
	x.close()
}

func TestRunEndsWithItsContext(t *testing.T) {
	defer goleak.VerifyNone(t)
	x := newTerminal(t)
	s := newFake()
	ctx, cancel := context.WithCancel(context.Background())
	done := x.run(ctx, s)
	x.waits("whole screen")
	cancel()
	got := <-done
	if all := x.close(); !strings.Contains(all, "\x1b[?1049l") {
		t.Error("the alternate screen was not left")
	}
	if !errors.Is(got.err, context.Canceled) || s.closed != 1 || got.res.Left {
		t.Errorf("result %+v, error %v, closed %d times", got.res, got.err, s.closed)
	}
}

func TestRunNeedsATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	_, err = Run(context.Background(), newFake(), Options{In: r, Out: w})
	var none *NoTerminalError
	if !errors.As(err, &none) || err.Error() != "standard input is not a terminal" {
		t.Errorf("error %v", err)
	}
}

func TestWhichTerminalsAreAsked(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want bool
	}{
		{[]string{"TERM=xterm"}, true},
		{[]string{"SSH_CONNECTION=1 2 3 4", "TMUX=/tmp/x"}, true},
		{[]string{"SSH_TTY=/dev/pts/1", "STY=1.pts"}, false},
	} {
		if got := answers(c.env); got != c.want {
			t.Errorf("%v: %v", c.env, got)
		}
	}
	family := map[int]struct {
		name   string
		parent int
	}{10: {"assist", 9}, 9: {"bash", 8}, 8: {"mosh-server", 1}, 20: {"assist", 19}, 19: {"sshd", 1}}
	stat := func(pid int) (string, int, bool) { p, ok := family[pid]; return p.name, p.parent, ok }
	if !underMosh(10, stat) || underMosh(20, stat) {
		t.Errorf("under mosh: %v, under sshd: %v", underMosh(10, stat), underMosh(20, stat))
	}
	if name, parent, ok := readProc(os.Getpid()); ok && (name == "" || parent != os.Getppid()) {
		t.Errorf("this process is %q, child of %d", name, parent)
	}
}

func TestProfileFromTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want colorprofile.Profile
	}{
		{[]string{"NO_COLOR=yes", "COLORTERM=truecolor"}, colorprofile.ASCII},
		{[]string{"NO_COLOR="}, colorprofile.Unknown},
		{[]string{"TERM=xterm", "XTERM_VERSION=XTerm(379)"}, colorprofile.TrueColor},
		{[]string{"TERM=xterm", "XTERM_VERSION=XTerm(330)"}, colorprofile.Unknown},
		{[]string{"TERM=xterm", "XTERM_VERSION=XTerm(379)", "TMUX=x"}, colorprofile.Unknown},
		{[]string{"TERM=screen", "STY=1.pts-0"}, colorprofile.ANSI},
		{[]string{"TERM=screen-256color", "STY=1.pts-0"}, colorprofile.Unknown},
		{[]string{"TERM=tmux-256color", "STY=1.pts-0", "TMUX=x"}, colorprofile.Unknown},
		{[]string{"TERM=linux", "XTERM_VERSION=XTerm(379)"}, colorprofile.Unknown},
	} {
		if got := profile(c.env); got != c.want {
			t.Errorf("%v: %v, want %v", c.env, got, c.want)
		}
	}
}
