package session

import (
	"errors"
	"testing"
	"time"
)

// TestLeadTable is design §6 for the lead, line by line.
func TestLeadTable(t *testing.T) {
	three := func(t *testing.T) *play {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.in("bob", 3)
		p.in("cid", 4)
		return p
	}
	t.Run("leaves: longest present with control", func(t *testing.T) {
		p := three(t)
		p.must(Revoke{Member: 3, Grants: Control})
		p.must(Leave{By: 2, Console: 2})
		if p.Roster().Lead != 4 || p.member("cid").Role != Lead || p.member("ann").Presence != Gone {
			t.Fatalf("%+v", p.Roster())
		}
	})
	t.Run("leaves: nobody has control", func(t *testing.T) {
		p := three(t)
		p.must(Revoke{Grants: Control})
		p.must(Leave{By: 2, Console: 2})
		if p.Roster().Lead != 3 {
			t.Fatalf("%+v", p.Roster())
		}
	})
	t.Run("ends for all", func(t *testing.T) {
		p := three(t)
		p.must(Leave{By: 2, Console: 2, How: EndForAll})
		if over, why := p.Ended(); !over || why != "ended by ann" || !p.saw(EvEnded, 0) {
			t.Fatalf("%v %q", over, why)
		}
	})
	t.Run("hands over and leaves", func(t *testing.T) {
		p := three(t)
		p.must(HandOver{By: 2, To: 4, Note: "printer"})
		if err := p.do(HandOverAnswer{By: 3, Accept: true}); !errors.Is(err, ErrNoOffer) {
			t.Fatalf("somebody else took it: %v", err)
		}
		p.must(HandOverAnswer{By: 4, Accept: true})
		p.must(Leave{By: 2, Console: 2})
		if p.Roster().Lead != 4 {
			t.Fatalf("%+v", p.Roster())
		}
	})
	t.Run("hand-over declined, timed out, taken back", func(t *testing.T) {
		p := three(t)
		p.must(HandOver{By: 2, To: 4})
		if err := p.do(HandOver{By: 2, To: 3}); !errors.Is(err, ErrOffered) {
			t.Fatalf("two at once: %v", err)
		}
		p.must(HandOverAnswer{By: 4})
		p.must(HandOver{By: 2, To: 3})
		p.pass(OfferTime)
		if err := p.do(HandOverAnswer{By: 3, Accept: true}); !errors.Is(err, ErrNoOffer) || !p.saw(EvHandOverOff, 3) {
			t.Fatalf("too late: %v", err)
		}
		p.must(HandOver{By: 2, To: 3})
		p.must(Drop{Console: 3})
		p.must(HandOver{By: 2, To: 4})
		if p.Roster().Lead != 2 {
			t.Fatalf("%+v", p.Roster())
		}
	})
	t.Run("drops: seat held two minutes, then passes on", func(t *testing.T) {
		p := three(t)
		p.must(Drop{Console: 2})
		p.pass(LeadHold - 1)
		if m := p.member("ann"); p.Roster().Lead != 2 || m.Presence != Reconnecting {
			t.Fatalf("%+v", m)
		}
		p.pass(1)
		if p.Roster().Lead != 3 || p.member("ann").Presence != Reconnecting {
			t.Fatalf("%+v", p.Roster())
		}
		p.must(Knock{Console: 9, Agent: "ann", Device: Device{2}})
		if m := p.member("ann"); m.Presence != Here || m.Role != Agent || !m.Grants.Has(Control) || !p.saw(EvResumed, 2) {
			t.Fatalf("back: %+v", m)
		}
	})
	t.Run("drops and is back in time", func(t *testing.T) {
		p := three(t)
		p.must(Drop{Console: 2})
		p.pass(LeadHold / 2)
		p.must(Knock{Console: 9, Agent: "ann", Device: Device{2}})
		p.pass(LeadHold)
		if p.Roster().Lead != 2 {
			t.Fatalf("%+v", p.Roster())
		}
	})
	t.Run("drops, and its heir too", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.in("bob", 3)
		p.must(Drop{Console: 2})
		p.must(Drop{Console: 3})
		p.pass(LeadHold * 2)
		if p.Roster().Lead != 2 {
			t.Fatalf("nobody is here, so the seat stays: %+v", p.Roster())
		}
		p.must(Knock{Console: 9, Agent: "bob", Device: Device{3}})
		if p.Roster().Lead != 3 {
			t.Fatalf("the first one back leads: %+v", p.Roster())
		}
	})
}

func TestOthersComeAndGo(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.in("bob", 3)
	p.must(Drop{Console: 3})
	if !p.saw(EvDropped, 3) || !p.saw(EvRelease, 3) || p.Roster().Lead != 2 || p.MayInput(2) != nil {
		t.Fatalf("%+v", p.Roster())
	}
	p.pass(SeatHold)
	if m := p.member("bob"); m.Presence != Gone || m.Grants != 0 || !p.saw(EvLeft, 3) {
		t.Fatalf("%+v", m)
	}
	p.knock("bob", 8, View) // asked again: consent ended with the seat
	if q, up := p.Question(); !up || q.Member != 3 {
		t.Fatalf("%+v", q)
	}
}

func TestLastAgentGone(t *testing.T) {
	t.Run("ends after ten minutes", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.pass(time.Hour) // nobody ever came: the code's life is the broker's business
		p.in("ann", 2)
		p.must(Leave{By: 2, Console: 2})
		if p.Roster().Lead != Nobody {
			t.Fatalf("%+v", p.Roster())
		}
		p.pass(AloneFor - 1)
		if over, _ := p.Ended(); over {
			t.Fatal("too early")
		}
		p.pass(1)
		if over, _ := p.Ended(); !over {
			t.Fatal("never ended")
		}
	})
	t.Run("somebody comes in time", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.must(Leave{By: 2, Console: 2})
		p.pass(AloneFor - time.Second)
		p.knock("bob", 3, View)
		p.pass(AnswerTime / 2) // the question holds the end back
		p.yes()
		p.pass(AloneFor)
		if over, _ := p.Ended(); over || p.Roster().Lead != 3 {
			t.Fatalf("%v %+v", over, p.Roster())
		}
	})
	t.Run("dropped counts as gone", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.must(Drop{Console: 2})
		p.pass(AloneFor)
		if over, _ := p.Ended(); !over {
			t.Fatal("never ended")
		}
	})
}

func TestCustomerTakesBackAtAnyTime(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.in("bob", 3)
	p.must(Revoke{Member: 2, Grants: Control})
	if p.MayInput(2) == nil || p.MayInput(3) != nil || !p.saw(EvRelease, 2) || p.saw(EvRelease, 3) {
		t.Fatalf("ann %v, bob %v", p.MayInput(2), p.MayInput(3))
	}
	if err := p.do(TakeControl{By: 2}); !errors.Is(err, ErrAskedOnce) {
		t.Fatalf("asked again at once: %v", err)
	}
	p.must(Revoke{Member: 3, Grants: View})
	if m := p.member("bob"); m.Grants != Chat || p.MayInput(3) == nil {
		t.Fatalf("without view: %+v", m)
	}
	p.pass(AskAgain)
	p.must(TakeControl{By: 3})
	p.yes()
	if m := p.member("bob"); m.Grants != View|Control|Chat {
		t.Fatalf("given again: %+v", m)
	}
	if err := p.do(Revoke{Member: 77, Grants: View}); !errors.Is(err, ErrNoSuch) {
		t.Fatalf("of nobody: %v", err)
	}
}

func TestLeadsCeiling(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.in("bob", 3)
	if err := p.do(SetCeiling{By: 3, Member: 2}); !errors.Is(err, ErrLeadOnly) {
		t.Fatalf("not the lead: %v", err)
	}
	p.must(SetCeiling{By: 2, Member: 3, Ceiling: View | Chat})
	if err := p.do(TakeControl{By: 3}); !errors.Is(err, ErrCeiling) || p.MayInput(3) == nil || !p.saw(EvRelease, 3) {
		t.Fatalf("%v %v", err, p.MayInput(3))
	}
	if err := p.do(AskGrants{By: 3, Grants: File}); !errors.Is(err, ErrCeiling) {
		t.Fatalf("round the ceiling: %v", err)
	}
	p.must(SetCeiling{By: 2, Member: 3, Ceiling: AllGrants})
	if p.MayInput(3) != nil {
		t.Fatal("what the customer gave is still given")
	}
}

func TestRemoved(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.in("bob", 3)
	if err := p.do(Remove{By: 3, Member: 2}); !errors.Is(err, ErrLeadOnly) {
		t.Fatalf("not the lead: %v", err)
	}
	if err := p.do(Remove{By: 2, Member: 2}); !errors.Is(err, ErrNotYou) {
		t.Fatalf("oneself: %v", err)
	}
	if err := p.do(Remove{By: 2, Member: CustomerID}); !errors.Is(err, ErrNoSuch) {
		t.Fatalf("the customer: %v", err)
	}
	p.must(Remove{By: 2, Member: 3, Why: "mistake"})
	for _, k := range []Knock{{Console: 8, Agent: "bob", Device: Device{50}}, {Console: 9, Agent: "bob2", Device: Device{3}}} {
		if err := p.do(k); !errors.Is(err, ErrBarred) {
			t.Fatalf("%+v: %v", k, err)
		}
	}
	p.must(Remove{By: CustomerID, Member: 2})
	if p.agentsHere() != 0 || !p.saw(EvRelease, 3) {
		t.Fatalf("%+v", p.Roster())
	}
}
