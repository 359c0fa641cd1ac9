package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// play is a session on a clock of its own.
type play struct {
	t *testing.T
	*Session
	now    time.Time
	events []Event // all so far
}

func newPlay(t *testing.T, opt Options) *play {
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	if opt.Customer == "" {
		opt.Customer = "Sam"
	}
	return &play{t: t, Session: New(now, opt), now: now}
}

func (p *play) do(c Command) error {
	p.t.Helper()
	ev, err := p.Apply(p.now, c)
	p.events = append(p.events, ev...)
	if bad := p.Check(); bad != nil {
		p.t.Fatalf("after %T%+v: %v", c, c, bad)
	}
	return err
}

func (p *play) must(c Command) {
	p.t.Helper()
	if err := p.do(c); err != nil {
		p.t.Fatalf("%T%+v: %v", c, c, err)
	}
}

func (p *play) pass(d time.Duration) {
	p.t.Helper()
	p.now = p.now.Add(d)
	p.must(Tick{})
}

func (p *play) knock(agent string, c ConsoleID, want Grants) {
	p.t.Helper()
	p.must(Knock{Console: c, Agent: agent, Device: Device{byte(c)}, Name: agent, Handle: agent + "@acme", Org: "Acme", Want: want})
}

// yes answers every question that is up with all it asks.
func (p *play) yes() {
	p.t.Helper()
	for q, up := p.Question(); up; q, up = p.Question() {
		p.must(Answer{Serial: q.Serial, Allow: q.Grants})
	}
}

// in brings an agent in with view, chat and control; consoles and members are numbered alike, from 2.
func (p *play) in(agent string, c ConsoleID) MemberID {
	p.t.Helper()
	p.now = p.now.Add(time.Second)
	p.knock(agent, c, View|Control|Chat)
	p.yes()
	return p.member(agent).ID
}

func (p *play) member(agent string) Member {
	for _, m := range p.Roster().Members {
		if m.Name == agent {
			return m
		}
	}
	return Member{}
}

// saw says whether an event of the kind about the member happened since the last look.
func (p *play) saw(kind EventKind, m MemberID) bool {
	return slices.ContainsFunc(p.events, func(e Event) bool { return e.Kind == kind && e.Member == m })
}

func TestViewFirstControlApart(t *testing.T) {
	p := newPlay(t, Options{})
	p.knock("ann", 2, View|Chat|Control|Diag)
	q, up := p.Question()
	if !up || !q.Join || q.Grants != View|Chat || q.Later != Control|Diag || q.Name != "ann" || !q.Deadline.Equal(p.now.Add(AnswerTime)) {
		t.Fatalf("first question %+v", q)
	}
	if m := p.member("ann"); m.Presence != Knocking || m.Grants != 0 {
		t.Fatalf("at the door: %+v", m)
	}
	p.must(Answer{Serial: q.Serial, Allow: q.Grants})
	if m := p.member("ann"); m.Presence != Here || m.Grants != View|Chat || m.Role != Lead || m.Consoles != 1 || m.Asked != Control|Diag {
		t.Fatalf("after the first yes: %+v", m)
	}
	q2, up := p.Question()
	if !up || q2.Join || q2.Grants != Control {
		t.Fatalf("second question %+v", q2)
	}
	if err := p.do(Answer{Serial: q.Serial, Allow: AllGrants}); !errors.Is(err, ErrStale) {
		t.Fatalf("an old answer: %v", err)
	}
	p.must(Answer{Serial: q2.Serial, Allow: AllGrants})
	if m := p.member("ann"); m.Grants != View|Chat|Control {
		t.Fatalf("an answer gave more than was asked: %v", m.Grants)
	}
	if err := p.MayInput(2); !errors.Is(err, ErrPaused) {
		t.Fatalf("input while the third question is up: %v", err)
	}
	q3, _ := p.Question()
	p.must(Answer{Serial: q3.Serial, Allow: 0})
	if m := p.member("ann"); m.Grants.Has(Diag) || p.MayInput(2) != nil {
		t.Fatalf("after the no: %+v, %v", m, p.MayInput(2))
	}
	if err := p.do(AskGrants{By: 2, Grants: Diag}); !errors.Is(err, ErrAskedOnce) {
		t.Fatalf("asked again at once: %v", err)
	}
	p.pass(AskAgain)
	p.must(AskGrants{By: 2, Grants: Diag})
	if q, up := p.Question(); !up || q.Grants != Diag {
		t.Fatalf("asked again later: %+v", q)
	}
}

func TestSilenceIsNo(t *testing.T) {
	p := newPlay(t, Options{})
	p.knock("ann", 2, View)
	p.pass(AnswerTime - 1)
	if p.saw(EvRefused, 2) {
		t.Fatal("refused too early")
	}
	p.pass(1)
	if !p.saw(EvRefused, 2) || p.member("ann").ID != 0 {
		t.Fatalf("silence let somebody stand at the door: %+v", p.Roster())
	}
	p.in("ann", 3)
	p.must(AskGrants{By: 3, Grants: File})
	p.pass(AnswerTime)
	if m := p.member("ann"); m.Grants.Has(File) || m.Asked != 0 || m.Presence != Here {
		t.Fatalf("silence at a grant: %+v", m)
	}
}

func TestAtTheDoor(t *testing.T) {
	t.Run("three times refused is barred", func(t *testing.T) {
		p := newPlay(t, Options{})
		for i := range 3 {
			p.knock("ann", ConsoleID(i+2), View)
			q, _ := p.Question()
			p.must(Answer{Serial: q.Serial})
		}
		if err := p.do(Knock{Console: 9, Agent: "ann"}); !errors.Is(err, ErrBarred) {
			t.Fatalf("fourth knock: %v", err)
		}
		if err := p.do(Knock{Console: 10, Agent: "eve"}); !errors.Is(err, ErrBusy) {
			t.Fatalf("a stranger right after: %v", err)
		}
		p.pass(Quiet)
		p.knock("eve", 11, View)
	})
	t.Run("gone while it waits", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.knock("ann", 2, View)
		p.knock("bob", 3, View)
		p.must(Drop{Console: 2})
		if q, up := p.Question(); !up || q.Name != "bob" || !p.saw(EvWithdrawn, 2) {
			t.Fatalf("question %+v", q)
		}
	})
	t.Run("the same device twice is one question", func(t *testing.T) {
		p := newPlay(t, Options{})
		for _, c := range []ConsoleID{2, 3} {
			p.must(Knock{Console: c, Agent: "ann", Device: Device{7}, Name: "ann", Want: View})
		}
		p.must(Drop{Console: 2})
		p.yes()
		if m := p.member("ann"); m.Consoles != 1 || m.Presence != Here {
			t.Fatalf("%+v", m)
		}
	})
	t.Run("the queue is bounded", func(t *testing.T) {
		p := newPlay(t, Options{})
		for i := range MaxAsking {
			p.knock(fmt.Sprint("a", i), ConsoleID(i+2), View)
		}
		if err := p.do(Knock{Console: 99, Agent: "z"}); !errors.Is(err, ErrBusy) {
			t.Fatalf("one more: %v", err)
		}
	})
	t.Run("the most that a host gives", func(t *testing.T) {
		p := newPlay(t, Options{Most: View | Chat})
		if id := p.in("ann", 2); p.MayInput(id) == nil || p.member("ann").Grants != View|Chat {
			t.Fatalf("%+v", p.member("ann"))
		}
	})
}

func TestTwoConsolesOfOneAgent(t *testing.T) {
	p := newPlay(t, Options{})
	id := p.in("ann", 2)
	p.must(Knock{Console: 3, Agent: "ann", Device: Device{2}})
	if m := p.member("ann"); m.Consoles != 2 || m.ID != id || len(p.Roster().Members) != 2 {
		t.Fatalf("same device: %+v", p.Roster())
	}
	p.must(Knock{Console: 4, Agent: "ann", Device: Device{9}, Name: "ann"})
	q, up := p.Question()
	if !up || q.Grants != View|Chat|Control {
		t.Fatalf("another device is asked about with all it will get: %+v", q)
	}
	p.must(Answer{Serial: q.Serial, Allow: View})
	if m := p.member("ann"); m.Consoles != 3 || m.Grants != View {
		t.Fatalf("after view only: %+v", m)
	}
	p.must(Leave{By: id, Console: 2})
	p.must(Drop{Console: 3})
	if m := p.member("ann"); m.Consoles != 1 || m.Presence != Here || m.Role != Lead {
		t.Fatalf("one console left: %+v", m)
	}
	if err := p.do(Leave{By: id, Console: 2}); !errors.Is(err, ErrNotHere) {
		t.Fatalf("the same console left twice: %v", err)
	}
}
