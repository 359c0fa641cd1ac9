package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
