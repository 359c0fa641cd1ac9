//go:build lab && linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// proc is a child process and what it said.
type proc struct {
	ctx   context.Context // of the lab
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}

	mu   sync.Mutex
	said []event
	more chan struct{} // closed and renewed with each event
}

// inside is a command in a namespace; an empty one is this.
func inside(ns string, args ...string) *exec.Cmd {
	if ns != "" {
		args = append([]string{"ip", "netns", "exec", ns}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}

// start runs this program in another role.
func (l *lab) start(ns, role string, args ...string) (*proc, error) {
	return l.launch(inside(ns, append([]string{l.self, "-role", role}, args...)...), role)
}

func (l *lab) launch(cmd *exec.Cmd, name string) (*proc, error) {
	p := &proc{ctx: l.ctx, cmd: cmd, ended: make(chan struct{}), more: make(chan struct{})}
	log, err := os.OpenFile(filepath.Join(l.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		defer log.Close()
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				p.hear(e)
			}
		}
		_ = cmd.Wait()
	}()
	return p, nil
}

func (p *proc) hear(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, e)
	close(p.more)
	p.more = make(chan struct{})
}

// tell writes a line to it.
func (p *proc) tell(format string, args ...any) { fmt.Fprintf(p.in, format+"\n", args...) }

// all is what it has said since from.
func (p *proc) all(from time.Time) (out []event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.said {
		if e.At >= from.UnixNano() {
			out = append(out, e)
		}
	}
	return out
}

// wait waits for an event since from that ok wants.
func (p *proc) wait(what string, from time.Time, limit time.Duration, ok func(event) bool) (event, error) {
	late := time.After(limit)
	for {
		p.mu.Lock()
		more := p.more
		p.mu.Unlock()
		for _, e := range p.all(from) {
			if ok(e) {
				return e, nil
			}
		}
		select {
		case <-more:
		case <-p.ended:
			return event{}, fmt.Errorf("%s: the process has ended", what)
		case <-p.ctx.Done():
			return event{}, context.Cause(p.ctx)
		case <-late:
			return event{}, fmt.Errorf("%s: not within %v", what, limit)
		}
	}
}

// stop ends it by closing its stdin, and then by force.
func (p *proc) stop() {
	if p == nil {
		return
	}
	_ = p.in.Close()
	select {
	case <-p.ended:
	case <-time.After(3 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

func (p *proc) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// relayAt is a relay that can be killed and started again.
type relayAt struct {
	l         *lab
	ns        string
	addr, pin string
	data      string
	metrics   string
	proc      *exec.Cmd
}

// relay makes the accounts a@lab and starts a relay in a namespace.
func (l *lab) relay(ns, listen string) (*relayAt, error) {
	data, err := os.MkdirTemp(l.dir, "relay")
	if err != nil {
		return nil, err
	}
	r := &relayAt{l: l, ns: ns, addr: listen, data: data}
	for _, c := range []*exec.Cmd{
		exec.Command(l.bin, "relay", "org", "add", "lab", "--title", "Lab", "--data", data),
		exec.Command(l.bin, "relay", "agent", "add", "a@lab", "--password-stdin", "--data", data),
	} {
		c.Stdin = strings.NewReader(password + "\n")
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w: %s", c.Args, err, out)
		}
	}
	return r, r.start()
}

// start starts it and returns when it listens.
func (r *relayAt) start() error {
	cmd := inside(r.ns, r.l.bin, "relay", "--listen", r.addr, "--data", r.data, "--json", "--metrics", "127.0.0.1:0")
	log, err := os.OpenFile(filepath.Join(r.l.dir, "relay.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.proc = cmd
	var ready struct{ Addr, Fingerprint, Metrics string }
	if err := json.NewDecoder(stdout).Decode(&ready); err != nil {
		r.kill()
		return fmt.Errorf("start relay: %w", err)
	}
	r.addr, r.pin, r.metrics = ready.Addr, ready.Fingerprint, ready.Metrics
	return nil
}

func (r *relayAt) kill() {
	_ = r.proc.Process.Kill()
	_ = r.proc.Wait()
}

// meet starts a host and a console that has control.
func (l *lab) meet(r *relayAt, hostNS, consoleNS, hostPath, consolePath string) (h, c *proc, err error) {
	if h, err = l.start(hostNS, "host", "-relay", r.addr, "-pin", r.pin, "-path", hostPath, "-files", l.files()); err != nil {
		return nil, nil, err
	}
	code, err := h.wait("code", time.Time{}, 20*time.Second, func(e event) bool { return e.What == "code" })
	if err != nil {
		h.stop()
		return nil, nil, err
	}
	c, err = l.console(r, consoleNS, consolePath, code.Text)
	if err != nil {
		h.stop()
		return nil, nil, err
	}
	return h, c, nil
}

// files is the folder that hosts put files into.
func (l *lab) files() string { return filepath.Join(l.dir, "files") }

func (l *lab) console(r *relayAt, ns, path, code string) (*proc, error) {
	c, err := l.start(ns, "console", "-relay", r.addr, "-pin", r.pin, "-path", path, "-code", code, "-user", "a@lab")
	if err != nil {
		return nil, err
	}
	if _, err = c.wait("in", time.Time{}, 20*time.Second, func(e event) bool { return e.Text == "in" }); err != nil {
		c.stop()
		return nil, err
	}
	c.tell("control")
	return c, nil
}
