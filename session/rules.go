package session

import (
	"slices"
	"time"
)

// How long things last (design §6).
const (
	AnswerTime  = 60 * time.Second                // silence at a question is no
	LeadHold    = 2 * time.Minute                 // a lead whose link dropped stays lead
	SeatHold    = 10*time.Minute + 30*time.Second // a dropped member comes back without a new question, after ten minutes, too
	AloneFor    = 10 * time.Minute                // a session without agents
	OfferTime   = 60 * time.Second                // a hand-over offer
	AskAgain    = 30 * time.Second                // between a no and the next question for the same grant
	Quiet       = 60 * time.Second                // no stranger is asked about after refusedInRow refusals
	ShownFor    = 2 * time.Second                 // after input, its member is shown as controlling
	LocalPause  = 2 * time.Second                 // after the customer's own input
	IdleHolder  = 30 * time.Second                // after which the holder loses control to one who asks (Ask)
	MaxAgents   = 64                              // seats
	MaxAsking   = 8                               // questions that wait
	maxRefusals = 3                               // of one agent at the door, then it is barred; and in a row, then Quiet
	maxBarred   = 1024
)

// Options of a new session.
type Options struct {
	Customer string // how the person at the machine is called, sanitised
	Mode     ControlMode
	Most     Grants        // the most that is ever given to anyone; 0: AllGrants
	Empty    time.Duration // a session to which nobody comes ends after it; 0: it waits
}

// Session is the state of one session and the rules by which it changes. It has one writer; it never looks at a clock and
// starts nothing: time comes with every command, and NextDeadline says when to send a Tick.
type Session struct {
	opt       Options
	began     time.Time
	first     time.Time // when the first agent came in; zero: none has
	seats     []*seat   // in order of arrival
	lastID    MemberID
	lead      MemberID
	mode      ControlMode
	holder    MemberID // has control in Ask and Baton
	wants     MemberID // asked the holder for it
	heldSince time.Time
	used      MemberID
	usedAt    time.Time
	questions []Question // the first is up
	serial    uint64
	offer     offer
	alone     time.Time // since when no agent is here; zero: one is, or none ever was
	paused    time.Time // the customer's own input until then
	barred    map[string]bool
	refusals  map[string]int
	inRow     int
	quiet     time.Time
	ended     bool
	why       string
	version   uint64
	events    []Event
}

// seat is one agent: its line of the roster and what others do not see.
type seat struct {
	Member
	agent    string
	known    []Device // let in by the customer
	consoles []ConsoleID
	waiting  []ConsoleID // at the door
	given    Grants      // by the customer
	ceiling  Grants      // by the lead
	most     Grants      // by the newest badge
	joined   time.Time
	noUntil  map[Grants]time.Time
	lease    lease
	policy   *Terms // of a machine where nobody has to answer; nil: the customer is asked
}

type offer struct {
	from, to MemberID
	until    time.Time
}

// New is a session in which nobody is yet but the customer.
func New(now time.Time, opt Options) *Session {
	if opt.Most == 0 {
		opt.Most = AllGrants
	}
	return &Session{opt: opt, began: now, lastID: CustomerID, mode: opt.Mode, barred: map[string]bool{}, refusals: map[string]int{}}
}

// Apply lets time pass until now, then does c. It returns what happened in order; what happened by time comes with an error
// about c too.
func (s *Session) Apply(now time.Time, c Command) ([]Event, error) {
	s.events = nil
	before := s.controllers()
	paused := s.WhyPaused()
	s.catchUp(now)
	err := s.apply(now, c)
	s.settle(now)
	s.catchUp(now) // what only a question kept from being due
	for _, id := range before {
		if s.MayInput(id) != nil {
			s.emit(Event{Kind: EvRelease, Member: id})
		}
	}
	if why := s.WhyPaused(); why != paused && !s.ended {
		s.emit(Event{Kind: EvPaused, Text: why})
	}
	if len(s.events) > 0 {
		s.version++
	}
	return s.events, err
}

// catchUp does what is due by now, in its order.
func (s *Session) catchUp(now time.Time) {
	for {
		d, ok := s.NextDeadline()
		if !ok || d.After(now) {
			return
		}
		s.expire(d)
		s.settle(now)
	}
}

func (s *Session) emit(e Event) { s.events = append(s.events, e) }

func (s *Session) apply(now time.Time, c Command) error {
	switch c := c.(type) {
	case Tick:
		return nil
	case Stop:
		s.end(c.By, c.Why)
		return nil
	case Drop:
		s.drop(now, c.Console)
		return nil
	}
	if s.ended {
		return ErrOver
	}
	switch c := c.(type) {
	case Knock:
		return s.knock(now, c)
	case Answer:
		return s.answer(now, c)
	case Revoke:
		return s.revoke(now, c)
	case Unask:
		s.withdraw(func(q Question) bool { return q.Once != 0 && q.Once == c.Once })
		return nil
	case LocalInput:
		s.paused = now.Add(LocalPause)
		return nil
	case SetMode:
		return s.setMode(now, c)
	case Judge:
		return s.judge(c)
	case Remove:
		return s.remove(now, c)
	}
	return s.applyOfAgent(now, c)
}

// applyOfAgent does what only an agent who is here can ask for.
func (s *Session) applyOfAgent(now time.Time, c Command) error {
	a, ok := c.(ofAgent)
	if !ok {
		return ErrBadCommand
	}
	m := s.seat(a.by())
	if m == nil || m.Presence != Here {
		return ErrNotHere
	}
	switch c := c.(type) {
	case Leave:
		return s.leave(now, m, c)
	case AskGrants:
		return s.ask(now, m, c.Grants)
	case TakeControl:
		return s.takeControl(now, m)
	case GiveControl:
		return s.giveControl(now, m, c.To)
	case HandOver:
		return s.handOver(now, m, c)
	case HandOverAnswer:
		return s.handOverAnswer(m, c.Accept)
	case SetCeiling:
		return s.setCeiling(m, c)
	case CheckedWords:
		if !m.WordsChecked {
			m.WordsChecked = true
			s.emit(Event{Kind: EvChecked, Member: m.ID})
		}
		return nil
	case Request:
		return s.request(now, m, c)
	case Used:
		return s.use(now, m)
	}
	return ErrBadCommand
}

// NextDeadline is when time alone changes something next.
func (s *Session) NextDeadline() (time.Time, bool) {
	var next time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if s.ended {
		return next, false
	}
	if len(s.questions) > 0 {
		at(s.questions[0].Deadline)
	}
	for _, m := range s.seats {
		if m.Presence != Reconnecting {
			continue
		}
		at(m.Since.Add(SeatHold))
		if m.ID == s.lead && s.heir() != nil {
			at(m.Since.Add(LeadHold))
		}
	}
	if !s.alone.IsZero() && !s.asksAtTheDoor() {
		at(s.alone.Add(AloneFor))
	}
	if s.waitsForFirst() {
		at(s.began.Add(s.opt.Empty))
	}
	if s.offer.to != Nobody {
		at(s.offer.until)
	}
	if s.used != Nobody {
		at(s.usedAt.Add(ShownFor))
	}
	if s.wants != Nobody {
		at(s.idleAt())
	}
	at(s.paused)
	at(s.endAt())
	for _, m := range s.seats {
		at(s.idleEnd(m))
		at(s.confirmAt(m))
	}
	return next, !next.IsZero()
}

// expire does what is due at d.
func (s *Session) expire(d time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(d) }
	if due(s.paused) {
		s.paused = time.Time{}
	}
	if s.used != Nobody && due(s.usedAt.Add(ShownFor)) {
		s.used = Nobody
		s.version++
	}
	if len(s.questions) > 0 && due(s.questions[0].Deadline) {
		s.answered(d, Nobody, s.questions[0].Silence)
	}
	if s.offer.to != Nobody && due(s.offer.until) {
		s.dropOffer()
	}
	if s.wants != Nobody && due(s.idleAt()) {
		s.hold(d, s.wants)
	}
	for _, m := range slices.Clone(s.seats) {
		switch {
		case m.Presence != Reconnecting:
		case due(m.Since.Add(SeatHold)):
			s.gone(d, m, Event{Kind: EvLeft, Member: m.ID, Text: "did not come back"})
		case m.ID == s.lead && due(m.Since.Add(LeadHold)) && s.heir() != nil:
			s.passLead()
		}
	}
	s.leases(d, due)
	if due(s.endAt()) {
		s.end(Nobody, "8 hours are over")
	}
	if !s.alone.IsZero() && !s.asksAtTheDoor() && due(s.alone.Add(AloneFor)) {
		s.end(Nobody, "no agent came back")
	}
	if s.waitsForFirst() && due(s.began.Add(s.opt.Empty)) {
		s.end(Nobody, "no agent came")
	}
}

// waitsForFirst says whether the session ends by itself unless somebody comes.
func (s *Session) waitsForFirst() bool {
	return s.opt.Empty > 0 && !s.ended && !s.hadAgents() && !s.asksAtTheDoor()
}

// settle keeps what must hold after every command: one question up, a lead while an agent is here, a clock while none is.
func (s *Session) settle(now time.Time) {
	if s.ended {
		return
	}
	s.showQuestion(now)
	lead := s.seat(s.lead)
	if lead == nil || lead.Presence == Gone || lead.Presence == Reconnecting && !now.Before(lead.Since.Add(LeadHold)) {
		s.passLead()
	}
	if s.agentsHere() > 0 {
		s.alone = time.Time{}
	} else if s.alone.IsZero() && s.hadAgents() {
		s.alone = now
	}
}

// end is over for all: every grant is gone, nobody is in any more.
func (s *Session) end(by MemberID, why string) {
	if s.ended {
		return
	}
	s.ended, s.why = true, why
	for _, q := range s.questions {
		s.emit(Event{Kind: EvWithdrawn, Member: q.Member, Question: q})
	}
	for _, m := range s.seats {
		m.given, m.Asked, m.consoles, m.waiting = 0, 0, nil, nil
		m.Presence = Gone
	}
	s.questions, s.offer = nil, offer{}
	s.lead, s.holder, s.wants, s.used = Nobody, Nobody, Nobody, Nobody
	s.emit(Event{Kind: EvEnded, By: by, Text: why})
}

// AloneUntil is when the session ends by itself because no agent is here; zero while one is.
func (s *Session) AloneUntil() time.Time {
	if s.ended || s.alone.IsZero() {
		return time.Time{}
	}
	return s.alone.Add(AloneFor)
}

// Ended says whether it is over, and why.
func (s *Session) Ended() (bool, string) { return s.ended, s.why }

// Roster is a snapshot for everyone.
func (s *Session) Roster() Roster {
	r := Roster{Version: s.version, Lead: s.lead, Controlling: s.used, Holder: s.holder, Mode: s.mode, WhyPaused: s.WhyPaused()}
	r.Paused = r.WhyPaused != ""
	r.Members = append(r.Members, Member{ID: CustomerID, Name: s.opt.Customer, Role: Customer, Grants: AllGrants, Presence: Here, Since: s.began, Consoles: 1})
	for _, m := range s.seats {
		line := m.Member
		line.Grants = s.may(m)
		line.Consoles = len(m.consoles)
		line.Role = Agent
		if m.ID == s.lead {
			line.Role = Lead
		}
		r.Members = append(r.Members, line)
	}
	return r
}

// WhyPaused says why remote input is dropped, in words; empty: it is not.
func (s *Session) WhyPaused() string {
	switch {
	case s.ended:
		return "the session has ended"
	case len(s.questions) > 0 && !s.questions[0].Deadline.IsZero():
		return "the customer is being asked something"
	case !s.paused.IsZero():
		return "the customer is using the machine"
	}
	return ""
}

func (s *Session) seat(id MemberID) *seat {
	for _, m := range s.seats {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (s *Session) agentsHere() int {
	n := 0
	for _, m := range s.seats {
		if m.Presence == Here {
			n++
		}
	}
	return n
}

func (s *Session) hadAgents() bool {
	return slices.ContainsFunc(s.seats, func(m *seat) bool { return !m.joined.IsZero() })
}
