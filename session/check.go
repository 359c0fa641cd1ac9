package session

import "fmt"

// Check says which of the things that always hold does not. It is for tests, here and in the host.
func (s *Session) Check() error {
	leads := 0
	for _, m := range s.Roster().Members {
		if m.Role == Lead {
			leads++
			if m.Presence != Here && m.Presence != Reconnecting {
				return fmt.Errorf("the lead %d is not here: %v", m.ID, m.Presence)
			}
		}
	}
	switch {
	case s.agentsHere() > 0 && leads != 1:
		return fmt.Errorf("%d leads while %d agents are here", leads, s.agentsHere())
	case leads > 1:
		return fmt.Errorf("%d leads", leads)
	case s.ended && (len(s.questions) > 0 || s.agentsHere() > 0 || len(s.controllers()) > 0):
		return fmt.Errorf("something goes on after the end")
	case !s.ended && s.hadAgents() && s.agentsHere() == 0 && s.alone.IsZero():
		return fmt.Errorf("no agent is here and no clock runs")
	case s.mode != Free && len(s.controllers()) > 1:
		return fmt.Errorf("%d members control in mode %d", len(s.controllers()), s.mode)
	case s.offer.to != Nobody && s.offer.from != s.lead:
		return fmt.Errorf("a hand-over is offered by %d, who is not the lead", s.offer.from)
	}
	return s.checkSeats()
}

func (s *Session) checkSeats() error {
	taken := map[ConsoleID]MemberID{}
	for _, m := range s.seats {
		for _, c := range append(append([]ConsoleID(nil), m.consoles...), m.waiting...) {
			if taken[c] != Nobody {
				return fmt.Errorf("console %d sits on the seats of %d and %d", c, taken[c], m.ID)
			}
			taken[c] = m.ID
		}
		switch {
		case (m.Presence == Here) != (len(m.consoles) > 0):
			return fmt.Errorf("member %d is %d with %d consoles", m.ID, m.Presence, len(m.consoles))
		case m.Presence == Knocking && (len(m.waiting) == 0 || s.may(m) != 0):
			return fmt.Errorf("member %d knocks with %d consoles and %v", m.ID, len(m.waiting), s.may(m))
		case m.policy != nil && m.given&^m.policy.Grants != 0:
			return fmt.Errorf("member %d has %v, which the policy does not allow", m.ID, m.given)
		case m.Presence == Gone && m.given != 0:
			return fmt.Errorf("member %d is gone and may %v", m.ID, m.given)
		}
		if s.MayInput(m.ID) == nil && (!m.given.Has(Control|View) || !(m.ceiling & m.most).Has(Control) || len(s.questions) > 0) {
			return fmt.Errorf("member %d controls with %v, ceiling %v, %d questions", m.ID, m.given, m.ceiling, len(s.questions))
		}
	}
	for i, q := range s.questions {
		if m := s.seat(q.Member); m == nil || m.Presence == Gone || i > 0 && !q.Deadline.IsZero() {
			return fmt.Errorf("question %d of %d is about nobody or up too early", q.Serial, q.Member)
		}
	}
	return nil
}
