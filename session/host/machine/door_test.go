package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assist/session"
	"assist/session/host"
)

func TestWhoIsLoggedIn(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"1":  "UID=1000\nUSER=ada\nTTY=pts/3\nCLASS=user\nSTATE=active\n",
		"2":  "UID=0\nUSER=root\nCLASS=user\nSTATE=online\n",
		"3":  "UID=111\nUSER=gdm\nCLASS=greeter\nSTATE=active\n",
		"4":  "UID=1001\nUSER=bob\nTTY=tty1\nCLASS=user\nSTATE=closing\n",
		"5":  "UID=1002\nTTY=../../etc/passwd\nCLASS=user\nSTATE=active\n",
		"6":  "nonsense\n",
		"7":  "UID=1003\nUSER=eve\nTTY=tty2\nCLASS=user-early\nSTATE=active\n",
		"c1": "UID=1004\nCLASS=manager\nSTATE=active\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	got := map[Person]bool{}
	for _, p := range loggedIn(dir) {
		got[p] = true
	}
	for _, want := range []Person{{1000, "pts/3"}, {0, ""}, {1003, "tty2"}} {
		if !got[want] {
			t.Errorf("%+v is missing", want)
		}
	}
	if len(got) != 3 || len(loggedIn(filepath.Join(dir, "nothing"))) != 0 {
		t.Errorf("%v", got)
	}
}

func TestGoingDown(t *testing.T) {
	running := func() string { return "running" }
	dir := t.TempDir()
	if GoingDown(dir, running) || !GoingDown(dir, func() string { return "stopping" }) {
		t.Error("systemd's word does not count")
	}
	must(t, os.WriteFile(filepath.Join(dir, "nologin"), nil, 0o600))
	if !GoingDown(dir, running) {
		t.Error("a system that lets nobody in any more goes down")
	}
}

// behind opens a door with a view.
func behind(t *testing.T, may func(int) bool, v host.View) (path string, acts chan host.Act) {
	t.Helper()
	dir, err := os.MkdirTemp("", "door") // a socket's path is short
	must(t, err)
	acts = make(chan host.Act, 1)
	views := make(chan host.View, 1)
	views <- v
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	d := Door{Path: filepath.Join(dir, "run", "host.sock"), May: may}
	go func() { done <- d.Run(ctx, views, func(a host.Act) { acts <- a }) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
		must(t, os.RemoveAll(dir))
	})
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		said, err := AskDoor(d.Path, "status")
		if err == nil && (len(said.Agents) > 0 || said.Asks != "") {
			return d.Path, acts
		}
		if time.Now().After(late) {
			t.Fatalf("the door does not open: %+v %v", said, err)
		}
	}
}

func inside() session.Roster {
	return session.Roster{Members: []session.Member{
		{ID: session.CustomerID, Role: session.Customer, Consoles: 1}, {ID: 2, Handle: "eve@acme", Role: session.Lead, Consoles: 1},
	}}
}

func TestPeopleAtTheMachineRefuse(t *testing.T) {
	path, acts := behind(t, nil, host.View{Roster: inside(), Question: &host.Question{Serial: 7, Handle: "bob@acme"}})
	said, err := AskDoor(path, "refuse")
	if a, ok := (<-acts).(host.Answer); err != nil || !ok || a.Serial != 7 || a.Allow != 0 || said.Asks != "bob@acme" || said.Agents[0] != "eve@acme" {
		t.Errorf("%+v %v, done %+v", said, err, a)
	}
	if _, err := AskDoor(path, "allow"); err == nil {
		t.Error("something else than a refusal is heard")
	}
	select {
	case a := <-acts:
		t.Errorf("it did %+v", a)
	default:
	}
}

func TestPeopleAtTheMachineEndTheSession(t *testing.T) {
	path, acts := behind(t, nil, host.View{Roster: inside()})
	if _, err := AskDoor(path, "refuse"); err != nil {
		t.Fatal(err)
	}
	if _, stop := (<-acts).(host.Stop); !stop {
		t.Error("the session goes on")
	}
	if _, err := AskDoor(path+"x", "refuse"); !errors.Is(err, ErrNobody) {
		t.Errorf("where no session is: %v", err)
	}
}
