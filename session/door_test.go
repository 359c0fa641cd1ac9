package session

import (
	"errors"
	"testing"
)

const seeing = View | Chat

// invited brings an agent in by a badge that allows only seeing.
func (p *play) invited(agent string, c ConsoleID, most Grants) {
	p.t.Helper()
	p.must(Knock{Console: c, Agent: agent, Device: Device{byte(c)}, Name: agent, Want: View | Control | Chat, Most: most})
	p.yes()
}

func TestBadgeBoundsWhatIsAskedAndGiven(t *testing.T) {
	p := newPlay(t, Options{})
	lead := p.in("ann", 2)
	p.invited("bob", 3, seeing)
	bob := p.member("bob")
	if bob.Grants != seeing || bob.Asked != 0 {
		t.Fatalf("%v, asked %v", bob.Grants, bob.Asked)
	}
	for name, c := range map[string]Command{"take": TakeControl{By: bob.ID}, "ask": AskGrants{By: bob.ID, Grants: Diag}} {
		if err := p.do(c); !errors.Is(err, ErrInvited) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.must(SetCeiling{By: lead, Member: bob.ID, Ceiling: AllGrants})
	if g := p.member("bob").Grants; g != seeing {
		t.Errorf("the lead raised it to %v", g)
	}
	if p.MayInput(bob.ID) == nil {
		t.Error("input is played")
	}
}

func TestNewestBadgeCounts(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.in("bob", 3)
	again := Knock{Console: 9, Agent: "bob", Device: Device{3}, Want: View | Control | Chat, Most: seeing}
	p.must(again)
	if g := p.member("bob").Grants; g != seeing {
		t.Errorf("%v by a lower badge", g)
	}
	again.Console, again.Most = 10, 0
	p.must(again)
	if g := p.member("bob").Grants; g != View|Control|Chat {
		t.Errorf("%v by a full badge: the customer had allowed more", g)
	}
}

func TestBadgeTakesOpenQuestionsAway(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	bob := p.in("bob", 3)
	p.must(AskGrants{By: bob, Grants: Diag})
	p.must(Knock{Console: 9, Agent: "bob", Device: Device{3}, Most: seeing})
	if q, up := p.Question(); up {
		t.Errorf("still asked: %+v", q)
	}
}
