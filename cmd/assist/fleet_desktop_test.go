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
	"assist/session/broker/store"
	"assist/session/broker/store/storetest"
	"assist/session/console"
)

// A fleet is three relays of the built binary on one real PostgreSQL. What is looked at is one session, from its host and an agent of
// another relay, while relays and databases die.
type fleetStage struct {
	t      *testing.T
	db     string
	relays []*fleetRelay
}

type fleetRelay struct {
	fleetStage *fleetStage
	dir, addr  string
	pin        string
	cmd        *exec.Cmd
}

func newFleet(t *testing.T, db string) *fleetStage {
	f := &fleetStage{t: t, db: db}
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
			r.verb("correct horse battery\n", "agent", "add", "eve@acme", "--password-stdin")
		}
	}
	f.await("everybody to know everybody", func() bool { return len(f.status("serving")) == 3 })
	return f
}

func (f *fleetStage) await(what string, cond func() bool) { f.t.Helper(); eventually(f.t, what, cond) }

// status lists the addresses of the relays in a state.
func (f *fleetStage) status(state string) (out []string) {
	f.t.Helper()
	lines := json.NewDecoder(strings.NewReader(f.relays[0].verb("", "status", "--json")))
	for {
		var l relayLine
		if err := lines.Decode(&l); err != nil {
			return out
		}
		if l.State == state {
			out = append(out, l.Addr)
		}
	}
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
	r.cmd = r.command("--listen", r.addr, "--advertise", r.addr, "--json")
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
	r.addr, r.pin = ready.Addr, ready.Fingerprint
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

// at is the relay of an address.
func (f *fleetStage) at(addr string) *fleetRelay {
	for _, r := range f.relays {
		if r.addr == addr {
			return r
		}
	}
	f.t.Fatalf("no relay %q", addr)
	return nil
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

// agent logs in at a relay and joins by code there.
func (f *fleetStage) agent(r *fleetRelay, code string) *agent.Session {
	f.t.Helper()
	for _, v := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
		f.t.Setenv(v, f.t.TempDir())
	}
	f.t.Setenv("ASSIST_KEYRING", "off")
	if err := f.login(r); err != nil {
		f.t.Fatal(err)
	}
	cmd := root()
	cmd.SetContext(f.t.Context())
	cfg, err := (&consoleFlags{}).config(cmd)
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

func (f *fleetStage) login(r *fleetRelay) error {
	cmd := exec.Command(built(f.t), "login", r.addr, "--user", "eve@acme", "--password-stdin", "--relay-key", r.pin)
	cmd.Stdin = strings.NewReader("correct horse battery\n")
	return cmd.Run()
}

// says sends words and waits until the host has put them into the log: the session works.
func (f *fleetStage) says(seat *agent.Session, text string, within time.Duration) {
	f.t.Helper()
	seat.Do(console.Say{Lane: chat.Everyone, Text: text})
	began := time.Now()
	for !said(seat, text) {
		if time.Since(began) > within {
			f.t.Fatalf("%q is not in the log after %s: %+v", text, within, seat.State().Why)
		}
		time.Sleep(20 * time.Millisecond)
	}
	f.t.Logf("%q was in the log after %s", text, time.Since(began).Round(10*time.Millisecond))
}

func said(seat *agent.Session, text string) bool {
	for _, e := range seat.Log(0) {
		if e.Text == text {
			return true
		}
	}
	return false
}

// serving is the relay that has the only session.
func (f *fleetStage) serving() *fleetRelay {
	f.t.Helper()
	var found *fleetRelay
	f.await("a relay to have the session", func() bool {
		lines := json.NewDecoder(strings.NewReader(f.relays[0].verb("", "status", "--json")))
		for {
			var l relayLine
			if lines.Decode(&l) != nil {
				return found != nil
			}
			if l.Sessions > 0 && l.State != "silent" {
				found = f.at(l.Addr)
			}
		}
	})
	return found
}

func TestFleetOfThreeRelays(t *testing.T) {
	first := storetest.Start(t)
	first.Create("fleet")
	second := first.Standby()
	f := newFleet(t, first.URL("fleet", second))
	code := f.host(f.relays[0])
	seat := f.agent(f.relays[1], code) // through the wrong relay
	f.says(seat, "by another relay", patience)
	if r := f.serving(); r != f.relays[0] {
		t.Fatalf("%s has the session", r.addr)
	}

	t.Log("its relay is killed")
	f.relays[0].kill()
	f.says(seat, "after the kill", store.Lease+patience)
	if seat.State().Code != code {
		t.Errorf("the code is %s now, was %s", seat.State().Code, code)
	}
	f.relays[0].start()

	t.Log("its relay drains")
	r := f.serving()
	r.verb("", "drain")
	f.says(seat, "after draining", patience)
	r.verb("", "drain", "--off")

	t.Log("its relay is stopped in order")
	r = f.serving()
	r.stop()
	f.says(seat, "after the stop", patience)
	r.start()

	t.Log("the database is away")
	first.Stop()
	if f.login(r) == nil {
		t.Error("a login without a database")
	}
	f.says(seat, "without a database", patience)
	time.Sleep(store.Lease + 2*time.Second) // no lease can be renewed
	f.says(seat, "still without a database", patience)

	t.Log("its standby takes over")
	second.Promote()
	began := time.Now()
	for f.login(f.relays[1]) != nil {
		if time.Since(began) > patience {
			t.Fatal("no login after the standby took over")
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("logins are back after %s", time.Since(began).Round(100*time.Millisecond))
	f.says(seat, "on the new primary", patience)
	if st := seat.State(); st.Phase != console.In || len(st.Roster.Members) != 2 {
		t.Errorf("at the end: %+v", st)
	}
	for _, text := range []string{"by another relay", "after the kill", "after draining", "after the stop", "without a database"} {
		if !said(seat, text) {
			t.Errorf("%q is lost", text)
		}
	}
}
