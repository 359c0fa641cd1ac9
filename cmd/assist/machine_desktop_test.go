//go:build desktop

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a machine without a display: a network namespace of its own, joined to this one by a pair of interfaces, and an
// environment with nothing of this one's.
type server struct {
	t      *testing.T
	name   string // of the namespace
	outer  string // address on this side
	dir    string
	host   *exec.Cmd
	events chan map[string]any
	words  bytes.Buffer // of the host; looked at when it has ended
}

func newServer(t *testing.T) *server {
	t.Helper()
	n := os.Getpid() % 16000
	s := &server{t: t, name: fmt.Sprintf("assist-server-%d", os.Getpid()), dir: t.TempDir()}
	net := fmt.Sprintf("10.%d.%d.", 192+n/256, n%256)
	s.outer = net + "1"
	if out, err := exec.Command("ip", "netns", "add", s.name).CombinedOutput(); err != nil {
		t.Skipf("this machine cannot make network namespaces: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", s.name).Run() })
	link := fmt.Sprintf("assist%d", n)
	for _, args := range [][]string{
		{"link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", s.name},
		{"addr", "add", net + "1/24", "dev", link},
		{"link", "set", link, "up"},
		{"-n", s.name, "addr", "add", net + "2/24", "dev", "eth0"},
		{"-n", s.name, "link", "set", "eth0", "up"},
		{"-n", s.name, "link", "set", "lo", "up"},
	} {
		runTool(t, append([]string{"ip"}, args...)...)
	}
	return s
}

// command runs assist on the server, without a display and with folders there. Its stubs stand before other programs.
func (s *server) command(args ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", s.name, built(s.t)}, args...)...)
	cmd.Env = []string{
		"PATH=" + filepath.Join(s.dir, "stubs") + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=dumb",
		"STATE_DIRECTORY=" + filepath.Join(s.dir, "state"), "RUNTIME_DIRECTORY=" + filepath.Join(s.dir, "run"),
	}
	return cmd
}

func (s *server) policyPath() string { return filepath.Join(s.dir, "etc", "policy.toml") }

func (s *server) policy(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.policyPath(), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start is the service's process.
func (s *server) start() {
	s.t.Helper()
	s.host = s.command("host", "--unattended", "--json", "--policy", s.policyPath())
	s.words.Reset()
	s.host.Stderr = &s.words
	out, err := s.host.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.host.Start(); err != nil {
		s.t.Fatal(err)
	}
	events := make(chan map[string]any, 256)
	s.events = events
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e map[string]any
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				events <- e
			}
		}
	}()
	host := s.host
	s.t.Cleanup(func() { _ = host.Process.Kill() }) // it may have ended
	s.await("attending")
}

func (s *server) await(event string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, more := <-s.events:
			if !more {
				_ = s.host.Wait()
				s.t.Fatalf("the host ended before %q: %s", event, s.words.String())
			}
			if e["event"] == event {
				return
			}
		case <-late:
			s.t.Fatalf("waited in vain for the host's event %q", event)
		}
	}
}

// end sends a signal and waits for the process to go; it returns its exit code, -1 for a signal.
func (s *server) end(sig os.Signal) int {
	s.t.Helper()
	if err := s.host.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	for range s.events {
	}
	_ = s.host.Wait() // the code says the same
	return s.host.ProcessState.ExitCode()
}

// admin is the relay, and the agents of one organisation.
type admin struct {
	t        *testing.T
	addr     string
	key, dir string
}

func newAdmin(t *testing.T, address string) *admin {
	t.Helper()
	a := &admin{t: t, dir: t.TempDir()}
	a.run("", nil, "relay", "org", "add", "acme", "--title", "Acme Ltd", "--data", a.dir)
	relay := exec.Command(built(t), "relay", "--listen", address+":0", "--data", a.dir, "--json")
	out, err := relay.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := relay.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = relay.Process.Signal(syscall.SIGTERM)
		_ = relay.Wait()
	})
	var ready struct{ Addr, Fingerprint string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		t.Fatal(err)
	}
	a.addr, a.key = ready.Addr, ready.Fingerprint
	return a
}

// agent logs a new agent in and returns its environment.
func (a *admin) agent(name string, flags ...string) []string {
	a.t.Helper()
	dir := a.t.TempDir()
	env := []string{"ASSIST_KEYRING=off", "XDG_CONFIG_HOME=" + dir + "/c", "XDG_STATE_HOME=" + dir + "/s", "XDG_RUNTIME_DIR=" + dir + "/r"}
	a.run("correct horse\n", nil, append([]string{"relay", "agent", "add", name + "@acme", "--data", a.dir, "--password-stdin"}, flags...)...)
	a.run("correct horse\n", env, "login", a.addr, "--relay-key", a.key, "--user", name+"@acme", "--password-stdin")
	return env
}

// run runs a verb, which must succeed, and returns its stdout.
func (a *admin) run(stdin string, env []string, args ...string) string {
	a.t.Helper()
	out, code := a.try(stdin, env, args...)
	if code != 0 {
		a.t.Fatalf("assist %s: exit %d: %s", args, code, out)
	}
	return out
}

func (a *admin) try(stdin string, env []string, args ...string) (string, int) {
	a.t.Helper()
	cmd := exec.Command(built(a.t), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		a.t.Fatal(err)
	}
	if err != nil {
		out = append(out, words.Bytes()...)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestServerWithoutAScreen is the life of an unattended machine: enrolled, its service looked at, used by two agents over ssh,
// killed, rebooted, restricted, refused, revoked.
func TestServerWithoutAScreen(t *testing.T) {
	s := newServer(t)
	a := newAdmin(t, s.outer)
	eve, bob := a.agent("eve", "--admin"), a.agent("bob")
	ssh := startSSH(t)
	connect := func(env []string) *pane {
		command := strings.Join(append(append([]string{"env"}, env...), built(t), "connect", "web-01"), " ")
		return openTerminal(t, nil, 100, 30, append(ssh, command)...)
	}

	token := a.run("", eve, "machine", "token", "--org", "acme", "--name", "web-01", "--tag", "web")
	enroll := s.command("host", "enroll", a.addr, "--relay-key", a.key, "--policy", s.policyPath(), "--token-stdin", "--json")
	enroll.Stdin = strings.NewReader(token)
	if out, err := enroll.CombinedOutput(); err != nil || !strings.Contains(string(out), `"name":"web-01"`) {
		t.Fatalf("enroll: %v: %s", err, out)
	}
	if again := s.command("host", "enroll", a.addr, "--relay-key", a.key, "--state", filepath.Join(s.dir, "thief"), "--token-stdin"); true {
		again.Stdin = strings.NewReader(token)
		if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "used or expired") {
			t.Errorf("the token works twice: %s", out)
		}
	}
	unitIsHardened(t, s)

	s.policy("orgs = [\"acme\"]\ngrants = [\"view\", \"control\", \"chat\", \"run\", \"diag\"]\n")
	s.start()
	term := connect(eve)
	term.await("BROWSE", "verified", "web-01")
	second := connect(bob)
	second.await("BROWSE", "verified")
	term.keys("c")
	term.await("CONTROL")
	term.text("expr 40 + 2; cat > together.txt")
	term.keys("Enter")
	term.await("\n42\n") // the shell has given the terminal back
	term.text("written by eve,")
	term.await("written by eve,")
	second.await("written by eve,")
	second.keys("c")
	second.await("CONTROL")
	second.text(" and by bob")
	second.keys("Enter", "C-d")
	awaitFile(t, filepath.Join(s.dir, "together.txt"), "written by eve, and by bob\n")
	if _, code := a.try("", bob, "exec", "web-01", "--no-stdin", "--", "exit 7"); code != 7 {
		t.Errorf("exit 7 there is %d here", code)
	}
	second.keys("C-]")
	second.await("BROWSE")
	term.keys("C-]")
	term.await("BROWSE")

	if line := a.run("", bob, "machines", "--tag", "web", "--json"); !strings.Contains(line, `"online":true,"busy":true`) {
		t.Errorf("machines: %s", line)
	}
	s.end(syscall.SIGKILL)
	killed := time.Now()
	s.start()
	t.Logf("killed and started again, it attends after %v", time.Since(killed).Round(time.Millisecond))
	if line := a.run("", bob, "machines", "--json"); !strings.Contains(line, `"online":true`) {
		t.Errorf("machines: %s", line)
	}
	goesOn := func() {
		t.Helper()
		s.await("member_joined")
		s.await("member_joined")
		for _, p := range []*pane{term, second} {
			eventually(t, "the session to go on", func() bool { return !strings.Contains(p.screen(), "No contact since") })
			p.await("BROWSE", "bash")
		}
	}
	goesOn()

	reboots(t, s)
	term.await("the machine is rebooting", "No contact since")
	second.await("the machine is rebooting")
	s.start()
	goesOn()
	restricted(t, s, a, eve, bob)

	out, err := s.command("host", "refuse").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ended") {
		t.Errorf("people at the machine cannot end it: %v: %s", err, out)
	}
	term.await("The session is over")
	eventually(t, "the console to close", func() bool { // keys are swallowed for a moment when such a page comes up
		term.keys("Enter")
		return strings.Contains(term.screen(), "[exit 0]")
	})
	if out, err := s.command("host", "revoke").CombinedOutput(); err != nil {
		t.Errorf("revoke: %v: %s", err, out)
	}
	if code := s.end(syscall.Signal(0)); code != exitLogin {
		t.Errorf("the host of a revoked machine ends with %d: %s", code, s.words.String())
	}
	if line := a.run("", eve, "machines"); line != "" {
		t.Errorf("machines after it was revoked: %s", line)
	}
}

// unitIsHardened holds the unit that would be installed to what systemd says of it.
func unitIsHardened(t *testing.T, s *server) {
	t.Helper()
	unit, err := s.command("service", "install", "--user", "root", "--print").Output()
	if err != nil {
		t.Fatal(err)
	}
	unit = bytes.ReplaceAll(unit, []byte("User=root\n"), []byte("User=daemon\n")) // somebody who is there and is not root
	path := filepath.Join(s.dir, "assist-host.service")
	if err := os.WriteFile(path, unit, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=25", path).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
}

// reboots ends the host as a system does that goes down: systemd says so, and sends SIGTERM.
func reboots(t *testing.T, s *server) {
	t.Helper()
	stub := filepath.Join(s.dir, "stubs", "systemctl")
	if err := os.MkdirAll(filepath.Dir(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stub, []byte("#!/bin/sh\necho stopping\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if code := s.end(syscall.SIGTERM); code != 0 {
		t.Errorf("the host ends with %d: %s", code, s.words.String())
	}
}

// restricted makes the policy tighter from outside, and finds that it cannot be made looser.
func restricted(t *testing.T, s *server, a *admin, eve, bob []string) {
	t.Helper()
	a.run("grants = [\"view\", \"chat\"]\n", eve, "machine", "restrict", "web-01", "-")
	s.await("attending")
	if out, code := a.try("", bob, "exec", "web-01", "--no-stdin", "--", "exit 0"); code == 0 {
		t.Errorf("run was forbidden from outside: %s", out)
	}
	s.policy("orgs = [\"acme\"]\ngrants = [\"view\", \"control\", \"chat\"]\n")
	a.run("grants = [\"view\", \"control\", \"chat\", \"run\"]\n", eve, "machine", "restrict", "web-01", "-")
	s.await("attending")
	if out, code := a.try("", bob, "exec", "web-01", "--no-stdin", "--", "exit 0"); code == 0 {
		t.Errorf("run was allowed from outside: %s", out)
	}
	a.run("", eve, "machine", "restrict", "web-01", "--off")
	s.await("attending")
}
