package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent/local"
	"assist/session/console"
	"assist/transport"
	"assist/transport/wire"
)

// stubConsole is a program whose session is a script's: it answers on the control socket like a console, and its host agrees.
// Its code is the first argument; Erik declines the lead, Ines takes it.
func stubConsole() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := local.Serve(ctx, newStub(os.Args[1])); err != nil {
		panic(err)
	}
}

type stub struct {
	mu   sync.Mutex
	st   console.State
	eyes int // who watches, also in a file
	log  []chat.Entry
	told chan struct{}
}

func newStub(code string) *stub {
	all := func(id session.MemberID, name, handle string, role session.Role) session.Member {
		return session.Member{ID: id, Name: name, Handle: handle, Role: role, Grants: session.View | session.Chat, Presence: session.Here, Consoles: 1}
	}
	s := &stub{told: make(chan struct{}, 1), st: console.State{
		Phase: console.In, Code: code, URL: "https://relay.example/j/" + code + "#1.mfrggzdfmztwq2lknnwg23tpobyxe43u", Customer: "Carla", Self: 2,
		Started: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
		Roster: session.Roster{Lead: 2, Members: []session.Member{
			all(1, "Carla", "", session.Customer), all(2, "Anna", "anna@acme", session.Lead),
			all(3, "Erik", "erik@acme", session.Agent), all(4, "Ines", "ines@beta", session.Agent),
		}},
	}}
	s.add(chat.Entry{From: 2, Name: "Anna", Lane: chat.Everyone, Kind: chat.Joined})
	return s
}

func (s *stub) State() console.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.st
	st.Newest = chat.Seq(len(s.log))
	return st
}

func (s *stub) Log(after chat.Seq) []chat.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log[min(int(after), len(s.log)):]
}

// Watch wakes every reader again and again: enough for a script.
func (s *stub) Watch() (<-chan struct{}, func()) {
	c, done := make(chan struct{}), make(chan struct{})
	s.watchers(1)
	go func() {
		for {
			select {
			case c <- struct{}{}:
				time.Sleep(time.Millisecond)
			case <-done:
				return
			}
		}
	}()
	return c, func() {
		s.watchers(-1)
		close(done)
	}
}

// watchers lets the script know how many there are.
func (s *stub) watchers(more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.eyes += more
	_ = os.WriteFile(watchersFile(os.Getenv, s.st.Code), fmt.Append(nil, s.eyes), 0o600) // the script fails without it
}

func watchersFile(env func(string) string, code string) string {
	return filepath.Join(env("XDG_STATE_HOME"), "watchers."+code)
}

func (s *stub) add(e chat.Entry) chat.Seq {
	e.Seq, e.Time = chat.Seq(len(s.log)+1), s.st.Started
	s.log = append(s.log, e)
	return e.Seq
}

// Invite gives the session's own address for a plain invitation.
func (s *stub) Invite(_ context.Context, c console.Invite) (console.Invitation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := console.Invitation{Code: s.st.Code, URL: s.st.URL, For: c.For, ViewOnly: c.ViewOnly}
	if c.Life != 15*time.Minute {
		made.Expires = s.st.Started.Add(c.Life)
	}
	s.st.Invites = append(s.st.Invites, made)
	return made, nil
}

func (s *stub) Invites(context.Context) ([]console.Invitation, error) { return s.State().Invites, nil }

func (s *stub) RevokeInvite(_ context.Context, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if code != s.st.Code || len(s.st.Invites) == 0 {
		return errors.New("no open invitation has this code")
	}
	s.st.Invites = nil
	return nil
}

// Obtain, Play and Open: a script's session has no host that could play or run anything; the customer says no.
func (s *stub) Obtain(_ context.Context, want session.Grants) error {
	if want&^(session.View|session.Control|session.Chat) != 0 {
		return console.ErrRefused
	}
	return nil
}

// Play says in the chat what is typed.
func (s *stub) Play(_ context.Context, evs []screen.Input) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ev := range evs {
		s.add(chat.Entry{From: 2, Name: "Anna", Lane: chat.AgentsOnly, Kind: chat.Said, Text: fmt.Sprintf("%d %#x %d %s", ev.Kind, ev.Key, ev.Mods, ev.Text)})
	}
	return nil
}

func (s *stub) Snapshot(context.Context) (*screen.TextGrid, error) {
	g := screen.NewTextGrid(image.Pt(12, 2))
	for i, r := range "$ ls" {
		g.Rows[0].Cells[i].Rune = r
	}
	g.Rows[0].Cells[2].Style = screen.Style{Fg: screen.PaletteColour(2), Bg: screen.RGBColour(1, 2, 3), Attr: screen.Bold | screen.CurlyLine}
	g.Cursor.At = image.Pt(4, 0)
	return g, nil
}

func (s *stub) Open(context.Context, wire.StreamKind) (transport.Stream, error) {
	return nil, errors.New("a script's session has no host")
}

func (s *stub) Ask(_ context.Context, c console.Command) (chat.Seq, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c := c.(type) {
	case console.Say:
		return s.add(chat.Entry{From: 2, Name: "Anna", Lane: c.Lane, Kind: chat.Said, Text: c.Text}), nil
	case console.HandOver:
		if c.To == 3 {
			s.add(chat.Entry{From: 3, Name: "Erik", About: 2, Lane: chat.AgentsOnly, Kind: chat.Declined})
			return 0, nil
		}
		s.st.Roster.Lead = c.To
	case console.Leave:
		if c.How == session.EndForAll && s.st.Roster.Lead != s.st.Self {
			return 0, errors.New("only the lead can do that")
		}
		s.st.Phase, s.st.Why = console.Over, "it is over"
	}
	return 0, nil
}

// scriptWatched waits until so many programs, no more and no less, wait with the console of a code for what comes.
func scriptWatched(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: watched CODE PROGRAMS")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(watchersFile(ts.Getenv, args[0]))             // not there yet: nobody
		if n, err := strconv.Atoi(string(b)); err == nil && n-1 == want { // the socket itself is one
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s programs watch", b)
		}
	}
}

// scriptConsole starts a stubConsole and waits until it can be found.
func scriptConsole(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: console CODE")
	}
	ts.Check(os.MkdirAll(ts.Getenv("XDG_STATE_HOME"), 0o700))
	cmd := exec.Command(inPath(ts, "stubconsole"), args[0])
	cmd.Stderr = os.Stderr
	for _, k := range []string{"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "PATH"} {
		cmd.Env = append(cmd.Env, k+"="+ts.Getenv(k))
	}
	ts.Check(cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-done
	})
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		if ts.Exec("assist", "roster", "--session", args[0]) == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the console cannot be found")
		}
	}
}
