package host

import (
	"context"
	"strings"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
)

// loop is the session loop. All fields but those above the line belong to its goroutine.
type loop struct {
	h    *Host
	at   place
	todo chan func(*loop)
	done chan struct{} // closed when run returns

	sess     *session.Session
	log      chat.Log
	consoles map[session.ConsoleID]*console
	words    map[session.MemberID][]string
	fronts   []chan View
	used     map[string]time.Time // ids of badges until they end
	sent     uint64               // newest roster that consoles have
	started  time.Time
	seen     [2]uint64 // roster and log that fronts have
	contact  contact
	told     contact       // that fronts have
	later    []func(*loop) // to do before anything else
	leases   map[*lease]struct{}
	requests map[uint64]chan<- bool
	once     uint64 // number of the newest request
	guard    guard
	saver    saver
	finished bool
}

// todoSize is how many closures wait for the loop; who comes then waits too.
const todoSize = 256

func newLoop(h *Host, at place) *loop {
	now := time.Now()
	opt := session.Options{Customer: h.cfg.Customer, Mode: h.cfg.Mode}
	opt.Most = session.AllGrants
	if h.cfg.Injector == nil && h.cfg.Text == nil {
		opt.Most &^= session.Control
	}
	if h.cfg.Prober == nil {
		opt.Most &^= session.Diag
	}
	if h.cfg.Gate != nil {
		opt.Empty = nobodyCame
	}
	l := &loop{
		h: h, at: at, todo: make(chan func(*loop), todoSize), done: make(chan struct{}),
		sess: session.New(now, opt), consoles: map[session.ConsoleID]*console{}, words: map[session.MemberID][]string{},
		used: map[string]time.Time{}, started: now, leases: map[*lease]struct{}{}, requests: map[uint64]chan<- bool{}, guard: newGuard(),
	}
	l.resume(now, opt)
	return l
}

// EndedError is how the session ended when nobody stopped it here.
type EndedError struct{ Why string }

func (e *EndedError) Error() string { return "the session has ended: " + e.Why }

// post hands f to the loop; false when the loop is gone.
func (l *loop) post(f func(*loop)) bool {
	select {
	case l.todo <- f:
		return true
	case <-l.done:
		return false
	}
}

// addFront is called before run.
func (l *loop) addFront() <-chan View {
	c := make(chan View, 1)
	l.fronts = append(l.fronts, c)
	return c
}

func (l *loop) run(ctx context.Context) error {
	defer close(l.done)
	opened := Event{Time: time.Now(), Event: "code", Code: l.at.code, URL: l.at.url}
	if l.at.code == "" {
		opened.Event = "called"
	}
	l.h.cfg.Events(opened)
	again := time.NewTicker(judgeEvery)
	defer again.Stop()
	look := time.NewTimer(lookEvery)
	defer look.Stop()
	for !l.finished {
		if len(l.later) > 0 {
			f := l.later[0]
			l.later = l.later[1:]
			f(l)
			continue
		}
		l.publish()
		var due <-chan time.Time
		if d, ok := l.sess.NextDeadline(); ok {
			due = time.After(time.Until(d))
		}
		select {
		case <-l.h.pause.asked:
			return l.suspend()
		case <-again.C:
			l.judgeAll()
		case <-l.saver.due:
			l.saver.due = nil
			l.keep(false)
		case <-ctx.Done():
			l.apply(session.Stop{By: session.CustomerID, Why: "the customer's host was closed"})
		case <-l.h.stop:
			l.apply(session.Stop{By: session.CustomerID, Why: "the customer stopped"})
		case <-due:
			l.apply(session.Tick{})
		case now := <-look.C:
			look.Reset(l.lookForContact(now))
		case m := <-l.h.player.used:
			_ = l.apply(session.Used{By: m}) // refused: it was played just before that changed
		case f := <-l.todo:
			f(l)
		}
	}
	l.publish()
	_, why := l.sess.Ended()
	l.keep(true)
	l.farewell()
	return &EndedError{Why: why}
}

// apply changes the session and does what follows from it.
func (l *loop) apply(c session.Command) error {
	events, err := l.sess.Apply(time.Now(), c)
	l.gate()
	var in []session.ConsoleID
	for _, e := range events {
		l.tell(e)
		switch e.Kind {
		case session.EvJoined, session.EvConsoleIn, session.EvResumed:
			if c := l.consoles[e.Console]; c != nil {
				c.member = e.Member
				in = append(in, e.Console)
			}
		default:
			l.obey(e)
		}
	}
	for _, id := range in {
		l.welcome(id)
	}
	return err
}

// gate tells player and studio what each console may do now, and ends leases whose grant is gone.
func (l *loop) gate() {
	may, see := map[session.MemberID]bool{}, map[session.ConsoleID]session.MemberID{}
	read := map[session.ConsoleID]rights{}
	roster := l.sess.Roster()
	for _, m := range roster.Members {
		may[m.ID] = m.ID != session.CustomerID && l.sess.MayInput(m.ID) == nil
	}
	for id, c := range l.consoles {
		if m, ok := roster.Member(c.member); ok && c.in && m.Grants.Has(session.View) {
			see[id] = c.member
			read[id] = rights{c.member, m.Grants.Has(session.Control)}
		}
	}
	for held := range l.leases {
		m, ok := roster.Member(held.member)
		switch {
		case !ok || l.consoles[held.console] == nil:
			held.end(errLeft)
		case !m.Grants.Has(held.grant):
			held.end(errTakenBack)
		default:
			continue
		}
		delete(l.leases, held)
	}
	l.h.player.allow(may)
	l.h.studio.allow(see)
	if l.h.scribe != nil {
		l.h.scribe.allow(read)
	}
}

// obey does what an event asks of the machinery.
func (l *loop) obey(e session.Event) {
	switch e.Kind {
	case session.EvKnocked:
		if c := l.consoles[e.Console]; c != nil {
			c.member = e.Member
			if c.words != nil {
				l.words[e.Member] = c.words
			}
			if l.h.cfg.Gate == nil {
				c.sendWaiting("waiting for the customer's answer")
			}
		}
	case session.EvAsked:
		for _, c := range l.consoles {
			if e.Question.Silence != 0 && c.member == e.Member && !c.in {
				c.sendWaiting("people who are logged in there have a minute to refuse")
			}
		}
		if a := l.h.cfg.Answer; a != nil {
			answer := session.Answer{Serial: e.Question.Serial, Allow: e.Question.Grants & a.Allow}
			l.later = append(l.later, func(l *loop) { _ = l.apply(answer) }) // stale: it was answered in a front meanwhile
		}
	case session.EvAnswered, session.EvWithdrawn:
		l.requested(e)
	case session.EvRefused:
		code := uint32(inner.RefusedByCustomer)
		if e.Text == "the customer did not answer" {
			code = inner.RefusedNoAnswer
		}
		l.sendAway(e.Console, code, e.Text)
	case session.EvRemoved:
		l.closeAll(e.Member, inner.CloseRemoved, "sent out")
	case session.EvLeft:
		l.closeAll(e.Member, inner.CloseLeft, "left")
	case session.EvConsoleOut, session.EvDropped:
		l.forget(e.Console)
	case session.EvRelease:
		l.h.player.release(e.Member)
	case session.EvHandOver:
		l.toMember(e.Member, &inner.ToConsole{Kind: &inner.ToConsole_HandOverOffer{HandOverOffer: &inner.HandOverOffer{From: uint32(e.By), Note: e.Text}}})
	case session.EvEnded:
		l.finished = true
		for _, c := range l.consoles {
			c.send(&inner.ToConsole{Kind: &inner.ToConsole_Ended{Ended: &inner.Ended{By: uint32(e.By), Why: e.Text}}})
		}
	}
}

// publish gives everyone the newest roster, and fronts the newest view, if anything is new.
func (l *loop) publish() {
	roster := l.sess.Roster()
	if roster.Version != l.sent {
		l.sent = roster.Version
		for _, c := range l.consoles {
			if c.in {
				c.sendRoster(roster)
			}
		}
	}
	now := [2]uint64{roster.Version + 1, uint64(l.log.Newest())}
	if now == l.seen && l.contact == l.told {
		return
	}
	l.seen, l.told = now, l.contact
	l.keep(false)
	v := l.newView(roster)
	for _, f := range l.fronts {
		select { // the newest wins
		case <-f:
		default:
		}
		f <- v
	}
}

func (l *loop) newView(roster session.Roster) View {
	v := View{Code: l.at.code, URL: l.at.url, Relay: l.at.relay, Expires: l.at.expires, Started: l.started, Roster: roster, Words: map[session.MemberID][]string{}}
	v.Ended, v.Why = l.sess.Ended()
	v.Alone = l.sess.AloneUntil()
	v.Lost, v.NoRelay = l.contact.lost, l.contact.noRelay
	for id, w := range l.words {
		v.Words[id] = w
	}
	log := l.log.After(0, true)
	v.Log = log[max(0, len(log)-viewLog):]
	if q, up := l.sess.Question(); up {
		_, terminal := l.h.cfg.Source.(noDisplay)
		v.Question = &Question{
			Terminal: terminal,
			Serial:   q.Serial, Member: q.Member, Name: q.Name, Handle: q.Handle, Org: q.Org, Trust: q.Trust, Join: q.Join, Again: q.Again,
			Grants: q.Grants, Later: q.Later, Words: l.words[q.Member], Silence: q.Silence, Deadline: q.Deadline, Stranger: stranger(roster, q),
			What: q.What, Detail: q.Detail,
		}
	}
	return v
}

// stranger says whether a question is about an agent of another organisation than the lead's. Handles tell: two organisations
// may be called alike.
func stranger(roster session.Roster, q session.Question) bool {
	lead, there := roster.Member(roster.Lead)
	return there && lead.ID != q.Member && orgOf(lead.Handle) != orgOf(q.Handle)
}

func orgOf(handle string) string {
	_, org, _ := strings.Cut(handle, "@")
	return org
}

// act does what the customer did in a front.
func (l *loop) act(a Act) {
	switch a := a.(type) {
	case Answer:
		_ = l.apply(session.Answer{Serial: a.Serial, Allow: a.Allow}) // stale: another front was first
	case Revoke:
		_ = l.apply(session.Revoke{Member: a.Member, Grants: a.Grants}) // nobody there: nothing to take
	case Remove:
		_ = l.apply(session.Remove{By: session.CustomerID, Member: a.Member, Why: "sent out by the customer"})
	case LocalInput:
		_ = l.apply(session.LocalInput{})
	case Say:
		if a.Text != "" {
			l.say(chat.Entry{From: uint32(session.CustomerID), Name: l.h.cfg.Customer, Lane: chat.Everyone, Text: a.Text}, chat.Nonce{})
		}
	}
}

// farewell lets everyone hear the end, unless the customer is waiting for it.
func (l *loop) farewell() {
	for _, c := range l.consoles {
		c.bye(inner.CloseEnded, "the session is over")
	}
	late := time.After(farewell + closeGrace)
	for _, c := range l.consoles {
		select {
		case <-c.link.Done():
		case <-l.h.stop:
			return
		case <-late:
			return
		}
	}
}
