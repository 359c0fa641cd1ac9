package session

import (
	"errors"
	"testing"
	"time"
)

// A request is answered for once and gives nothing; without its grant it is not even asked.
func TestRequestIsForOnce(t *testing.T) {
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	s := New(now, Options{Customer: "Sam"})
	do := func(c Command) ([]Event, error) { return s.Apply(now, c) }
	yes := func() []Event {
		q, up := s.Question()
		if !up {
			t.Fatal("nothing is asked")
		}
		ev, err := do(Answer{Serial: q.Serial, Allow: q.Grants})
		if err != nil {
			t.Fatal(err)
		}
		return ev
	}
	_, _ = do(Knock{Console: 1, Agent: "ann", Name: "ann", Want: View | File})
	yes()
	file := Request{By: 2, Once: 7, Grant: File, What: "send you report.pdf"}
	if _, err := do(file); !errors.Is(err, ErrNotGiven) {
		t.Fatalf("before the grant: %v", err)
	}
	yes()
	if _, err := do(file); err != nil {
		t.Fatal(err)
	}
	if q, _ := s.Question(); q.Once != 7 || q.What != file.What || s.MayInput(2) == nil {
		t.Fatalf("asked %+v", q)
	}
	q, _ := s.Question()
	ev, _ := do(Answer{Serial: q.Serial})
	if ev[0].Kind != EvAnswered || ev[0].Question.Once != 7 || ev[0].Grants != 0 {
		t.Fatalf("told %+v", ev)
	}
	if m, _ := s.Roster().Member(2); !m.Grants.Has(File) {
		t.Fatal("a no to one file took the grant")
	}
	if _, err := do(file); !errors.Is(err, ErrAskedOnce) {
		t.Fatalf("at once again: %v", err)
	}
	now = now.Add(AskAgain + time.Second)
	if _, err := do(file); err != nil {
		t.Fatal(err)
	}
	ev, _ = do(Unask{Once: 9})
	if q, up := s.Question(); len(ev) > 0 || !up || q.Once != 7 {
		t.Fatalf("another's question went: %+v", ev)
	}
	ev, _ = do(Unask{Once: 7})
	if _, up := s.Question(); up || ev[0].Kind != EvWithdrawn || ev[0].Question.Once != 7 {
		t.Fatalf("who asked has gone: %+v", ev)
	}
	_, _ = do(file)
	file.Once = 8
	_, _ = do(file) // waits behind
	ev, _ = do(Revoke{Grants: File})
	gone := map[uint64]bool{}
	for _, e := range ev {
		if e.Kind == EvWithdrawn {
			gone[e.Question.Once] = true
		}
	}
	if !gone[7] || !gone[8] {
		t.Fatalf("with the grant gone, these were withdrawn: %v", gone)
	}
}
