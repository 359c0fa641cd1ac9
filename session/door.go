package session

import (
	"slices"
	"time"
)

// Question is what the customer is asked: view first, each further grant by a question of its own.
type Question struct {
	Serial   uint64
	Member   MemberID
	Name     string
	Handle   string
	Org      string
	Trust    Trust
	Join     bool   // asks to come in; otherwise a member asks for more
	Again    bool   // a member has had this for long: may it go on?
	Grants   Grants // what a yes allows
	Later    Grants // what will be asked after a yes
	Once     uint64 // the number of a Request: a yes is for this once, and gives nothing
	What     string // what the Request is for, in words
	Detail   string // more of it, several lines
	Silence  Grants // what no answer allows: nothing, but on machines where nobody has to answer
	Deadline time.Time
	consoles []ConsoleID
	device   Device
}

// atTheDoor is what is asked together with coming in: seeing, and talking while seeing.
const atTheDoor = View | Chat

// oneByOne is the order of the questions that follow.
var oneByOne = []Grants{Control, Diag, Clipboard, File, Run}

func (s *Session) knock(now time.Time, k Knock) error {
	if k.Console == 0 || k.Agent == "" {
		return ErrBadCommand
	}
	if s.barred[k.Agent] || s.barred[string(k.Device[:])] {
		return ErrBarred
	}
	if k.Most == 0 {
		k.Most = AllGrants
	}
	m := s.seatOf(k.Agent)
	if m != nil {
		s.bound(m, k.Most)
	}
	if m != nil && (m.Presence == Here || m.Presence == Reconnecting) && slices.Contains(m.known, k.Device) {
		m.WordsChecked = m.WordsChecked || k.Checked
		s.admit(now, m, k.Console)
		if k.Policy != nil {
			s.underPolicy(m, *k.Policy)
		}
		return nil
	}
	if k.Policy != nil && !k.Policy.Grants.Has(View) {
		return ErrPolicyGrant
	}
	if m != nil {
		for i, q := range s.questions { // the same device once more, while the customer is asked
			if q.Join && q.Member == m.ID && q.device == k.Device {
				s.questions[i].consoles = append(slices.Clone(q.consoles), k.Console)
				m.waiting = append(m.waiting, k.Console)
				s.emit(Event{Kind: EvKnocked, Member: m.ID, Console: k.Console})
				return nil
			}
		}
	}
	asks := k.Policy == nil || k.Policy.Notice == AskFirst
	if asks && (now.Before(s.quiet) || len(s.questions) >= MaxAsking) {
		return ErrBusy
	}
	if m == nil {
		if len(s.seats) >= MaxAgents && !s.forgetOne() {
			return ErrFull
		}
		s.lastID++
		m = &seat{Member: Member{ID: s.lastID, Presence: Gone}, agent: k.Agent, ceiling: AllGrants, most: k.Most | View}
		s.seats = append(s.seats, m)
	}
	if m.Presence == Gone {
		m.Name, m.Handle, m.Org, m.Trust = k.Name, k.Handle, k.Org, k.Trust
		m.Presence, m.Since, m.WordsChecked = Knocking, now, false
	}
	m.WordsChecked = m.WordsChecked || k.Checked
	m.waiting = append(m.waiting, k.Console)
	s.emit(Event{Kind: EvKnocked, Member: m.ID, Console: k.Console})
	if k.Policy != nil {
		s.underPolicy(m, *k.Policy)
	}
	q := s.questionOf(m, k)
	if !asks {
		s.opened(now, m, q, q.Grants, Nobody)
		return nil
	}
	s.queue(q)
	return nil
}

// questionOf is what has to be answered before k is let in.
func (s *Session) questionOf(m *seat, k Knock) Question {
	q := Question{
		Member: m.ID, Name: k.Name, Handle: k.Handle, Org: k.Org, Trust: k.Trust, Join: true,
		consoles: []ConsoleID{k.Console}, device: k.Device,
	}
	most := s.opt.Most & m.most
	q.Grants = (View | k.Want&atTheDoor | m.given) & most // a second device gets what its member has, so that is asked
	if k.Policy != nil {                                  // one question for everything, or none
		most &= k.Policy.Grants
		q.Grants = (View | k.Want | m.given) & most
		q.Silence = q.Grants
	}
	q.Later = k.Want & most &^ q.Grants
	return q
}

// judge keeps what the policy allows a member now.
func (s *Session) judge(c Judge) error {
	m := s.seat(c.Member)
	if m == nil || m.Presence == Gone || m.policy == nil {
		return ErrNoSuch
	}
	s.underPolicy(m, c.Terms)
	return nil
}

// underPolicy takes back what the policy does not allow m any more.
func (s *Session) underPolicy(m *seat, t Terms) {
	m.policy = &t
	s.withdraw(func(q Question) bool { return q.Member == m.ID && !q.Join && q.Grants&^t.Grants != 0 })
	s.give(m, m.given, Nobody)
}

func (s *Session) seatOf(agent string) *seat {
	for _, m := range s.seats {
		if m.agent == agent {
			return m
		}
	}
	return nil
}

// forgetOne frees the seat of an agent who is gone, the one gone longest.
func (s *Session) forgetOne() bool {
	oldest := -1
	for i, m := range s.seats {
		if m.Presence == Gone && (oldest < 0 || m.Since.Before(s.seats[oldest].Since)) {
			oldest = i
		}
	}
	if oldest >= 0 {
		s.seats = slices.Delete(s.seats, oldest, oldest+1)
	}
	return oldest >= 0
}

func (s *Session) queue(q Question) {
	s.serial++
	q.Serial = s.serial
	s.questions = append(s.questions, q)
	if m := s.seat(q.Member); m != nil {
		m.Asked |= q.Grants
	}
}

// showQuestion puts the first question up when none is.
func (s *Session) showQuestion(now time.Time) {
	if len(s.questions) > 0 && s.questions[0].Deadline.IsZero() {
		s.questions[0].Deadline = now.Add(AnswerTime)
		s.emit(Event{Kind: EvAsked, Member: s.questions[0].Member, Question: s.questions[0]})
	}
}

// Question is the one that is up, if any.
func (s *Session) Question() (Question, bool) {
	if len(s.questions) == 0 || s.questions[0].Deadline.IsZero() {
		return Question{}, false
	}
	return s.questions[0], true
}

func (s *Session) asksAtTheDoor() bool {
	return slices.ContainsFunc(s.questions, func(q Question) bool { return q.Join })
}

func (s *Session) answer(now time.Time, a Answer) error {
	if q, up := s.Question(); !up || q.Serial != a.Serial {
		return ErrStale
	}
	s.answered(now, CustomerID, a.Allow)
	return nil
}

// answered closes the question that is up; by is Nobody when the time ran out.
func (s *Session) answered(now time.Time, by MemberID, allow Grants) {
	q := s.questions[0]
	s.questions = slices.Delete(s.questions, 0, 1)
	s.waited(now.Sub(q.Deadline.Add(-AnswerTime)))
	allow &= q.Grants
	m := s.seat(q.Member)
	m.Asked &^= q.Grants
	s.emit(Event{Kind: EvAnswered, Member: m.ID, By: by, Grants: allow, Question: q})
	switch {
	case q.Join:
		s.opened(now, m, q, allow, by)
		return
	case q.Once != 0:
		if allow == 0 {
			m.refuse(q.Grants, now.Add(AskAgain))
		}
		return
	}
	if allow.Has(Control) {
		m.lend(now)
	}
	s.give(m, m.given&^q.Grants|allow, by)
	if no := q.Grants &^ allow; no != 0 {
		m.refuse(no, now.Add(AskAgain))
	}
}

// opened lets the consoles of a question in, or sends them away.
func (s *Session) opened(now time.Time, m *seat, q Question, allow Grants, by MemberID) {
	if !allow.Has(View) {
		why := "the customer said no"
		if by == Nobody {
			why = "the customer did not answer"
		}
		s.sendAway(now, m, q.consoles, why)
		s.refused(now, m.agent)
		return
	}
	s.inRow = 0
	delete(s.refusals, m.agent)
	m.known = append(m.known, q.device)
	given := m.given | allow
	if m.Presence != Knocking { // a second device of a member: what was not allowed now is taken back
		given &^= q.Grants &^ allow
	}
	for _, c := range q.consoles {
		m.waiting = slices.DeleteFunc(m.waiting, func(w ConsoleID) bool { return w == c })
		s.admit(now, m, c)
	}
	if given.Has(Control) && !m.given.Has(Control) {
		m.lend(now)
	}
	s.give(m, given, by)
	_ = s.ask(now, m, q.Later) // what is refused here was refused moments ago
}

// sendAway turns consoles from the door; a member who is in by another console stays.
func (s *Session) sendAway(now time.Time, m *seat, consoles []ConsoleID, why string) {
	for _, c := range consoles {
		m.waiting = slices.DeleteFunc(m.waiting, func(w ConsoleID) bool { return w == c })
		s.emit(Event{Kind: EvRefused, Member: m.ID, Console: c, Text: why})
	}
	if m.Presence == Knocking && len(m.waiting) == 0 {
		m.Presence, m.Since = Gone, now
		if m.joined.IsZero() { // never was in: not a line of the roster
			s.seats = slices.DeleteFunc(s.seats, func(o *seat) bool { return o == m })
		}
	}
}

// refused counts a no at the door, so that nobody is pestered.
func (s *Session) refused(now time.Time, agent string) {
	if s.inRow++; s.inRow >= maxRefusals {
		s.quiet, s.inRow = now.Add(Quiet), 0
	}
	if len(s.refusals) >= maxBarred {
		clear(s.refusals)
	}
	if s.refusals[agent]++; s.refusals[agent] >= maxRefusals {
		s.bar(agent)
	}
}

// bar keeps somebody out for as long as the session lasts. At the bound nobody new comes in at all, which Quiet makes slow
// to reach.
func (s *Session) bar(who string) {
	if len(s.barred) >= maxBarred {
		s.quiet = s.quiet.Add(SeatHold)
		return
	}
	s.barred[who] = true
}

// admit puts a console of an accepted device on its seat.
func (s *Session) admit(now time.Time, m *seat, c ConsoleID) {
	kind := EvConsoleIn
	switch m.Presence {
	case Reconnecting:
		kind = EvResumed
	case Knocking:
		kind = EvJoined
		m.joined = now
		if s.first.IsZero() {
			s.first = now
		}
	}
	m.consoles = append(m.consoles, c)
	if m.Presence != Here {
		m.Presence, m.Since = Here, now
	}
	s.emit(Event{Kind: kind, Member: m.ID, Console: c})
}
