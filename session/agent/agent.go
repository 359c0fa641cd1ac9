// Package agent is the console's end of a session: it dials the relay, is introduced by the broker, meets the host over the
// end-to-end link, checks that it is the right one, and keeps a replica of what the host says: roster, log, display, newest
// picture. A *Session serves the small interface that tui declares.
//
// The host is the only authority; nothing is true here before the host has said so. One goroutine owns each stream of the
// link; what they learn goes under the session's lock into the replica, the newest picture into an atomic pointer. All
// methods that a terminal calls return at once.
//
// A picture is state: when the terminal is slow, the newest wins, and unacknowledged pictures stop the host at two. Chat and
// commands are history: they wait in an outbox of outboxSize until the host has answered, across broken links; what does not
// fit is refused visibly. Input waits in a queue of inputSize; when that is full Input says so, nothing is dropped
// silently. Input that was queued when the link broke is not played later: the host has released the keys by then.
//
// The package draws nothing, stores nothing on disk, and trusts the relay with nothing but delivery.
package agent

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
)

// Config is what a console needs to know to begin.
type Config struct {
	Relay    transport.Relay
	Relays   []transport.Relay  // others of its fleet that are known already
	Identity transport.Identity // the device key that the login was made with
	Token    string             // of the login
	Code     string             // 8 digits; for Join
	Machine  string             // NAME or NAME@ORG of an enrolled machine; for Connect
	Machines Pins               // by which machines are known; nil: none is
	Prove    Prover             // asked when a machine wants more than the badge; nil: then it cannot be used
	HostPin  transport.Pin      // from a join URL, or of an enrolled machine; empty: three words are compared
	ViewOnly bool               // asks for no control
	Want     session.Grants     // what the customer is asked for instead; 0: what a console needs
	Device   string             // a name of this machine that a person recognises
	Software string             // such as "assist 0.1.0"
	Options  transport.Options  // of the outer connection; the zero value outside of tests
}

// Session is one session as a console sees it. Join, Start and Connect make one, Run drives it.
type Session struct {
	cfg     Config
	relays  *transport.Relays
	start   bool   // mints its code
	calls   int    // of the machine; owned by Run
	had     []byte // token of the newest place; owned by live
	changed chan struct{}
	leaving chan struct{} // closed when the agent left

	picture atomic.Pointer[screen.Picture]
	text    atomic.Pointer[screen.TextGrid]
	textSeq atomic.Uint64
	here    atomic.Pointer[visit] // the link in use; nil: none
	shown   atomic.Uint64         // pictures since the session began
	direct  atomic.Bool           // a direct path was found once
	first   atomic.Int64          // RTT of the first packets to the host, ns; they are as long as packets are
	input   inputQueue
	outbox  outbox
	looks   lookout
	glance  glance
	asks    asks

	watchers watchers
	errands  chan console.Command // for the relay
	checkups chan console.Command // about the machine

	mu         sync.Mutex
	state      console.State
	log        replica
	takes      bool // the agent wants its input to be sent
	left       bool
	restarting string // why the host goes away for a while; empty: it does not
	desk       desk
	hostKey    *transport.Fingerprint // of the first link; later ones must have the same
}

// Join prepares a session that is joined by its code.
func Join(cfg Config) *Session { return prepare(cfg, false) }

// Start prepares a session that gets a code of its own, for the customer to open.
func Start(cfg Config) *Session { return prepare(cfg, true) }

// Connect prepares a session on an enrolled machine.
func Connect(cfg Config) *Session { return prepare(cfg, false) }

func prepare(cfg Config, start bool) *Session {
	cfg.Options.Software = cfg.Software
	s := &Session{
		cfg: cfg, relays: transport.NewRelays(cfg.Relay, cfg.Relays...), start: start, changed: make(chan struct{}, 1), leaving: make(chan struct{}),
		errands: make(chan console.Command, errandsSize), checkups: make(chan console.Command, checkupSize),
	}
	s.input.ready = make(chan struct{}, 1)
	s.outbox.ready = make(chan struct{}, 1)
	s.looks.ready = make(chan struct{}, 1)
	s.glance.ready, s.glance.asking = make(chan struct{}, 1), map[uint32]chan screen.TextMessage{}
	s.looks.asked = map[uint32]screen.Viewport{}
	s.state.Code = cfg.Code
	s.state.Why = "connecting to " + cfg.Relay.Addr
	return s
}

// Changed has at most one pending signal.
func (s *Session) Changed() <-chan struct{} { return s.changed }

// State is a snapshot; what it points to is never changed afterwards.
func (s *Session) State() console.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state
	st.Unsent = s.outbox.unsaid()
	return st
}

// Picture is the newest whole picture, nil before the first.
func (s *Session) Picture() *screen.Picture { return s.picture.Load() }

// Log returns the entries after seq that are kept, oldest first.
func (s *Session) Log(after chat.Seq) []chat.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.after(after)
}

// Look asks for another viewport. One that cannot be shown of the display is ignored.
func (s *Session) Look(v screen.Viewport) {
	s.mu.Lock()
	size := s.state.Display.Size
	s.mu.Unlock()
	if size.X > 0 && v.Check(size) != nil {
		return
	}
	s.looks.look(v)
}

// Input queues an event. It reports false when control is not held or the queue is full. While the host drops input (a
// question is before the customer) only releases pass.
func (s *Session) Input(ev screen.Input) bool {
	s.mu.Lock()
	self, _ := s.state.Roster.Member(s.state.Self)
	may := s.state.Phase == console.In && s.takes && self.Grants.Has(session.Control)
	paused := s.state.Roster.Paused
	s.mu.Unlock()
	return may && (!paused || releases(ev.Kind)) && s.input.push(ev)
}

func releases(k screen.InputKind) bool {
	return k == screen.KeyRelease || k == screen.ButtonRelease || k == screen.ReleaseAll
}

// Close leaves at once without asking anything; Run ends soon after.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave()
}

// leave needs mu.
func (s *Session) leave() {
	if !s.left {
		s.left = true
		close(s.leaving)
	}
}

// Run drives the session until it is over, the agent left, or ctx ends. It is nil when the agent left or somebody ended the
// session; otherwise it is why the session could not begin or go on. It returns when all that was started is gone.
func (s *Session) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		select {
		case <-s.leaving:
			cancel(errLeft)
		case <-ctx.Done():
		}
	})
	beside.Go(func() { s.runErrands(ctx) })
	beside.Go(func() { s.runCheckups(ctx) })
	err := s.live(ctx)
	cancel(nil)
	beside.Wait()
	return s.over(err)
}

// over writes the last state.
func (s *Session) over(err error) error {
	defer s.asks.close() // once the state says why
	why, err := lastWords(err)
	s.update(func(st *console.State) {
		st.Phase, st.Err = console.Over, err
		st.Why = why
	})
	return err
}

// update changes the state under the lock and says that it changed.
func (s *Session) update(change func(*console.State)) {
	s.mu.Lock()
	change(&s.state)
	s.mu.Unlock()
	s.signal()
}

func (s *Session) signal() {
	wake(s.changed)
	s.watchers.wake()
}

// wake leaves a signal for whoever waits; one is enough.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Times of the console.
const (
	silence     = transport.LostAfter // without any packet of the host, until contact counts as lost; more on a long line,
	longSilence = 8 * time.Second     // at most
	heartbeat   = time.Second         // between two Pings, while there is anything to see or to do
	restAfter   = 10 * time.Second    // without a picture or a word: QUIC's heartbeat is enough
	askTimeout  = 20 * time.Second    // for one answer of the broker; thin lines take a few
	dialTimeout = 20 * time.Second    // for the first link to the host
	redialTime  = 4 * time.Second     // for each later one; more where the first packets took long
	firstPause  = 250 * time.Millisecond
	longPause   = 2 * time.Second        // between two attempts to find the host again
	keepTrying  = session.SeatHold       // for the host's network to come back (design 6)
	showChange  = 15 * time.Second       // why the path changed stays in the status line
	farewell    = 400 * time.Millisecond // for the host's answer when the agent goes
)

// wants is what the customer is asked for.
func (s *Session) wants() session.Grants {
	if s.cfg.Want != 0 {
		return s.cfg.Want
	}
	if s.cfg.ViewOnly {
		return session.View | session.Chat
	}
	return session.View | session.Control | session.Chat
}

// inviteURL is the address under which others join; pin is empty while the host's key is not known.
func (s *Session) inviteURL(code string, pin transport.Pin) string {
	return inner.Invite{Code: code, Relay: s.cfg.Relay.Addr, Pin: string(pin)}.URL()
}
