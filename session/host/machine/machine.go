// Package machine is an enrolled machine that agents use when nobody is there: its key and enrolment, its policy, and the
// program that waits for agents and opens one session after the other.
//
// Who owns what. The folder belongs to the machine's owner: its key and what it proves by never leave it, and only Enroll,
// Revoke and the owner's commands write there, beside the session that Run keeps for its next process. The policy is a file of
// the owner's; Gate reads it again whenever it has changed. What comes from outside (the administrators of the organisation, by
// way of the relay) is one policy more, which all have to hold: it can only forbid.
//
// Run attends at the relay for ever. One goroutine keeps the connection and hands on which session the machine was called to;
// another opens it and waits for its end; of calls the newest waits. A relay that cannot be reached is tried again with growing
// pauses. The package asks nobody anything, draws nothing, and trusts the relay with delivery and with forbidding.
package machine

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/session/host"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// Stage is what a machine shares in one session; Close is called when the session is over.
type Stage struct {
	Config host.Config // its Source, Injector, Fronts and the like; the rest is filled in here
	Close  func()
}

// Config of a machine.
type Config struct {
	Folder   Folder
	Gate     *Gate
	Options  transport.Options
	Software string
	System   string // operating system and kernel in one line
	// Open prepares what the next session shares. An error is told to the agent who calls.
	Open   func() (Stage, error)
	Events func(host.Event) // nil: nobody listens
	Log    *slog.Logger
}

// Times of the connection to the relay. A pause is drawn between half of it and the whole, so that a fleet of machines does not
// come back at once.
const (
	firstPause = 500 * time.Millisecond
	longPause  = 15 * time.Second
	settled    = 30 * time.Second // a connection that lasted so long begins with the first pause again
	askWithin  = 15 * time.Second
	lastWords  = 2 * time.Second // of a session that waits for the next process
)

// Machine waits for agents.
type Machine struct {
	cfg    Config
	who    Enrolment
	id     transport.Identity
	calls  chan []byte // the newest session that waits for the machine
	relays *transport.Relays

	mu      sync.Mutex
	running *host.Host
	session []byte // of running
	leaving string // why the machine goes away for a while; empty: it does not
}

// New reads what the machine is. ErrNotEnrolled when it is not enrolled.
func New(cfg Config) (*Machine, error) {
	who, id, err := cfg.Folder.Load()
	if err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Events == nil {
		cfg.Events = func(host.Event) {}
	}
	return &Machine{cfg: cfg, who: who, id: id, calls: make(chan []byte, 1), relays: transport.NewRelays(who.relay())}, nil
}

// Enrolment says what the machine is.
func (m *Machine) Enrolment() Enrolment { return m.who }

// Run waits for agents until ctx is done or the machine is not enrolled any more (a *transport.ProblemError). A session that is
// open then waits for the next Run, on this machine, if Suspend was called; otherwise it ends.
func (m *Machine) Run(ctx context.Context) error {
	group, inside := errgroup.WithContext(ctx)
	group.Go(func() error { return m.attendForEver(inside) })
	group.Go(func() error { return m.work(inside) })
	err := group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Suspend lets an open session wait for the next process of this machine; why is told to the agents. It is called before the
// end of Run's ctx.
func (m *Machine) Suspend(why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leaving = why
	if m.running != nil {
		m.running.Suspend(why)
	}
}

// attendForEver keeps the machine reachable.
func (m *Machine) attendForEver(ctx context.Context) error {
	pause := firstPause
	for {
		began := time.Now()
		err := m.attend(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if final(err) {
			m.end()
			return err
		}
		m.cfg.Log.Warn("relay lost", "err", err)
		if time.Since(began) > settled {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, longPause)
	}
}

// final says whether the relay knows that this machine is not one of its own.
func final(err error) bool {
	var p *transport.ProblemError
	return errors.As(err, &p) && (p.Code == wire.CodeNoMachine || p.Code == wire.CodeMachineKey)
}

// attend is one connection to the relay.
func (m *Machine) attend(ctx context.Context) error {
	opt := m.cfg.Options
	opt.Software = m.cfg.Software
	within, cancel := context.WithTimeout(ctx, askWithin)
	outer, err := m.relays.Dial(within, m.id, opt)
	cancel()
	if err != nil {
		return err
	}
	defer outer.Close()
	ask := &wire.Attend{Id: m.who.ID, Os: m.cfg.System}
	replies, err := outer.Subscribe(ctx, &wire.Request{Kind: &wire.Request_Attend{Attend: ask}})
	if err != nil {
		return err
	}
	defer replies.Close()
	for {
		reply, err := replies.Next()
		if err != nil {
			m.relays.Moved(err)
			return err
		}
		m.relays.Heard(reply)
		if at := reply.GetAttending(); at != nil {
			m.attending(at)
		}
		if called := reply.GetCalled(); called != nil {
			m.called(called.Session)
		}
	}
}

// attending hears under which name the machine is known, and what is forbidden from outside.
func (m *Machine) attending(at *wire.Attending) {
	if err := m.cfg.Gate.Restrict(at.Restrict); err != nil {
		m.cfg.Log.Error("the restriction from outside cannot be read: nobody is let in", "err", err)
	}
	m.cfg.Events(host.Event{Time: time.Now(), Event: "attending", Name: printable(at.Name), Org: printable(at.Org)})
}

// called keeps the session that waits for the machine. One that is open already needs nothing.
func (m *Machine) called(session []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(session) != 16 || string(session) == string(m.session) {
		return
	}
	select {
	case <-m.calls: // the newest counts
	default:
	}
	m.calls <- session
}

// work opens one session after the other.
func (m *Machine) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case session := <-m.calls:
			if err := m.share(ctx, session); err != nil && ctx.Err() == nil {
				m.cfg.Log.Warn("session", "number", hex.EncodeToString(session), "err", err)
			}
		}
	}
}

// share is one session, from the call to its end.
func (m *Machine) share(ctx context.Context, session []byte) error {
	if m.cfg.Folder.over([16]byte(session)) {
		m.decline(ctx, session, errors.New("that session is over"))
		return nil
	}
	stage, err := m.cfg.Open()
	if err != nil {
		m.decline(ctx, session, err)
		return err
	}
	defer stage.Close()
	cfg := stage.Config
	cfg.Relay, cfg.Relays, cfg.Options, cfg.Software, cfg.System = m.who.relay(), m.relays.All(), m.cfg.Options, m.cfg.Software, m.cfg.System
	cfg.Options.Software = m.cfg.Software
	cfg.Session, cfg.Identity, cfg.Gate, cfg.TrustOrgs = session, m.id, m.cfg.Gate, m.cfg.Gate.trusted()
	cfg.Events, cfg.Log = m.cfg.Events, m.cfg.Log
	if cfg.Customer == "" { // nobody sits there
		cfg.Customer = m.who.Name
	}
	keeper := newKeeper(m.cfg.Folder, m.cfg.Log)
	defer keeper.close()
	cfg.Keep, cfg.Resume = keeper.keep, m.cfg.Folder.session([16]byte(session))
	h, err := host.New(cfg)
	if err != nil {
		m.decline(ctx, session, err)
		return err
	}
	if !m.begin(h, session) {
		return host.ErrSuspended
	}
	defer m.begin(nil, nil)
	ctx, cancel := m.outlasting(ctx)
	defer cancel()
	err = h.Run(ctx)
	if errors.Is(err, host.ErrStopped) {
		return nil
	}
	return err
}

// outlasting ends with ctx, but gives a session that waits for the next process the time to say so.
func (m *Machine) outlasting(ctx context.Context) (context.Context, context.CancelFunc) {
	inside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.leaving == "" {
			cancel()
			return
		}
		time.AfterFunc(lastWords, cancel)
	})
	return inside, func() { stop(); cancel() }
}

// begin says which session is open; false when the machine is about to go away.
func (m *Machine) begin(h *host.Host, session []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h != nil && m.leaving != "" {
		return false
	}
	m.running, m.session = h, session
	return true
}

// end stops the session that is open.
func (m *Machine) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != nil {
		m.running.Stop()
	}
}

// decline tells the agent who calls why the machine does not come.
func (m *Machine) decline(ctx context.Context, session []byte, why error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err := m.ask(ctx, &wire.Request{Kind: &wire.Request_Decline{Decline: &wire.Decline{Session: session, Why: why.Error()}}})
	if err != nil {
		m.cfg.Log.Warn("decline", "err", err)
	}
}

func (m *Machine) ask(ctx context.Context, r *wire.Request) error {
	return ask(ctx, m.relays.All()[0], m.id, m.cfg.Options, r)
}

func ask(ctx context.Context, relay transport.Relay, id transport.Identity, opt transport.Options, r *wire.Request) error {
	_, err := request(ctx, relay, id, opt, r)
	return err
}

func request(ctx context.Context, relay transport.Relay, id transport.Identity, opt transport.Options, r *wire.Request) (*wire.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	outer, err := transport.DialRelay(ctx, relay, id, opt)
	if err != nil {
		return nil, err
	}
	defer outer.Close()
	reply, err := outer.Request(ctx, r)
	if err != nil {
		return nil, err
	}
	if reply.Kind == nil {
		return nil, inner.ErrMalformed
	}
	return reply, nil
}
