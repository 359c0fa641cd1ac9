package broker

import (
	"context"
	"errors"
	"time"

	"assist/transport/wire"
)

const (
	grace      = 10 * time.Minute // a session waits so long for its host to come back
	tidyEvery  = 5 * time.Second
	maxAgents  = 64 // consoles in one session
	maxPeer    = 1<<16 - 1
	mailbox    = 64 // replies that wait for one slow reader
	reasonSlow = "this side did not read its messages"
)

// Forwarder makes groups of peers between which the relay forwards packets. Peer 0 is the host.
type Forwarder interface {
	NewGroup() Group
}

// Group is the peers of one session. Its methods must not block: the directory calls them.
type Group interface {
	Join(peer uint32) (*wire.Channel, error)
	Leave(peer uint32)
	Close()
}

// What the directory answers besides success. unknown covers unknown, expired, used, closed and foreign codes alike.
var (
	errUnknown  = errors.New("unknown code")
	errHostGone = errors.New("host is not connected")
	errFull     = errors.New("full")
	errInUse    = errors.New("code in use")
)

// end is one stream that stays open: of a host, of a console that waits for its host, or of a console in a session. Only the
// directory sends to it. When the reader is so slow that the mailbox is full, the stream is given up.
type end struct {
	mail chan *wire.Reply
	over chan struct{} // closed by the directory: say last, then close
	last *wire.Reply   // set before over is closed, may be nil
	dead bool          // owned by the directory: over is closed
}

func newEnd() *end { return &end{mail: make(chan *wire.Reply, mailbox), over: make(chan struct{})} }

func (e *end) send(r *wire.Reply) {
	if e == nil || e.dead {
		return
	}
	select {
	case e.mail <- r:
	default:
		e.finish(refuse(wire.CodeFull, reasonSlow))
	}
}

func (e *end) finish(last *wire.Reply) {
	if e == nil || e.dead {
		return
	}
	e.dead, e.last = true, last
	close(e.over)
}

// live is a session that has not ended. Everything in it is owned by the directory, but for what is set once and then read by
// handlers that got it from the directory: id, code, startedBy, and owner and hostKey once claimed.
type live struct {
	id        [16]byte
	code      codeMAC
	startedBy string // agent, empty: the customer

	owner   [32]byte // outer key of the host
	hostKey [32]byte
	claimed bool // owner and hostKey are set

	expires time.Time // of the code while nobody has been in; zero: as long as the session
	closed  bool
	agents  map[string]bool // who has been in; may come back although the code is closed
	viewers map[string]bool // of them, those whose badges allow seeing and talking only
	invites map[codeMAC]*invitation
	lead    string // who started it, else who was in first

	group    Group
	host     *end
	hostLost time.Time // when host is nil
	waiting  map[*end]bool
	consoles map[uint32]*console
	nextPeer uint32
}

type console struct {
	*end
	agent    string
	handle   string // NAME@ORG
	org      string
	device   [32]byte
	viewOnly bool        // set by join
	by       *invitation // the same; nil: it came by the session's own code
}

// directory knows which session is where. One goroutine (run) owns all of it; everyone else hands it functions, which run in
// order and never wait for anything.
type directory struct {
	calls chan func()
	gone  chan struct{} // closed when run has returned
	fwd   Forwarder
	limit int
	ended func(*live, string) // called when a session ends; must not block
	last  func() *wire.Reply  // set before run: what streams hear when the relay goes; nil: that it goes

	byID     map[[16]byte]*live
	byCode   map[codeMAC]*live
	machines map[string]*station // connected ones, by their id
}

func newDirectory(fwd Forwarder, limit int, ended func(*live, string)) *directory {
	return &directory{
		calls: make(chan func()), gone: make(chan struct{}), fwd: fwd, limit: limit, ended: ended,
		byID: map[[16]byte]*live{}, byCode: map[codeMAC]*live{}, machines: map[string]*station{},
	}
}

func (d *directory) run(ctx context.Context) {
	defer close(d.gone)
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		select {
		case f := <-d.calls:
			f()
		case <-tick.C:
			d.tidy(time.Now())
		case <-ctx.Done():
			d.stop()
			return
		}
	}
}

// do runs f in the directory's goroutine and waits for it.
func (d *directory) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case d.calls <- func() { result <- f() }:
		return <-result
	case <-d.gone:
		return errDraining
	}
}

// tell is do for what the directory needs no more once it has stopped.
func (d *directory) tell(f func()) {
	_ = d.do(func() error { f(); return nil })
}

// stop lets every stream go with a word; the sessions stay in the database.
func (d *directory) stop() {
	last := d.last
	if last == nil {
		last = func() *wire.Reply { return refusalReply(refuseDrain) }
	}
	for _, m := range d.machines {
		m.finish(last())
	}
	for _, s := range d.byID {
		last := last()
		s.host.finish(last)
		for e := range s.waiting {
			e.finish(last)
		}
		for _, c := range s.consoles {
			c.finish(last)
		}
		s.group.Close()
	}
}

// broadcast tells every stream that stays open.
func (d *directory) broadcast(r *wire.Reply) {
	for _, m := range d.machines {
		m.send(r)
	}
	for _, s := range d.byID {
		s.host.send(r)
		for e := range s.waiting {
			e.send(r)
		}
		for _, c := range s.consoles {
			c.send(r)
		}
	}
}

// tidy ends what has run out: codes nobody used, sessions whose host did not come back.
func (d *directory) tidy(now time.Time) {
	for _, s := range d.byID {
		switch {
		case s.expired(now):
			d.end(s, "the code expired")
		case s.claimed && s.host == nil && now.Sub(s.hostLost) >= grace:
			d.end(s, "the host did not come back")
		}
	}
}

func (s *live) expired(now time.Time) bool { return !s.expires.IsZero() && !now.Before(s.expires) }

// add takes a new session.
func (d *directory) add(s *live) error {
	if len(d.byID) >= d.limit {
		return errFull
	}
	if d.byCode[s.code] != nil || d.byID[s.id] != nil {
		return errInUse
	}
	s.group = d.fwd.NewGroup()
	s.waiting, s.consoles = map[*end]bool{}, map[uint32]*console{}
	if s.agents == nil {
		s.agents = map[string]bool{}
	}
	if s.viewers == nil {
		s.viewers = map[string]bool{}
	}
	s.invites = map[codeMAC]*invitation{}
	d.byID[s.id], d.byCode[s.code] = s, s
	return nil
}

// end ends a session for everyone who is connected to it.
func (d *directory) end(s *live, why string) {
	gone := &wire.Reply{Kind: &wire.Reply_HostGone{HostGone: &wire.HostGone{Reason: why}}}
	d.clear(s, refuse(wire.CodeUnknownCode, why), gone)
	d.ended(s, why)
}

// part lets go of a session that goes on at another relay; last says which.
func (d *directory) part(s *live, last *wire.Reply) {
	if d.byID[s.id] == s {
		d.clear(s, last, last)
	}
}

// clear takes a session out, with a last word for its host and for everyone else.
func (d *directory) clear(s *live, host, others *wire.Reply) {
	delete(d.byID, s.id)
	delete(d.byCode, s.code)
	for code := range s.invites {
		delete(d.byCode, code)
	}
	s.host.finish(host)
	for e := range s.waiting {
		e.finish(others)
	}
	for _, c := range s.consoles {
		c.finish(others)
	}
	s.group.Close()
}

// openHost connects the host of a code: the first one to claim it, or the same one that comes back.
func (d *directory) openHost(code codeMAC, owner, hostKey [32]byte, e *end, now time.Time) (*live, *wire.Channel, error) {
	s := d.byCode[code]
	if s == nil || s.code != code || s.expired(now) || (s.claimed && (s.owner != owner || s.hostKey != hostKey)) || (!s.claimed && s.closed) {
		return nil, nil, errUnknown
	}
	ch, err := d.seatHost(s, owner, hostKey, e, now)
	return s, ch, err
}

// seatHost connects a host that may have the session.
func (d *directory) seatHost(s *live, owner, hostKey [32]byte, e *end, now time.Time) (*wire.Channel, error) {
	if s.host != nil { // the same host over a new connection, before the old one was found dead
		s.host.finish(nil)
		s.group.Leave(0)
	}
	ch, err := s.group.Join(0)
	if err != nil {
		s.host, s.hostLost = nil, now
		return nil, err
	}
	if !s.claimed { // once, so that handlers may read them after their own call
		s.owner, s.hostKey, s.claimed = owner, hostKey, true
	}
	s.host = e
	here := &wire.Reply{Kind: &wire.Reply_HostHere{HostHere: &wire.HostHere{}}}
	for w := range s.waiting {
		w.send(here)
	}
	for _, c := range s.consoles {
		c.send(here)
	}
	return ch, nil
}

// closeHost says that the host's stream e is over. ended: it said so itself; otherwise the session waits for it.
func (d *directory) closeHost(s *live, e *end, ended bool, now time.Time) {
	if s.host != e || d.byID[s.id] != s {
		return
	}
	s.group.Leave(0)
	s.host, s.hostLost = nil, now
	if ended {
		d.end(s, "the host ended the session")
		return
	}
	gone := &wire.Reply{Kind: &wire.Reply_HostGone{HostGone: &wire.HostGone{Reason: "the host lost its connection"}}}
	for _, c := range s.consoles {
		c.send(gone)
	}
	for w := range s.waiting {
		w.send(gone)
	}
}

// join seats a console. The host learns of it by introduce.
func (d *directory) join(code codeMAC, c *console, now time.Time) (*live, *wire.Channel, error) {
	s := d.byCode[code]
	if s == nil || s.expired(now) {
		return nil, nil, errUnknown
	}
	by, ok := s.admits(code, c, now)
	switch {
	case !ok:
		return nil, nil, errUnknown
	case s.host == nil:
		return nil, nil, errHostGone
	case len(s.consoles) >= maxAgents:
		return nil, nil, errFull
	}
	s.nextPeer = s.freePeer()
	ch, err := s.group.Join(s.nextPeer)
	if err != nil {
		return nil, nil, err
	}
	s.consoles[s.nextPeer] = c
	s.came(c, by)
	if s.lead == "" {
		s.lead = c.agent
	}
	s.expires = time.Time{}
	return s, ch, nil
}

// wait keeps e for the console that awaits the host of s. The host may have been quicker, or the session over.
func (d *directory) wait(s *live, e *end) error {
	if d.byID[s.id] != s {
		return errUnknown
	}
	s.waiting[e] = true
	if s.host != nil {
		e.send(&wire.Reply{Kind: &wire.Reply_HostHere{HostHere: &wire.HostHere{}}})
	}
	return nil
}

func (d *directory) introduce(s *live, peer uint32, who *wire.Account, from string) {
	s.host.send(&wire.Reply{Kind: &wire.Reply_Introduced{Introduced: &wire.Introduced{Peer: peer, Account: who, Observed: from}}})
}

// freePeer is the next number that no console has now; numbers come round only after all have been used.
func (s *live) freePeer() uint32 {
	n := s.nextPeer
	for {
		if n = n%maxPeer + 1; s.consoles[n] == nil {
			return n
		}
	}
}

// leave takes a console from its place, unless it has come back there over another connection.
func (d *directory) leave(s *live, peer uint32, c *console) {
	if d.byID[s.id] != s || s.consoles[peer] != c {
		return
	}
	s.group.Leave(peer)
	delete(s.consoles, peer)
	s.host.send(&wire.Reply{Kind: &wire.Reply_PeerGone{PeerGone: &wire.PeerGone{Peer: peer}}})
}

// seated says whether an agent's device is in a session now.
func (s *live) seated(agent string, device [32]byte) bool {
	for _, c := range s.consoles {
		if c.agent == agent && c.device == device {
			return true
		}
	}
	return false
}

func refuse(code uint32, text string) *wire.Reply {
	return &wire.Reply{Problem: &wire.Problem{Code: code, Text: text}}
}
