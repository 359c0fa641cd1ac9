package session

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWhateverHappens sends random commands at random times, from members, strangers and nobody, and holds the rules to what
// they promise.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
		s := New(now, Options{Customer: "Sam", Mode: ControlMode(rapid.IntRange(0, 2).Draw(t, "mode"))})
		var console ConsoleID
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 500, 2000, 30_000, 61_000, 121_000, 301_000, 601_000, 1_801_000}).Draw(t, "ms")) * time.Millisecond)
			c := anyCommand(t, s, &console)
			given := given(s)
			events, err := s.Apply(now, c)
			if bad := s.Check(); bad != nil {
				t.Fatalf("after %T%+v: %v", c, c, bad)
			}
			if d, ok := s.NextDeadline(); ok && !d.After(now) {
				t.Fatalf("after %T%+v at %v: a deadline at %v stays behind", c, c, now, d)
			}
			if over, _ := s.Ended(); over && err == nil && !ends(events) {
				if _, stop := c.(Stop); !stop {
					if _, drop := c.(Drop); !drop {
						if _, tick := c.(Tick); !tick {
							t.Fatalf("%T was done after the end", c)
						}
					}
				}
			}
			onlyTheCustomerGives(t, s, c, given)
		}
		if _, err := s.Apply(now, Stop{By: CustomerID, Why: "stop"}); err != nil {
			t.Fatalf("stop: %v", err)
		}
		if over, _ := s.Ended(); !over || len(s.controllers()) > 0 || s.Check() != nil {
			t.Fatal("a stop did not stop")
		}
		if _, err := s.Apply(now, Knock{Console: 999, Agent: "x"}); !errors.Is(err, ErrOver) {
			t.Fatalf("after the end: %v", err)
		}
	})
}

func ends(events []Event) bool {
	for _, e := range events {
		if e.Kind == EvEnded {
			return true
		}
	}
	return false
}

func given(s *Session) map[MemberID]Grants {
	out := map[MemberID]Grants{}
	for _, m := range s.seats {
		out[m.ID] = m.given
	}
	return out
}

// onlyTheCustomerGives holds that no grant appears but by an answer, or where a policy stands for it.
func onlyTheCustomerGives(t *rapid.T, s *Session, c Command, before map[MemberID]Grants) {
	if _, answer := c.(Answer); answer {
		return
	}
	for _, m := range s.seats {
		if more := m.given &^ before[m.ID]; more != 0 && m.policy == nil {
			t.Fatalf("%T%+v gave %d %v", c, c, m.ID, more)
		}
	}
}

func anyCommand(t *rapid.T, s *Session, console *ConsoleID) Command {
	who := MemberID(rapid.IntRange(0, 9).Draw(t, "who"))
	other := MemberID(rapid.IntRange(0, 9).Draw(t, "other"))
	grants := Grants(rapid.IntRange(0, int(AllGrants)).Draw(t, "grants"))
	some := ConsoleID(rapid.IntRange(1, int(*console)+1).Draw(t, "console"))
	if m := s.seat(who); m != nil && len(m.consoles) > 0 && rapid.Bool().Draw(t, "own") {
		some = m.consoles[0]
	}
	switch rapid.IntRange(0, 23).Draw(t, "command") {
	case 0, 1, 2, 3:
		*console++
		agent := rapid.IntRange(0, 5).Draw(t, "agent")
		most := rapid.SampledFrom([]Grants{0, AllGrants, View | Chat}).Draw(t, "most")
		k := Knock{Console: *console, Agent: fmt.Sprint("agent", agent), Device: Device{byte(agent), byte(rapid.IntRange(0, 1).Draw(t, "device"))}, Want: grants | View, Most: most}
		if rapid.IntRange(0, 2).Draw(t, "unattended") == 0 {
			k.Policy = &Terms{Grants: anyGrants(t), Notice: Notice(rapid.IntRange(0, 2).Draw(t, "notice"))}
		}
		return k
	case 4, 5, 6, 7, 8:
		q, _ := s.Question()
		if rapid.IntRange(0, 3).Draw(t, "yes") > 0 {
			grants = q.Grants
		}
		return Answer{Serial: q.Serial, Allow: grants}
	case 9:
		return Drop{Console: some}
	case 10:
		how := LeaveOnly
		if rapid.IntRange(0, 9).Draw(t, "end") == 0 {
			how = EndForAll
		}
		return Leave{By: who, Console: some, How: how}
	case 11:
		return AskGrants{By: who, Grants: grants}
	case 12:
		return TakeControl{By: who}
	case 13:
		return GiveControl{By: who, To: other}
	case 14:
		return HandOver{By: who, To: other}
	case 15:
		return HandOverAnswer{By: who, Accept: rapid.Bool().Draw(t, "accept")}
	case 16:
		return SetCeiling{By: who, Member: other, Ceiling: grants}
	case 17:
		if rapid.IntRange(0, 3).Draw(t, "remove") > 0 {
			return Tick{}
		}
		return Remove{By: who, Member: other}
	case 18:
		return SetMode{By: who, Mode: ControlMode(rapid.IntRange(0, 3).Draw(t, "to"))}
	case 19:
		return Used{By: who}
	case 20:
		return Request{By: who, Once: uint64(some), Grant: grants, What: "send you a file"}
	case 21:
		return Revoke{Member: who, Grants: grants}
	case 22:
		return Judge{Member: who, Terms: Terms{Grants: anyGrants(t)}}
	}
	return LocalInput{}
}

func anyGrants(t *rapid.T) Grants { return Grants(rapid.IntRange(0, int(AllGrants)).Draw(t, "policy")) }
