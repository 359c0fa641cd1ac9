//go:build lab

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
	"strconv"
	"strings"
	"time"

	"assist/cmd/assist/demo"
)

// patience is how long anything may take to begin.
const patience = 60 * time.Second

// person is an agent with an account and folders, and, while one runs, a process.
type person struct {
	env   []string
	dir   string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

type people []*person

// hire makes n accounts and signs them in.
func hire(ctx context.Context, program string, stage *demo.Stage, n int) (people, error) {
	var all people
	for i := range n {
		dir, err := os.MkdirTemp("", "fanbench-")
		if err != nil {
			return all, err
		}
		p := &person{dir: dir, env: append(os.Environ(), "ASSIST_KEYRING=off")}
		for _, v := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
			p.env = append(p.env, v+"="+dir)
		}
		all = append(all, p)
		handle := fmt.Sprintf("agent%02d@demo", i)
		for _, args := range [][]string{
			{"relay", "agent", "add", handle, "--data", stage.RelayData(), "--password-stdin"},
			{"login", stage.Relay, "--user", handle, "--password-stdin", "--relay-key", stage.Pin},
		} {
			cmd := exec.CommandContext(ctx, program, args...)
			cmd.Env, cmd.Stdin = p.env, strings.NewReader("a long password")
			if out, err := cmd.CombinedOutput(); err != nil {
				return all, fmt.Errorf("assist %s: %w: %s", args[:2], err, out)
			}
		}
	}
	return all, nil
}

func (all people) fire() {
	for _, p := range all {
		p.leave()
		_ = os.RemoveAll(p.dir) // a temporary folder
	}
}

// join starts the process of an agent and waits for its first picture.
func (p *person) join(ctx context.Context, url string, odd int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd = exec.CommandContext(ctx, self, "-seat", url, "-odd", strconv.Itoa(odd))
	p.cmd.Env, p.cmd.Stderr = p.env, os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.lines = bufio.NewScanner(out)
	p.lines.Buffer(nil, 16<<20)
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if !p.lines.Scan() || p.lines.Text() != "ready" {
		return fmt.Errorf("an agent saw no picture: %v", p.lines.Err())
	}
	return nil
}

func (p *person) leave() {
	if p.cmd == nil {
		return
	}
	p.in.Close()
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait() // how it ended was said on its way
	p.cmd = nil
}

func (all people) order(what string) error {
	for _, p := range all {
		if _, err := io.WriteString(p.in, what+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// watch lets agents look for a while and gives what they saw.
func (all people) watch(ctx context.Context, d time.Duration) ([]report, error) {
	if err := all.order("go"); err != nil {
		return nil, err
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := all.order("stop"); err != nil {
		return nil, err
	}
	out := make([]report, len(all))
	for i, p := range all {
		if !p.lines.Scan() {
			return nil, fmt.Errorf("an agent has gone: %v", p.lines.Err())
		}
		if err := json.Unmarshal(p.lines.Bytes(), &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keepBusy gives the display something that changes all the time: a terminal that scrolls.
func keepBusy(ctx context.Context, display string) (stop func(), err error) {
	const script = `while :; do for f in /usr/share/common-licenses/*; do while read -r l; do echo "$RANDOM $l"; sleep 0.04; done < "$f"; done; done`
	cmd := exec.CommandContext(ctx, "xterm", "-geometry", "110x34+20+90", "-e", "bash", "-c", script)
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}

// ticks is the CPU time that a process has used, in seconds (proc_pid_stat(5): fields 14 and 15, in hundredths).
func ticks(pid int) (float64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return float64(user+system) / 100, err
}
