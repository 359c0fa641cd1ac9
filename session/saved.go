package session

import (
	"slices"
	"time"
)

// Saved is what of a session outlives the host's process: who was in, on which terms, and who is not let in again.
type Saved struct {
	Began  time.Time
	First  time.Time
	LastID MemberID
	Lead   MemberID
	Mode   ControlMode
	Seats  []SavedSeat
	Barred []string
}

// SavedSeat is an agent who was in.
type SavedSeat struct {
	Member  Member
	Agent   string // the account
	Known   []Device
	Given   Grants
	Ceiling Grants
	Most    Grants
	Policy  *Terms
	Joined  time.Time
}

// Save tells what has to be kept.
func (s *Session) Save() Saved {
	out := Saved{Began: s.began, First: s.first, LastID: s.lastID, Lead: s.lead, Mode: s.mode}
	for _, m := range s.seats {
		if m.Presence == Here || m.Presence == Reconnecting {
			out.Seats = append(out.Seats, SavedSeat{
				Member: m.Member, Agent: m.agent, Known: slices.Clone(m.known), Given: m.given, Ceiling: m.ceiling, Most: m.most,
				Policy: m.policy, Joined: m.joined,
			})
		}
	}
	for who := range s.barred {
		out.Barred = append(out.Barred, who)
	}
	slices.Sort(out.Barred)
	return out
}

// Restore is the session again after the host's process was away: everybody's seat is held from now on, nobody is asked
// about anew.
func Restore(now time.Time, opt Options, from Saved) *Session {
	s := New(now, opt)
	s.began, s.first, s.lastID, s.lead, s.mode = from.Began, from.First, from.LastID, from.Lead, from.Mode
	for _, w := range from.Seats {
		m := &seat{
			Member: w.Member, agent: w.Agent, known: w.Known, given: w.Given & AllGrants, ceiling: w.Ceiling, most: w.Most,
			policy: w.Policy, joined: w.Joined,
		}
		m.Presence, m.Since, m.Asked = Reconnecting, now, 0
		m.lend(now)
		s.seats = append(s.seats, m)
	}
	for _, who := range from.Barred {
		s.bar(who)
	}
	if len(s.seats) > 0 {
		s.alone = now
	}
	s.settle(now)
	return s
}

// Knows says whether a device has been let in as this agent and its seat is held: it comes in again without a question.
func (s *Session) Knows(agent string, d Device) bool {
	m := s.seatOf(agent)
	return m != nil && (m.Presence == Here || m.Presence == Reconnecting) && slices.Contains(m.known, d)
}
