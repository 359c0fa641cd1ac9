package session

import (
	"errors"
	"testing"
	"time"
)

// comes is an agent at a machine where nobody has to answer.
func comes(agent string, c ConsoleID, want Grants, terms Terms) Knock {
	return Knock{Console: c, Agent: agent, Device: Device{byte(c)}, Name: agent, Handle: agent + "@acme", Org: "Acme", Trust: VerifiedOrg, Want: want, Policy: &terms}
}

const working = View | Control | Chat

func TestPolicyStandsForTheAnswer(t *testing.T) {
	p := newPlay(t, Options{})
	p.must(comes("eve", 2, working, Terms{Grants: working | Diag}))
	eve := p.member("eve")
	if _, up := p.Question(); up || eve.Grants != working || p.Roster().Lead != eve.ID || p.MayInput(eve.ID) != nil {
		t.Fatalf("%+v, question %v", eve, up)
	}
	p.must(AskGrants{By: eve.ID, Grants: Diag})
	if err := p.do(AskGrants{By: eve.ID, Grants: File}); !errors.Is(err, ErrPolicyGrant) || p.member("eve").Grants != working|Diag {
		t.Errorf("a grant that the policy does not have: %v, %v", err, p.member("eve").Grants)
	}
	p.must(Request{By: eve.ID, Once: 7, Grant: Diag, What: "a report"})
	if _, up := p.Question(); up || !p.saw(EvAnswered, eve.ID) {
		t.Error("a request under a grant of the policy waits for an answer")
	}
	p.must(Judge{Member: eve.ID, Terms: Terms{Grants: View}})
	if g := p.member("eve").Grants; g != View || p.MayInput(eve.ID) == nil || !p.saw(EvRelease, eve.ID) {
		t.Errorf("%v after the policy became tighter", g)
	}
	for range 2 {
		p.pass(ConfirmTime)
		if _, up := p.Question(); up {
			t.Error("somebody is asked whether an agent may go on")
		}
	}
	if err := p.do(comes("bob", 3, working, Terms{Grants: Chat})); !errors.Is(err, ErrPolicyGrant) {
		t.Errorf("without seeing: %v", err)
	}
}

func TestPeopleAtTheMachineMayRefuse(t *testing.T) {
	terms := Terms{Grants: working, Notice: AskFirst}
	p := newPlay(t, Options{})
	p.must(comes("eve", 2, working, terms))
	q, up := p.Question()
	if !up || q.Grants != working || q.Silence != working || q.Later != 0 || p.member("eve").Presence != Knocking {
		t.Fatalf("%v %+v", up, q)
	}
	p.pass(AnswerTime - time.Second)
	if p.member("eve").Presence != Knocking {
		t.Fatal("let in before the time was over")
	}
	p.pass(time.Second)
	if p.member("eve").Grants != working {
		t.Errorf("nobody refused, and she has %v", p.member("eve").Grants)
	}

	p = newPlay(t, Options{})
	p.must(comes("eve", 2, working, terms))
	q, _ = p.Question()
	p.must(Answer{Serial: q.Serial})
	if !p.saw(EvRefused, 2) || p.agentsHere() != 0 {
		t.Error("a refusal does not keep her out")
	}
}

func TestSilenceIsNoWhereTheCustomerIsAsked(t *testing.T) {
	p := newPlay(t, Options{})
	p.knock("max", 2, working)
	p.pass(AnswerTime)
	if !p.saw(EvRefused, 2) {
		t.Error("silence was a yes")
	}
}

func TestWhatWasTakenBackIsNotGivenAgainAtOnce(t *testing.T) {
	p := newPlay(t, Options{})
	p.must(comes("eve", 2, working, Terms{Grants: working}))
	eve := p.member("eve").ID
	p.must(Revoke{Member: eve, Grants: Control})
	if err := p.do(TakeControl{By: eve}); !errors.Is(err, ErrAskedOnce) {
		t.Errorf("at once: %v", err)
	}
	p.pass(AskAgain)
	p.must(TakeControl{By: eve})
	if p.MayInput(eve) != nil {
		t.Error("later it is not given either")
	}
}

func TestSessionToWhichNobodyComesEnds(t *testing.T) {
	p := newPlay(t, Options{Empty: time.Minute})
	p.pass(time.Minute - time.Second)
	if over, _ := p.Ended(); over {
		t.Fatal("too early")
	}
	p.pass(time.Second)
	if over, _ := p.Ended(); !over {
		t.Error("it goes on")
	}
	p = newPlay(t, Options{Empty: time.Minute})
	p.must(comes("eve", 2, working, Terms{Grants: working}))
	p.pass(time.Hour)
	if over, _ := p.Ended(); over {
		t.Error("it ends with an agent in it")
	}
}

func TestSessionOutlivesItsHost(t *testing.T) {
	p := newPlay(t, Options{})
	p.must(comes("eve", 2, working, Terms{Grants: working}))
	p.must(comes("bob", 3, View|Chat, Terms{Grants: working}))
	p.must(comes("max", 4, View|Chat, Terms{Grants: working}))
	p.must(Remove{By: p.member("eve").ID, Member: p.member("max").ID})
	saved := p.Save()
	if len(saved.Seats) != 2 {
		t.Fatalf("%d seats are kept", len(saved.Seats))
	}
	p = &play{t: t, now: p.now.Add(3 * time.Minute), Session: Restore(p.now.Add(3*time.Minute), Options{}, saved)}
	p.must(Tick{})
	if r := p.Roster(); r.Lead != p.member("eve").ID || p.member("bob").Presence != Reconnecting || p.agentsHere() != 0 {
		t.Fatalf("%+v", r)
	}
	if !p.Knows("eve", Device{2}) || p.Knows("eve", Device{3}) || p.Knows("nobody", Device{2}) {
		t.Error("who was in is known by the device")
	}
	p.must(comes("eve", 5, working, Terms{Grants: working}))
	again := comes("eve", 6, working, Terms{Grants: working})
	again.Device = Device{2}
	p.must(again)
	if !p.saw(EvResumed, 0) && p.member("eve").Presence != Here {
		t.Error("she is not back on her seat")
	}
	if err := p.do(comes("max", 4, View, Terms{Grants: working})); !errors.Is(err, ErrBarred) {
		t.Errorf("who was sent out: %v", err)
	}
	p.pass(SeatHold)
	if p.member("bob").Presence != Gone {
		t.Error("the seat of who does not come back is held for ever")
	}
}

func TestPolicyAgainAfterTheHostWasAway(t *testing.T) {
	p := newPlay(t, Options{})
	p.must(comes("eve", 2, working, Terms{Grants: working}))
	p = &play{t: t, now: p.now, Session: Restore(p.now, Options{}, p.Save())}
	p.must(comes("eve", 2, working, Terms{Grants: View | Chat}))
	if g := p.member("eve").Grants; g != View|Chat {
		t.Errorf("%v under a policy that allows less now", g)
	}
}
