//go:build desktop

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/session/agent"
	"assist/session/console"
)

// A fleet is three relays of the built binary on one real PostgreSQL. What is looked at are sessions, from their hosts and agents
// who came by other relays, while relays and databases die.
type fleetStage struct {
	t      *testing.T
	db     string
	relays []*fleetRelay

	sessions []fleetSession
	bench    bool // fails over its targets
}

type fleetRelay struct {
	fleetStage *fleetStage
	dir, addr  string
	pin        string
	metrics    string // host:port
	cmd        *exec.Cmd
}

func newFleet(t *testing.T, db string) *fleetStage {
	f := &fleetStage{t: t, db: db}
	for _, v := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} { // the agents'
		t.Setenv(v, t.TempDir())
	}
	t.Setenv("ASSIST_KEYRING", "off")
	for range 3 {
		r := &fleetRelay{fleetStage: f, dir: t.TempDir(), addr: "127.0.0.1:0"}
		if len(f.relays) > 0 {
			for _, folder := range []string{"keys", "orgs"} {
				if err := os.CopyFS(filepath.Join(r.dir, folder), os.DirFS(filepath.Join(f.relays[0].dir, folder))); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.start()
		f.relays = append(f.relays, r)
		if len(f.relays) == 1 {
			r.verb("", "org", "add", "acme")
			for _, who := range []string{"eve@acme", "bob@acme"} {
				r.verb("correct horse battery\n", "agent", "add", who, "--password-stdin")
			}
		}
	}
	f.await("everybody to know everybody", func() bool { return len(f.status("serving")) == 3 })
	for _, r := range f.relays { // once each: a login from the same device ends the one before
		if err := f.login(r, "eve@acme"); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *fleetStage) await(what string, cond func() bool) { f.t.Helper(); eventually(f.t, what, cond) }

// status lists the addresses of the relays in a state.
func (f *fleetStage) status(state string) (out []string) {
	f.t.Helper()
	for _, l := range f.lines() {
		if l.State == state {
			out = append(out, l.Addr)
		}
	}
	return out
}

// lines is what assist relay status shows.
func (f *fleetStage) lines() (out []relayLine) {
	f.t.Helper()
	lines := json.NewDecoder(strings.NewReader(f.relays[0].verb("", "status", "--json")))
	for {
		var l relayLine
		if err := lines.Decode(&l); err != nil {
			return out
		}
		out = append(out, l)
	}
}

// line is what the fleet knows of one relay.
func (r *fleetRelay) line() relayLine {
	f := r.fleetStage
	f.t.Helper()
	for _, l := range f.lines() {
		if l.Addr == r.addr {
			return l
		}
	}
	f.t.Fatalf("nobody knows %s", r.addr)
	return relayLine{}
}

// silent is how long ago a relay was heard from.
func (f *fleetStage) silent(r *fleetRelay) time.Duration {
	f.t.Helper()
	return time.Duration(r.line().Silent * float64(time.Second))
}

// carries waits until the relay says that it has n sessions.
func (r *fleetRelay) carries(n int) {
	r.fleetStage.t.Helper()
	r.fleetStage.await("a relay to have its sessions", func() bool { return r.line().Sessions == n })
}

func (r *fleetRelay) command(args ...string) *exec.Cmd {
	cmd := exec.Command(built(r.fleetStage.t), append(append([]string{"relay"}, args...), "--data", r.dir)...)
	cmd.Env = append(os.Environ(), dbVariable+"="+r.fleetStage.db)
	return cmd
}

func (r *fleetRelay) verb(stdin string, args ...string) string {
	r.fleetStage.t.Helper()
	cmd := r.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		r.fleetStage.t.Fatalf("relay %v: %v: %s", args, err, words.String())
	}
	return string(out)
}

func (r *fleetRelay) start() {
	t := r.fleetStage.t
	t.Helper()
	r.cmd = r.command("--listen", r.addr, "--advertise", r.addr, "--metrics", "127.0.0.1:0", "--json")
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	r.cmd.Stderr = &words
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	var ready readyEvent
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&ready); err != nil {
		r.kill()
		t.Fatalf("%v: %s", err, words.String())
	}
	r.addr, r.pin, r.metrics = ready.Addr, ready.Fingerprint, ready.Metrics
}

func (r *fleetRelay) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

// stop ends the relay in order.
func (r *fleetRelay) stop() {
	_ = r.cmd.Process.Signal(os.Interrupt)
	_ = r.cmd.Wait()
	r.cmd = nil
}

// host shares a terminal at a relay, and returns the session's code.
func (f *fleetStage) host(r *fleetRelay) string {
	f.t.Helper()
	cmd := exec.Command(built(f.t), "host", "--text", "--shell", "cat", "--relay", r.addr, "--relay-key", r.pin,
		"--path", "relay", "--yes", "--allow", "view,control,chat", "--json")
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+f.t.TempDir(), "DISPLAY=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		f.t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	var said struct{ Code string }
	if err := json.Unmarshal(line, &said); err != nil {
		f.t.Fatal(err)
	}
	return said.Code
}

// agent joins by code at a relay.
func (f *fleetStage) agent(r *fleetRelay, code string) *agent.Session {
	f.t.Helper()
	cmd := root()
	cmd.SetContext(f.t.Context())
	cfg, err := (&consoleFlags{relayChoice: relayChoice{addr: r.addr}}).config(cmd)
	if err != nil {
		f.t.Fatal(err)
	}
	cfg.Code = code
	seat := agent.Join(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- seat.Run(ctx) }()
	f.t.Cleanup(func() {
		seat.Close()
		<-done
		cancel()
	})
	awaitState(f.t, seat, func(st console.State) bool { return st.Phase == console.In })
	return seat
}

func (f *fleetStage) login(r *fleetRelay, who string) error {
	cmd := exec.Command(built(f.t), "login", r.addr, "--user", who, "--password-stdin", "--relay-key", r.pin)
	cmd.Stdin = strings.NewReader("correct horse battery\n")
	return cmd.Run()
}

// allSay sends words in every session and waits until the hosts have put them into the logs: the sessions work.
func (f *fleetStage) allSay(text string) {
	f.t.Helper()
	began := time.Now()
	f.sayAll(text)
	f.t.Logf("%q was in the log of every session after %s", text, f.awaitAll(text, patience).Sub(began).Round(10*time.Millisecond))
}

func (f *fleetStage) sayAll(text string) {
	for _, s := range f.sessions {
		s.seat.Do(console.Say{Lane: chat.Everyone, Text: text})
	}
}

// awaitAll returns when the words are in the last log, and when that was.
func (f *fleetStage) awaitAll(text string, within time.Duration) time.Time {
	f.t.Helper()
	end := time.Now().Add(within)
	for _, s := range f.sessions {
		for !said(s.seat, text) {
			if time.Now().After(end) {
				f.t.Fatalf("%q is not in the log of %s after %s: %+v", text, s.code, within, s.seat.State().Why)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return time.Now()
}

func said(seat *agent.Session, text string) bool {
	for _, e := range seat.Log(0) {
		if e.Text == text {
			return true
		}
	}
	return false
}
