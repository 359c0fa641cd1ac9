package store

import (
	"errors"
	"testing"
	"time"
)

// A session goes from hand to hand only when nobody alive holds it, and only once for each epoch.
func TestRoutesHaveLeasesAndEpochs(t *testing.T) {
	s := open(t, t.TempDir())
	_, agent := people(t, s)
	ctx := t.Context()
	beat := func(id string) bool {
		t.Helper()
		drain, err := s.Beat(ctx, Relay{ID: id, Addr: id + ":1", Pin: "1.x", Started: noon, Sessions: 3})
		must(t, err)
		return drain
	}
	id, code := [16]byte{7}, [32]byte{7}
	must(t, s.AddSession(ctx, Session{ID: id, Code: code, Minted: noon, Relay: "a", StartedBy: agent.ID}))
	beat("a")
	beat("b")
	r, err := s.Route(ctx, code)
	must(t, err)
	if r.Session != id || r.Epoch != 1 || r.Relay.Addr != "a:1" || !r.Relay.Open() || r.Claimed || r.Relay.Silent > time.Minute {
		t.Fatalf("%+v", r)
	}
	if _, err := s.Take(ctx, id, "b", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("taken from a living relay: %v", err)
	}
	must(t, s.Drain(ctx, "a", true, Event{At: noon, Kind: "relay.drain"}))
	if !beat("a") {
		t.Error("a does not hear that it drains")
	}
	epoch, err := s.Take(ctx, id, "b", 1)
	must(t, err)
	if _, err := s.Take(ctx, id, "c", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("taken twice: %v", err)
	}
	mine, err := s.Routes(ctx, "b")
	must(t, err)
	if lost, _ := s.Routes(ctx, "a"); mine[id] != epoch || epoch != 2 || len(lost) != 0 {
		t.Errorf("b has %v, a has %v", mine, lost)
	}
	if err := s.EndSession(ctx, id, "a", noon, noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended by a relay that lost it: %v", err)
	}
	must(t, s.Gone(ctx, "b"))
	if _, err = s.Take(ctx, id, "c", 2); err != nil {
		t.Errorf("of a relay that has gone: %v", err)
	}
	must(t, s.AddInvite(ctx, Invite{Code: [32]byte{8}, Session: id, Sealed: []byte{1}, By: "eve@acme", For: "bolt", Made: noon, Expires: noon}))
	if r, err = s.Route(ctx, [32]byte{8}); err != nil || r.Session != id || r.For != "bolt" || r.Relay.ID != "" {
		t.Errorf("by invitation: %+v, %v", r, err)
	}
	must(t, s.EndSession(ctx, id, "c", noon, noon))
	if _, err = s.Route(ctx, code); !errors.Is(err, ErrNotFound) {
		t.Errorf("a session that ended has a route: %v", err)
	}
	all, err := s.Relays(ctx)
	must(t, err)
	if len(all) != 1 || all[0].ID != "a" || all[0].Open() {
		t.Errorf("%+v", all)
	}
	must(t, s.Forget(ctx, noon.Add(time.Hour)))
}

func TestWrongTriesAreToldToTheOthers(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	old := WrongTry{Relay: "a", Kind: "code", At: noon.Add(-2 * tryLife)}
	must(t, s.TellWrong(ctx, old))
	try := WrongTry{Relay: "a", Kind: "code", Account: "eve", Address: "192.0.2.1", At: noon}
	must(t, s.TellWrong(ctx, try))
	for relay, want := range map[string]int{"a": 0, "b": 1} {
		got, err := s.WrongTries(ctx, 0, relay)
		must(t, err)
		if len(got) != want {
			t.Fatalf("%s hears %+v", relay, got)
		}
		if want == 1 {
			try.ID = got[0].ID
			if got[0] != try {
				t.Errorf("got %+v, want %+v", got[0], try)
			}
		}
	}
	if got, _ := s.WrongTries(ctx, try.ID, "b"); len(got) != 0 {
		t.Errorf("told twice: %+v", got)
	}
}

func TestRelaysOfOneDatabaseHaveTheSameKeys(t *testing.T) {
	s := open(t, t.TempDir())
	must(t, s.Mark(t.Context(), "keys", []byte{1}))
	must(t, s.Mark(t.Context(), "keys", []byte{1}))
	if err := s.Mark(t.Context(), "keys", []byte{2}); !errors.Is(err, ErrOtherKeys) {
		t.Error(err)
	}
}
