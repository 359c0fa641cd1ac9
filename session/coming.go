package session

import (
	"slices"
	"time"
)

// drop takes a console off its seat because its link broke.
func (s *Session) drop(now time.Time, c ConsoleID) {
	for _, m := range s.seats {
		if slices.Contains(m.waiting, c) {
			s.stopWaiting(now, m, c)
			return
		}
		if !slices.Contains(m.consoles, c) {
			continue
		}
		m.consoles = slices.DeleteFunc(m.consoles, func(o ConsoleID) bool { return o == c })
		if len(m.consoles) > 0 {
			s.emit(Event{Kind: EvConsoleOut, Member: m.ID, Console: c})
			return
		}
		m.Presence, m.Since = Reconnecting, now
		s.forget(m)
		s.emit(Event{Kind: EvDropped, Member: m.ID, Console: c})
		return
	}
}

// stopWaiting takes a console from the door; the question goes when nobody is left behind it.
func (s *Session) stopWaiting(now time.Time, m *seat, c ConsoleID) {
	for i, q := range s.questions {
		if !slices.Contains(q.consoles, c) {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(q.consoles), func(o ConsoleID) bool { return o == c })
		s.questions[i].consoles = left
		if len(left) == 0 {
			s.withdraw(func(o Question) bool { return o.Serial == q.Serial })
		}
		break
	}
	s.sendAway(now, m, []ConsoleID{c}, "gone")
}

// withdraw takes questions away that nobody needs an answer to any more.
func (s *Session) withdraw(which func(Question) bool) {
	s.questions = slices.DeleteFunc(s.questions, func(q Question) bool {
		if !which(q) {
			return false
		}
		if m := s.seat(q.Member); m != nil {
			m.Asked &^= q.Grants
		}
		if !q.Deadline.IsZero() || q.Once != 0 {
			s.emit(Event{Kind: EvWithdrawn, Member: q.Member, Question: q})
		}
		return true
	})
}

// forget clears what only makes sense while m is here.
func (s *Session) forget(m *seat) {
	s.withdraw(func(q Question) bool { return q.Member == m.ID && !q.Join })
	if s.offer.to == m.ID || s.offer.from == m.ID {
		s.dropOffer()
	}
	if s.wants == m.ID {
		s.wants = Nobody
	}
	if s.holder == m.ID {
		s.hold(m.Since, s.wants)
	}
	if s.used == m.ID {
		s.used = Nobody
	}
}

func (s *Session) leave(now time.Time, m *seat, c Leave) error {
	if c.How == EndForAll {
		if m.ID != s.lead {
			return ErrLeadOnly
		}
		s.end(m.ID, "ended by "+m.Name)
		return nil
	}
	if !slices.Contains(m.consoles, c.Console) {
		return ErrNotHere
	}
	if len(m.consoles) > 1 {
		m.consoles = slices.DeleteFunc(m.consoles, func(o ConsoleID) bool { return o == c.Console })
		s.emit(Event{Kind: EvConsoleOut, Member: m.ID, Console: c.Console})
		return nil
	}
	s.gone(now, m, Event{Kind: EvLeft, Member: m.ID, By: m.ID, Console: c.Console})
	return nil
}

// gone takes a member out for good, says so by e, and passes on what it held.
func (s *Session) gone(now time.Time, m *seat, e Event) {
	s.forget(m)
	s.withdraw(func(q Question) bool { return q.Member == m.ID })
	s.emit(e)
	for _, c := range m.waiting {
		s.emit(Event{Kind: EvRefused, Member: m.ID, Console: c, Text: "gone"})
	}
	m.Presence, m.Since = Gone, now
	m.consoles, m.waiting, m.known = nil, nil, nil
	m.given, m.ceiling, m.Asked, m.noUntil, m.policy = 0, AllGrants, 0, nil, nil
	if s.lead == m.ID {
		s.passLead()
	}
}

func (s *Session) remove(now time.Time, c Remove) error {
	if c.By != CustomerID && (c.By != s.lead || c.By == Nobody) {
		return ErrLeadOnly
	}
	m := s.seat(c.Member)
	switch {
	case c.By == c.Member:
		return ErrNotYou
	case m == nil || m.Presence == Gone || m.Presence == Knocking && c.By != CustomerID:
		return ErrNoSuch
	}
	s.bar(m.agent)
	for _, d := range m.known {
		s.bar(string(d[:]))
	}
	for _, q := range s.questions {
		if q.Join && q.Member == m.ID {
			s.bar(string(q.device[:]))
		}
	}
	s.gone(now, m, Event{Kind: EvRemoved, Member: m.ID, By: c.By, Text: c.Why})
	return nil
}

// heir is who the lead passes to: the agent longest present with control, else the one longest present.
func (s *Session) heir() *seat {
	var best *seat
	for _, m := range s.seats {
		if m.Presence != Here || m.ID == s.lead {
			continue
		}
		if best == nil || before(s.may(m).Has(Control), m, s.may(best).Has(Control), best) {
			best = m
		}
	}
	return best
}

func before(controls bool, m *seat, otherControls bool, other *seat) bool {
	if controls != otherControls {
		return controls
	}
	return m.joined.Before(other.joined)
}

// passLead gives the lead to the heir; without one a lead whose seat is held stays, a gone one does not.
func (s *Session) passLead() {
	heir := s.heir()
	if heir != nil {
		s.setLead(heir.ID, Nobody)
		return
	}
	if m := s.seat(s.lead); m == nil || m.Presence == Gone {
		s.lead = Nobody
	}
}

func (s *Session) setLead(id, from MemberID) {
	s.lead = id
	s.dropOffer()
	s.emit(Event{Kind: EvLead, Member: id, By: from})
}

func (s *Session) handOver(now time.Time, m *seat, c HandOver) error {
	to := s.seat(c.To)
	switch {
	case m.ID != s.lead:
		return ErrLeadOnly
	case c.To == m.ID:
		return ErrNotYou
	case to == nil || to.Presence != Here:
		return ErrNoSuch
	case s.offer.to != Nobody:
		return ErrOffered
	}
	s.offer = offer{from: m.ID, to: to.ID, until: now.Add(OfferTime)}
	s.emit(Event{Kind: EvHandOver, Member: to.ID, By: m.ID, Text: c.Note})
	return nil
}

func (s *Session) handOverAnswer(m *seat, accept bool) error {
	if s.offer.to != m.ID || s.offer.from != s.lead {
		return ErrNoOffer
	}
	if !accept {
		s.dropOffer()
		return nil
	}
	from := s.offer.from
	s.offer = offer{}
	s.setLead(m.ID, from)
	return nil
}

// dropOffer takes back an open hand-over.
func (s *Session) dropOffer() {
	if s.offer.to == Nobody {
		return
	}
	s.emit(Event{Kind: EvHandOverOff, Member: s.offer.to, By: s.offer.from})
	s.offer = offer{}
}
