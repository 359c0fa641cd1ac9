package session

import "time"

// Control is lent, not given away (threats 2.4 and design §6).
const (
	ControlIdle = 5 * time.Minute  // unused so long, control goes back to the customer
	ConfirmTime = 30 * time.Minute // after which the customer is asked whether an agent may go on controlling
	HardEnd     = 8 * time.Hour    // of the first agent's presence: the session is over
	tryLater    = time.Minute      // when too many questions wait already
)

// lease is how long a member has had control.
type lease struct {
	confirmed time.Time // the customer's last yes to it
	used      time.Time // newest input, or the yes
}

// lend starts the lease of m anew.
func (m *seat) lend(now time.Time) { m.lease = lease{confirmed: now, used: now} }

// idle is when the lease of m ends unless it is used; zero: it has none.
func (s *Session) idleEnd(m *seat) time.Time {
	if !m.given.Has(Control) || m.Asked.Has(Control) {
		return time.Time{}
	}
	return m.lease.used.Add(ControlIdle)
}

// confirmAt is when the customer is asked about the lease of m; zero: never as things stand.
func (s *Session) confirmAt(m *seat) time.Time {
	if !s.may(m).Has(Control) || m.Asked.Has(Control) {
		return time.Time{}
	}
	return m.lease.confirmed.Add(ConfirmTime)
}

// endAt is when the session ends for good; zero while no agent was ever in.
func (s *Session) endAt() time.Time {
	if s.first.IsZero() {
		return time.Time{}
	}
	return s.first.Add(HardEnd)
}

// leases ends at d what was not used, and asks about what has lasted long.
func (s *Session) leases(d time.Time, due func(time.Time) bool) {
	for _, m := range s.seats {
		switch {
		case due(s.idleEnd(m)):
			s.takeBack(m, "not used for 5 minutes")
		case !due(s.confirmAt(m)):
		case m.Presence != Here:
			s.takeBack(m, "not here to go on")
		case m.policy != nil: // nobody has to answer
			m.lease.confirmed = d
		case len(s.questions) >= MaxAsking:
			m.lease.confirmed = m.lease.confirmed.Add(tryLater)
		default:
			s.queue(Question{Member: m.ID, Name: m.Name, Handle: m.Handle, Org: m.Org, Trust: m.Trust, Grants: Control, Again: true})
			s.showQuestion(d)
		}
	}
}

// waited lets time of a question not count as idle: nobody could use control while it was up.
func (s *Session) waited(d time.Duration) {
	for _, m := range s.seats {
		m.lease.used = m.lease.used.Add(d)
	}
}

// takeBack ends the control of m by the rules; the reason is told.
func (s *Session) takeBack(m *seat, why string) {
	was := s.may(m)
	m.given &^= Control
	s.changed(m, was, Nobody, why)
}
