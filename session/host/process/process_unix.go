//go:build unix

package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Process is a running command.
type Process struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	outs     []*os.File // stdout and stderr, or the terminal
	terminal bool
	killed   atomic.Bool
	mu       sync.Mutex
	over     bool // its number may belong to another now
}

// Start starts a command.
func Start(s Spec) (*Process, error) {
	p := &Process{cmd: exec.Command("/bin/sh", "-c", s.Script), terminal: s.Columns > 0}
	p.cmd.Env = append(os.Environ(), s.Env...)
	p.cmd.Dir = s.Folder
	if p.cmd.Dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "/"
		}
		p.cmd.Dir = home
	}
	if p.terminal {
		return p, p.startInTerminal(s)
	}
	return p, p.startWithPipes()
}

func (p *Process) startInTerminal(s Spec) error {
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	f, err := pty.StartWithAttrs(p.cmd, &pty.Winsize{Cols: s.Columns, Rows: s.Rows}, p.cmd.SysProcAttr)
	if err != nil {
		return plain(err)
	}
	p.in, p.outs = terminalInput{f}, []*os.File{f}
	return nil
}

// terminalInput ends as a terminal's input does: by its end-of-file character (VEOF).
type terminalInput struct{ *os.File }

func (t terminalInput) Close() error {
	_, err := t.Write([]byte{4})
	return err
}

func (p *Process) startWithPipes() (err error) {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			for _, f := range p.outs {
				_ = f.Close()
			}
		}
	}()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, in, err := os.Pipe()
	if err != nil {
		return err
	}
	theirs = append(theirs, stdin)
	p.cmd.Stdin, p.in = stdin, in
	for _, to := range []*io.Writer{&p.cmd.Stdout, &p.cmd.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			_ = in.Close()
			return err
		}
		p.outs, theirs, *to = append(p.outs, r), append(theirs, w), w
	}
	if err := p.cmd.Start(); err != nil {
		_ = in.Close()
		return plain(err)
	}
	return nil
}

// plain is an error of starting without the program that it names: it is always the shell.
func plain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// Stdin is what the command reads. Writing waits while it does not.
func (p *Process) Stdin() io.WriteCloser { return p.in }

// Signal sends a signal to the command and all of its group.
func (p *Process) Signal(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		_ = unix.Kill(-p.cmd.Process.Pid, syscall.Signal(n))
	}
}

// Kill ends it with all of its group, whatever they do.
func (p *Process) Kill() {
	p.killed.Store(true)
	p.Signal(int(unix.SIGKILL))
	_ = p.in.Close()
	for _, f := range p.outs {
		_ = f.SetReadDeadline(time.Unix(1, 0))
	}
}

// Resize gives its terminal another size.
func (p *Process) Resize(columns, rows uint16) {
	if p.terminal {
		_ = pty.Setsize(p.outs[0], &pty.Winsize{Cols: columns, Rows: rows}) // it may be over
	}
}

// Wait hands over the output, piece by piece, to out and err (a terminal's all to out) until the command is over and its
// output is, too. A reader that returns an error gets no more. It is called once.
func (p *Process) Wait(out, err func([]byte) error) Result {
	var reading sync.WaitGroup
	for i, f := range p.outs {
		reading.Go(func() { p.read(f, []func([]byte) error{out, err}[i]) })
	}
	exited(p.cmd)
	p.mu.Lock()
	_ = unix.Kill(-p.cmd.Process.Pid, unix.SIGKILL) // what it leaves behind
	p.over = true
	p.mu.Unlock()
	_ = p.cmd.Wait() // the state says more
	for _, f := range p.outs {
		_ = f.SetReadDeadline(time.Now().Add(afterwards))
	}
	reading.Wait()
	_ = p.in.Close()
	for _, f := range p.outs {
		_ = f.Close()
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Result{Signal: int(status.Signal())}
	}
	return Result{Status: p.cmd.ProcessState.ExitCode()}
}

// read reads to the end. What has left the group may hold the pipe for ever: after the end of the command reading goes on only
// while there is something to read.
func (p *Process) read(f *os.File, to func([]byte) error) {
	b := make([]byte, readSize)
	for late := false; ; {
		n, err := f.Read(b)
		if n > 0 && to(b[:n]) != nil {
			to = func([]byte) error { return nil } // nobody reads: the command must not be held up by it
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !late && !p.killed.Load():
			late = true
			_ = f.SetReadDeadline(time.Now().Add(afterwards))
		case err != nil:
			return
		default:
			late = false
		}
	}
}
