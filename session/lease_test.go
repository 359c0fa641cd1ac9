package session

import (
	"testing"
	"time"
)

// use passes d in steps in which every one of the members plays something.
func (p *play) use(d time.Duration, who ...MemberID) {
	p.t.Helper()
	for ; d > 0; d -= time.Minute {
		for _, m := range who {
			p.must(Used{By: m})
		}
		p.pass(min(d, time.Minute))
	}
}

func TestControlNotUsedGoesBack(t *testing.T) {
	p := newPlay(t, Options{})
	ann, bob := p.in("ann", 2), p.in("bob", 3)
	p.use(ControlIdle, ann)
	if p.MayInput(ann) != nil || p.MayInput(bob) == nil || p.member("bob").Grants != View|Chat || !p.saw(EvRelease, bob) {
		t.Fatalf("%+v", p.Roster())
	}
	if last := p.last(EvGrants); last.Text == "" || last.By != Nobody {
		t.Errorf("told without a reason: %+v", last)
	}
	p.must(TakeControl{By: bob}) // asked, not refused
	p.yes()
	p.pass(ControlIdle - 1)
	if p.MayInput(bob) != nil {
		t.Error("ends too early")
	}
}

func TestLongControlIsAskedAbout(t *testing.T) {
	start := func(t *testing.T) (*play, Question) {
		p := newPlay(t, Options{})
		ann := p.in("ann", 2)
		p.use(ConfirmTime-time.Second, ann)
		if _, up := p.Question(); up || p.MayInput(ann) != nil {
			t.Fatal("asked too early")
		}
		p.pass(time.Second)
		q, up := p.Question()
		if !up || !q.Again || q.Grants != Control || q.Member != ann || p.MayInput(ann) == nil {
			t.Fatalf("%+v %v", q, up)
		}
		return p, q
	}
	t.Run("yes", func(t *testing.T) {
		p, q := start(t)
		p.pass(30 * time.Second)
		p.must(Answer{Serial: q.Serial, Allow: Control})
		if p.MayInput(2) != nil {
			t.Fatal(p.MayInput(2))
		}
		p.use(ConfirmTime-time.Second, 2)
		if p.MayInput(2) != nil {
			t.Fatal("asked again too early")
		}
	})
	for name, answer := range map[string]func(*play, Question){
		"no":      func(p *play, q Question) { p.must(Answer{Serial: q.Serial}) },
		"silence": func(p *play, _ Question) { p.pass(AnswerTime) },
	} {
		t.Run(name, func(t *testing.T) {
			p, q := start(t)
			answer(p, q)
			if m := p.member("ann"); m.Grants != View|Chat || m.Asked != 0 || p.MayInput(2) == nil {
				t.Fatalf("%+v", m)
			}
		})
	}
	t.Run("dropped", func(t *testing.T) {
		p := newPlay(t, Options{})
		ann := p.in("ann", 2)
		p.use(ConfirmTime-time.Minute, ann)
		p.must(Drop{Console: 2})
		p.pass(time.Minute)
		if _, up := p.Question(); up || p.member("ann").Grants.Has(Control) {
			t.Fatalf("%+v", p.Roster())
		}
	})
}

func TestNobodyHelpsForEver(t *testing.T) {
	p := newPlay(t, Options{})
	p.pass(HardEnd) // nobody was in yet
	ann := p.in("ann", 2)
	p.pass(HardEnd - time.Second)
	if over, _ := p.Ended(); over {
		t.Fatal("too early")
	}
	p.pass(time.Second)
	if over, why := p.Ended(); !over || why != "8 hours are over" || p.MayInput(ann) == nil {
		t.Fatalf("%v %q", over, why)
	}
}

func (p *play) last(kind EventKind) (last Event) {
	for _, e := range p.events {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}
