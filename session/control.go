package session

import "time"

// may is what m may do now: what the customer gave, under the lead's ceiling and the badge's, nothing without seeing.
func (s *Session) may(m *seat) Grants {
	g := m.given & m.ceiling & m.most & s.opt.Most
	if !g.Has(View) {
		return g & Chat
	}
	return g
}

// give sets what the customer allows m.
func (s *Session) give(m *seat, g Grants, by MemberID) {
	was := s.may(m)
	if m.policy != nil {
		g &= m.policy.Grants
	}
	m.given = g
	s.changed(m, was, by, "")
}

// changed tells of new grants and lets go of what they no longer cover.
func (s *Session) changed(m *seat, was Grants, by MemberID, why string) {
	now := s.may(m)
	if now == was {
		return
	}
	s.emit(Event{Kind: EvGrants, Member: m.ID, By: by, Was: was, Grants: now, Text: why})
	if now.Has(Control) {
		return
	}
	if s.wants == m.ID {
		s.wants = Nobody
	}
	if s.holder == m.ID {
		s.hold(s.heldSince, s.wants)
	}
	if s.used == m.ID {
		s.used = Nobody
	}
}

// bound sets what the badge of m allows.
func (s *Session) bound(m *seat, most Grants) {
	was := s.may(m)
	m.most = most | View
	s.withdraw(func(q Question) bool { return q.Member == m.ID && !q.Join && q.Grants&^m.most != 0 })
	s.changed(m, was, Nobody, "")
}

func (m *seat) refuse(g Grants, until time.Time) {
	if m.noUntil == nil {
		m.noUntil = make(map[Grants]time.Time)
	}
	for one := View; one <= Run; one <<= 1 {
		if g.Has(one) {
			m.noUntil[one] = until
		}
	}
}

// refusedLately says whether one of g was refused or taken back a moment ago.
func (m *seat) refusedLately(g Grants, now time.Time) bool {
	for one, until := range m.noUntil {
		if g.Has(one) && now.Before(until) {
			return true
		}
	}
	return false
}

// ask queues a question for each grant that m does not have and is not waiting for.
func (s *Session) ask(now time.Time, m *seat, g Grants) error {
	g &= s.opt.Most &^ m.given &^ m.Asked
	if again := g & atTheDoor; again != 0 { // taken back earlier: asked for together
		if err := s.askOne(now, m, again); err != nil {
			return err
		}
	}
	for _, one := range oneByOne {
		if !g.Has(one) {
			continue
		}
		if err := s.askOne(now, m, one); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) askOne(now time.Time, m *seat, g Grants) error {
	switch {
	case m.most&g != g:
		return ErrInvited
	case m.ceiling&g != g:
		return ErrCeiling
	case m.policy != nil && !m.policy.Grants.Has(g):
		return ErrPolicyGrant
	case m.refusedLately(g, now):
		return ErrAskedOnce
	case m.policy != nil: // nobody has to answer
		if g.Has(Control) {
			m.lend(now)
		}
		s.give(m, m.given|g, Nobody)
		return nil
	case len(s.questions) >= MaxAsking:
		return ErrBusy
	}
	s.queue(Question{Member: m.ID, Name: m.Name, Handle: m.Handle, Org: m.Org, Trust: m.Trust, Grants: g})
	return nil
}

// request asks for one thing once. The grant that it falls under must have been given before.
func (s *Session) request(now time.Time, m *seat, r Request) error {
	switch {
	case r.Once == 0 || r.Grant == 0 || r.What == "":
		return ErrBadCommand
	case !s.may(m).Has(r.Grant):
		return ErrNotGiven
	case m.refusedLately(r.Grant, now):
		return ErrAskedOnce
	case len(s.questions) >= MaxAsking:
		return ErrBusy
	}
	q := Question{
		Member: m.ID, Name: m.Name, Handle: m.Handle, Org: m.Org, Trust: m.Trust, Grants: r.Grant,
		Once: r.Once, What: r.What, Detail: r.Detail,
	}
	if m.policy != nil { // nobody has to answer
		s.emit(Event{Kind: EvAnswered, Member: m.ID, Grants: r.Grant, Question: q})
		return nil
	}
	s.queue(q)
	return nil
}

// revoke takes grants back; with seeing goes all that needs seeing.
func (s *Session) revoke(now time.Time, c Revoke) error {
	found := false
	for _, m := range s.seats {
		if m.Presence == Gone || m.Presence == Knocking || c.Member != Nobody && c.Member != m.ID {
			continue
		}
		found = true
		g := c.Grants
		if g.Has(View) {
			g |= AllGrants &^ Chat
		}
		s.withdraw(func(q Question) bool { return q.Member == m.ID && !q.Join && q.Grants&g != 0 })
		m.refuse(g, now.Add(AskAgain))
		s.give(m, m.given&^g, CustomerID)
	}
	if !found && c.Member != Nobody {
		return ErrNoSuch
	}
	return nil
}

func (s *Session) setCeiling(lead *seat, c SetCeiling) error {
	m := s.seat(c.Member)
	switch {
	case lead.ID != s.lead:
		return ErrLeadOnly
	case c.Member == lead.ID:
		return ErrNotYou
	case m == nil || m.Presence != Here && m.Presence != Reconnecting:
		return ErrNoSuch
	}
	was := s.may(m)
	m.ceiling = c.Ceiling&AllGrants | View
	s.withdraw(func(q Question) bool { return q.Member == m.ID && !q.Join && q.Grants&^m.ceiling != 0 })
	s.changed(m, was, lead.ID, "")
	return nil
}

func (s *Session) setMode(now time.Time, c SetMode) error {
	if by := s.seat(c.By); c.By != CustomerID && (by == nil || by.Presence != Here || c.By != s.lead) {
		return ErrLeadOnly
	}
	if c.Mode > Baton {
		return ErrBadCommand
	}
	if c.Mode == s.mode {
		return nil
	}
	s.mode, s.wants = c.Mode, Nobody
	s.emit(Event{Kind: EvMode, By: c.By, Mode: c.Mode})
	if s.mode == Free {
		s.holder = Nobody
		return nil
	}
	if next := s.seat(s.used); next != nil && s.canHold(next) {
		s.hold(now, next.ID)
	} else if lead := s.seat(s.lead); lead != nil && s.canHold(lead) {
		s.hold(now, lead.ID)
	}
	return nil
}

func (s *Session) canHold(m *seat) bool { return m.Presence == Here && s.may(m).Has(Control) }

// hold gives control to id in Ask and Baton.
func (s *Session) hold(now time.Time, id MemberID) {
	s.holder, s.wants, s.heldSince = id, Nobody, now
	s.emit(Event{Kind: EvControl, Member: id})
}

// idleAt is when the holder has been idle for so long that the one who asks gets control.
func (s *Session) idleAt() time.Time {
	since := s.heldSince
	if s.usedAt.After(since) {
		since = s.usedAt
	}
	return since.Add(IdleHolder)
}

func (s *Session) takeControl(now time.Time, m *seat) error {
	if !s.may(m).Has(Control) {
		switch {
		case !m.most.Has(Control):
			return ErrInvited
		case m.given.Has(Control):
			return ErrCeiling
		}
		return s.ask(now, m, View|Control)
	}
	m.lease.used = now
	switch {
	case s.mode == Free || s.holder == m.ID:
		return nil
	case s.holder == Nobody || m.ID == s.lead || s.mode == Ask && !now.Before(s.idleAt()):
		s.hold(now, m.ID)
		return nil
	case s.mode == Baton:
		return ErrHeld
	}
	if s.wants != m.ID {
		s.wants = m.ID
		s.emit(Event{Kind: EvControlAsked, Member: m.ID, By: s.holder})
	}
	return nil
}

func (s *Session) giveControl(now time.Time, m *seat, to MemberID) error {
	if s.mode == Free {
		if s.used == m.ID {
			s.used = Nobody
			s.version++
		}
		return nil
	}
	if s.holder != m.ID && m.ID != s.lead {
		return ErrHeld
	}
	if to == Nobody {
		s.hold(now, s.wants)
		return nil
	}
	next := s.seat(to)
	if next == nil || next.Presence != Here {
		return ErrNoSuch
	}
	if !s.canHold(next) {
		return ErrNoControl
	}
	s.hold(now, to)
	return nil
}

func (s *Session) use(now time.Time, m *seat) error {
	if err := s.MayInput(m.ID); err != nil {
		return err
	}
	if s.used != m.ID {
		s.version++
	}
	s.used, s.usedAt, m.lease.used = m.ID, now, now
	return nil
}

// MayInput says why input of id is not played now, nil when it is.
func (s *Session) MayInput(id MemberID) error {
	m := s.seat(id)
	switch {
	case s.ended:
		return ErrOver
	case m == nil || m.Presence != Here:
		return ErrNotHere
	case !s.may(m).Has(View | Control):
		return ErrNoControl
	case s.WhyPaused() != "":
		return ErrPaused
	case s.mode != Free && s.holder != id:
		return ErrHeld
	}
	return nil
}

// controllers lists whose input is played now.
func (s *Session) controllers() []MemberID {
	var out []MemberID
	for _, m := range s.seats {
		if s.MayInput(m.ID) == nil {
			out = append(out, m.ID)
		}
	}
	return out
}
