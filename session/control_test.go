package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestModes(t *testing.T) {
	start := func(t *testing.T, m ControlMode) *play {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.in("bob", 3)
		p.in("cid", 4)
		p.must(Used{By: 3})
		if p.Roster().Controlling != 3 {
			t.Fatal("not shown as controlling")
		}
		p.must(SetMode{By: 2, Mode: m})
		if p.MayInput(3) != nil || p.MayInput(2) == nil && m != Free {
			t.Fatal("who was controlling goes on controlling")
		}
		return p
	}
	t.Run("free", func(t *testing.T) {
		p := newPlay(t, Options{})
		p.in("ann", 2)
		p.in("bob", 3)
		if p.MayInput(2) != nil || p.MayInput(3) != nil {
			t.Fatal("all at once")
		}
		p.must(Used{By: 2})
		p.pass(ShownFor)
		if p.Roster().Controlling != Nobody {
			t.Fatal("shown for too long")
		}
	})
	t.Run("ask", func(t *testing.T) {
		p := start(t, Ask)
		p.must(TakeControl{By: 4})
		if !p.saw(EvControlAsked, 4) || p.MayInput(4) == nil {
			t.Fatal("taken without an answer")
		}
		p.must(GiveControl{By: 3})
		if p.MayInput(4) != nil || p.MayInput(3) == nil {
			t.Fatal("the one who asked gets it")
		}
		p.must(TakeControl{By: 3})
		p.pass(IdleHolder)
		if p.MayInput(3) != nil {
			t.Fatal("an idle holder does not block")
		}
		p.must(TakeControl{By: 2})
		if p.MayInput(2) != nil {
			t.Fatal("the lead takes it")
		}
	})
	t.Run("baton", func(t *testing.T) {
		p := start(t, Baton)
		if err := p.do(TakeControl{By: 4}); !errors.Is(err, ErrHeld) {
			t.Fatalf("taken away: %v", err)
		}
		if err := p.do(GiveControl{By: 4, To: 4}); !errors.Is(err, ErrHeld) {
			t.Fatalf("given by another: %v", err)
		}
		p.must(GiveControl{By: 3, To: 4})
		if p.MayInput(4) != nil || p.MayInput(3) == nil || !p.saw(EvRelease, 3) {
			t.Fatal("not handed on")
		}
		p.must(Drop{Console: 4})
		p.must(TakeControl{By: 3})
		if p.MayInput(3) != nil {
			t.Fatal("a dropped holder blocks")
		}
		p.must(SetMode{By: CustomerID, Mode: Free})
		if p.MayInput(2) != nil {
			t.Fatal("free again")
		}
		if err := p.do(SetMode{By: 3, Mode: Ask}); !errors.Is(err, ErrLeadOnly) {
			t.Fatalf("set by another: %v", err)
		}
	})
}

func TestQuestionAndCustomersInputPauseRemoteInput(t *testing.T) {
	p := newPlay(t, Options{})
	p.in("ann", 2)
	p.knock("bob", 3, View)
	if !errors.Is(p.MayInput(2), ErrPaused) || !p.saw(EvRelease, 2) || !p.Roster().Paused {
		t.Fatalf("%v", p.MayInput(2))
	}
	p.yes()
	if p.MayInput(2) != nil {
		t.Fatal("never resumed")
	}
	p.must(LocalInput{})
	if !errors.Is(p.MayInput(2), ErrPaused) || !strings.Contains(p.Roster().WhyPaused, "using") {
		t.Fatalf("%v", p.MayInput(2))
	}
	p.pass(LocalPause)
	if p.MayInput(2) != nil {
		t.Fatal("never resumed")
	}
}

// TestEveryCommandInEveryRole holds that nobody but who may can change anything, and that a stop works in each state.
func TestEveryCommandInEveryRole(t *testing.T) {
	commands := func(by MemberID, c ConsoleID) map[string]Command {
		return map[string]Command{
			"leave": Leave{By: by, Console: c}, "end": Leave{By: by, Console: c, How: EndForAll}, "ask": AskGrants{By: by, Grants: File},
			"take": TakeControl{By: by}, "give": GiveControl{By: by}, "hand over": HandOver{By: by, To: 4}, "accept": HandOverAnswer{By: by, Accept: true},
			"ceiling": SetCeiling{By: by, Member: 4, Ceiling: View}, "remove": Remove{By: by, Member: 4}, "mode": SetMode{By: by, Mode: Baton},
			"words": CheckedWords{By: by}, "use": Used{By: by}, "drop": Drop{Console: c}, "knock": Knock{Console: 50, Agent: "new"},
			"revoke": Revoke{Member: 4, Grants: Control}, "local": LocalInput{}, "stop": Stop{By: CustomerID}, "tick": Tick{},
		}
	}
	always := []string{"drop", "knock", "revoke", "local", "stop", "tick"}
	may := map[string][]string{
		"lead":       append([]string{"leave", "end", "ask", "take", "give", "hand over", "ceiling", "remove", "mode", "words", "use"}, always...),
		"controller": append([]string{"leave", "ask", "take", "give", "words", "use"}, always...),
		"viewer":     append([]string{"leave", "ask", "take", "give", "words"}, always...),
		"dropped":    always,
		"knocking":   always,
		"removed":    always,
		"nobody":     always,
		"customer":   append([]string{"remove", "mode"}, always...),
	}
	ids := map[string]struct {
		m MemberID
		c ConsoleID
	}{"lead": {2, 2}, "controller": {3, 3}, "viewer": {5, 5}, "dropped": {6, 6}, "removed": {7, 7}, "knocking": {8, 8}, "nobody": {99, 99}, "customer": {CustomerID, 0}}
	for role, who := range ids {
		for name, c := range commands(who.m, who.c) {
			t.Run(role+" "+name, func(t *testing.T) {
				p := newPlay(t, Options{})
				for i, agent := range []string{"ann", "bob", "cid", "dee", "eve", "fay"} {
					p.in(agent, ConsoleID(i+2))
				}
				p.must(Revoke{Member: 5, Grants: Control})
				p.must(Drop{Console: 6})
				p.must(Remove{By: 2, Member: 7})
				p.pass(AskAgain)
				if role == "knocking" {
					p.knock("gus", 8, View)
				}
				err := p.do(c)
				if allowed := slices.Contains(may[role], name); allowed != (err == nil) {
					t.Errorf("allowed %v, got %v", allowed, err)
				}
				p.must(Stop{By: CustomerID, Why: "stopped"})
				if over, _ := p.Ended(); !over || len(p.controllers()) > 0 {
					t.Error("goes on after the stop")
				}
				if err := p.do(TakeControl{By: 2}); !errors.Is(err, ErrOver) {
					t.Errorf("after the end: %v", err)
				}
			})
		}
	}
}
