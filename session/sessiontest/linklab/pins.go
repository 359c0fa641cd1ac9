//go:build lab && linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creack/pty"
)

// pins pins the way that packets take: where it can be had, and where it cannot.
func (l *lab) pins() error {
	n, code, err := l.hosted("cone", "cone")
	if err != nil {
		return err
	}
	defer n.close()
	for _, path := range []string{"direct", "relay", "tcp"} {
		if err := l.pinned(n, code, path); err != nil {
			return fmt.Errorf("--path %s: %w", path, err)
		}
	}
	if err := l.netcheck(n, "a cone NAT", `"udp":{"ok":true`, `"tcp":{"ok":true`, `"nat":"cone"`); err != nil {
		return err
	}
	if err := n.nft(n.consoleBox, "add rule ip fw pass ip protocol udp drop\n"); err != nil {
		return err
	}
	return l.netcheck(n, "a firewall that lets no UDP pass", `"udp":{"ok":false`, `"tcp":{"ok":true`)
}

// pinned types for longer than the relay stands in for a direct path.
func (l *lab) pinned(n *scene, code, path string) error {
	began := time.Now()
	c, err := l.console(n.r, n.console, path, code)
	if err != nil {
		return err
	}
	defer c.stop()
	const long = 16 * time.Second
	typing(c, long)
	time.Sleep(long - 4*time.Second)
	passed, err := n.relayed(3 * time.Second)
	if err != nil {
		return err
	}
	_, err = c.wait("typed", began, 30*time.Second, func(e event) bool { return e.What == "typed" })
	played := n.played(began)
	way, keys, relayed := newest(c).Path, int(long/pulse), passed > 0
	l.add(fmt.Sprintf("two cone NATs, --path %s: the way, %d s of keys played, packets by the relay", path, long/time.Second), fmt.Sprintf("%s, %d, %s", path, keys, yes(path != "direct")),
		fmt.Sprintf("%s, %d, %s", way, played, yes(relayed)), way == path && played == keys && relayed == (path != "direct") && err == nil)
	return nil
}

// stranded pins the direct path in the built console, where there is none.
func (l *lab) stranded() error {
	n, code, err := l.hosted("symmetric", "symmetric")
	if err != nil {
		return err
	}
	defer n.close()
	if err := l.netcheck(n, "a symmetric NAT", `"udp":{"ok":true`, `"tcp":{"ok":true`, `"nat":"symmetric"`); err != nil {
		return err
	}
	home := filepath.Join(l.dir, "home")
	env := append(os.Environ(), "ASSIST_KEYRING=off", "TERM=xterm-256color", "XDG_CONFIG_HOME="+home+"/c", "XDG_STATE_HOME="+home+"/s", "XDG_RUNTIME_DIR="+home+"/r")
	login := inside(n.console, l.bin, "login", n.r.addr, "--relay-key", n.r.pin, "--user", "a@lab", "--password-stdin")
	login.Env, login.Stdin = env, strings.NewReader(password+"\n")
	if out, err := login.CombinedOutput(); err != nil {
		return fmt.Errorf("login: %w: %s", err, out)
	}
	began := time.Now()
	exit, said, err := joined(inside(n.console, l.bin, "join", code, "--path", "direct"), env, "no direct path")
	if err != nil {
		return err
	}
	hint := ""
	for _, line := range strings.Split(said, "\n") {
		for _, from := range []string{"assist: ", "hint: "} {
			if i := strings.Index(line, from); i >= 0 {
				hint = strings.TrimSpace(hint + " " + strings.TrimSpace(line[i:]))
			}
		}
	}
	l.add("two symmetric NATs, `assist join --path direct`: exit code, after, what it says", "6, –, why and a hint",
		fmt.Sprintf("%d, %s, %s", exit, ms(time.Since(began)), hint), exit == 6 && strings.Contains(hint, "no direct path") && strings.Contains(hint, "hint: "))
	return nil
}

// joined runs a console on a terminal until it shows something, presses q then, and returns how it ended and all that it wrote.
func joined(cmd *exec.Cmd, env []string, what string) (exit int, said string, err error) {
	cmd.Env = env
	term, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 200})
	if err != nil {
		return 0, "", err
	}
	defer term.Close()
	ended, whole, shown := make(chan error, 1), make(chan string, 1), make(chan struct{})
	seen := (<-chan struct{})(shown)
	go func() {
		var b []byte
		buf := make([]byte, 1<<14)
		for {
			n, err := term.Read(buf)
			if b = append(b, buf[:n]...); shown != nil && bytes.Contains(control.ReplaceAll(b, nil), []byte(what)) {
				close(shown)
				shown = nil
			}
			if err != nil { // EIO: nobody has the terminal any more
				whole <- string(control.ReplaceAll(b, nil))
				return
			}
		}
	}()
	go func() { ended <- cmd.Wait() }()
	late := time.After(60 * time.Second)
	for {
		select {
		case err := <-ended:
			var no *exec.ExitError
			if err != nil && !errors.As(err, &no) {
				return 0, "", err
			}
			return cmd.ProcessState.ExitCode(), <-whole, nil
		case <-late:
			_ = cmd.Process.Kill()
			return 0, "", errors.New("the console goes on")
		case <-seen:
			seen = nil
			time.Sleep(time.Second) // a dialog that opens by itself takes no keys at first
			_, _ = term.Write([]byte("q"))
		}
	}
}

// netcheck runs the verb in the console's network.
func (l *lab) netcheck(n *scene, where string, want ...string) error {
	cmd := inside(n.console, l.bin, "netcheck", "--relay", n.r.addr, "--relay-key", n.r.pin, "--json")
	out, err := cmd.Output()
	var said struct {
		UDP, TCP struct{ OK bool }
		NAT      string
	}
	if err != nil || json.Unmarshal(out, &said) != nil {
		return fmt.Errorf("netcheck: %w: %s", err, out)
	}
	ok := true
	for _, w := range want {
		ok = ok && strings.Contains(string(out), w)
	}
	if said.NAT == "" {
		said.NAT = "not known"
	}
	l.add("`assist netcheck` behind "+where+": UDP, TCP, NAT", "as it is", fmt.Sprintf("%s, %s, %s", yes(said.UDP.OK), yes(said.TCP.OK), said.NAT), ok)
	return nil
}
