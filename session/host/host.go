// Package host is the customer's end of a session: the only authority for what happens on the customer's machine. It
// registers with the broker, lets consoles in when their badge holds and the customer says yes, plays what agents type and
// click, fans the picture out, and keeps the order of what was said.
//
// Who owns what. The session loop is one goroutine and the only writer of session.Session, the chat log and the list of
// consoles; others hand it closures and get snapshots. The studio is one goroutine and owns frames, groups of viewers and
// encoders. The player holds, under its lock, what every member keeps pressed. Each console has goroutines of its own that
// read from its link and write to it, and nobody else waits for them.
//
// When a console is slow, its pictures stop (at most two wait for its word), it is split from the viewers that shared its
// encoder, and of rosters only the newest waits; chat and answers wait up to 1 MiB, then its link is closed. When a front is
// slow, it gets the newest view only.
//
// Stop is not a message in any of these queues: it sets what everything checks, lets the keys go, closes the links, and
// waits for no network. The package draws nothing, knows no terminal and trusts the relay with nothing but delivery.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/screen"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// Source is the customer's display as screen/capture has it. Run pumps its events; Changed says that Grab would find damage.
// A frame holds until the next Grab.
type Source interface {
	Run(ctx context.Context) error
	Display() screen.Display
	Changed() <-chan struct{}
	Grab() (*screen.Frame, screen.Damage, error)
	Pointer() (screen.Pointer, error)
}

// Injector plays input as screen/inject does. ReleaseAll gets through while Play is busy, and ends it.
type Injector interface {
	Play(ev screen.Input) error
	ReleaseAll() error
	Close() error
}

// AutoAnswer answers every question at once, for scripts: yes to what is in Allow.
type AutoAnswer struct{ Allow session.Grants }

// Config of a Host.
type Config struct {
	Relay     transport.Relay
	Relays    []transport.Relay // others of its fleet that are known already
	Options   transport.Options
	Code      string             // 8 digits of an agent's start; empty: mint one
	Session   []byte             // in place of a code: the session to which this machine was called; it belongs to Identity
	Identity  transport.Identity // long-lived, of an enrolled machine; zero: a fresh one
	Source    Source             // closed by whoever opened it; nil: there is no display
	Text      TextSource         // nil: there is no text; one of both there is
	Injector  Injector
	Prober    Prober // reads this machine for reports; nil: there are none
	Doer      Doer   // does something about what was found; nil: nothing is done
	Fronts    []Front
	Answer    *AutoAnswer
	Gate      Gate        // decides where nobody has to answer; nil: the customer is asked
	Files     string      // folder that files are put into and taken from; empty: one of the session's own among the user's downloads
	MaxFile   uint64      // bytes of a file that is received; 0: 64 GiB
	Keep      func(Saved) // takes what outlives this process, at most every keepEvery; nil: nothing does
	Resume    *Saved      // the session as an earlier process kept it
	Events    func(Event) // called in order by one goroutine; nil: nobody listens
	Customer  string      // how the person at the machine is called
	Software  string      // such as "assist 0.1.0"
	System    string      // operating system and kernel in one line, for agents; empty: only its kind
	Mode      session.ControlMode
	TrustOrgs map[string]transport.Pin // organisation to the key that vouches for its agents
	Log       *slog.Logger
}

// ErrStopped is why Run ends when the customer stops.
var ErrStopped = errors.New("stopped by the customer")

// Host is one session at the customer's machine.
type Host struct {
	cfg     Config
	id      transport.Identity
	log     *slog.Logger
	loop    *loop
	player  *player
	studio  *studio
	scribe  *scribe // nil: there is no text
	stopped atomic.Bool
	stop    chan struct{} // closed by Stop
	pause   suspension
	next    atomic.Uint64 // of console ids
	links   links
	shelf   shelf
	relays  *transport.Relays
	entry   chan struct{} // places for consoles between the link and the door
}

// New makes a host, with a key of its own for this session unless it has a long-lived one. Nothing is started.
func New(cfg Config) (*Host, error) {
	if cfg.Source == nil && cfg.Text == nil {
		return nil, errors.New("no display and no text to share")
	}
	id := cfg.Identity
	if id.Key == nil {
		var err error
		if id, err = transport.NewIdentity(); err != nil {
			return nil, err
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Events == nil {
		cfg.Events = func(Event) {}
	}
	h := &Host{
		cfg: cfg, id: id, log: cfg.Log, stop: make(chan struct{}), entry: make(chan struct{}, maxEntering),
		pause: suspension{asked: make(chan struct{})}, relays: transport.NewRelays(cfg.Relay, cfg.Relays...),
	}
	h.player = newPlayer(cfg.Injector, h.log)
	if cfg.Source == nil {
		h.cfg.Source = noDisplay{}
	}
	if cfg.Text != nil {
		h.player.text = cfg.Text
		h.scribe = newScribe(cfg.Text, h.log)
		h.player.typed = h.scribe.touch
		if cfg.Source != nil { // the customer looks at the desktop, so is told what happens beside it
			h.scribe.opened = func(m session.MemberID) {
				h.loop.post(func(l *loop) { l.opensTerminal(m) })
			}
		}
	}
	h.studio = newStudio(h.cfg.Source, h.player, h.log)
	h.studio.focus.typed, h.studio.focus.pressed = h.player.hands.typedLast, h.player.hands.pressedLast
	return h, nil
}

// Run registers with the relay and shares until the session ends, ctx does, or the customer stops (ErrStopped). It returns
// when everything that it started is gone, but for a front or display that does not answer any more: a stop waits for
// nobody longer than stopWait.
func (h *Host) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, h.halt)()
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = h.register(ctx)
	}()
	select {
	case <-done:
		return h.outcome(ctx, err)
	case <-h.stop:
		cancel(ErrStopped)
	case <-ctx.Done(): // Ctrl-C, a closed terminal: as good as the stop key
		h.Stop()
	}
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer stop()
	for _, gone := range []<-chan struct{}{h.player.released, done} {
		select {
		case <-gone:
		case <-late.Done():
		}
	}
	return context.Cause(ctx)
}

func (h *Host) outcome(ctx context.Context, err error) error {
	var ended *EndedError
	switch {
	case h.stopped.Load() && ctx.Err() == nil:
		return ErrStopped
	case errors.As(err, &ended):
		return nil
	case err == nil || errors.Is(err, context.Canceled):
		return context.Cause(ctx)
	}
	return err
}

// serve shares until the session ends. door is where consoles come in; the loop is there already.
func (h *Host) serve(ctx context.Context, door door) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range h.cfg.Fronts {
		views := h.loop.addFront()
		group.Go(func() error {
			if err := f.Run(ctx, views, h.act); err != nil && ctx.Err() == nil {
				h.log.Warn("a front ended", "err", err)
			}
			return nil
		})
	}
	group.Go(func() error { return h.loop.run(ctx) })
	group.Go(func() error { return h.player.run(ctx) })
	group.Go(func() error { return h.studio.run(ctx) })
	if h.scribe != nil {
		group.Go(func() error { return h.scribe.run(ctx) })
		group.Go(func() error { return h.runText(ctx) })
	}
	group.Go(func() error {
		if err := h.cfg.Source.Run(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("watch display: %w", err)
		}
		return nil
	})
	group.Go(func() error { return h.accept(ctx, group, door) })
	err := group.Wait()
	h.halt()
	select {
	case <-h.player.released:
	case <-time.After(stopWait):
	}
	return err
}

// plate is what the host says of itself to a console.
func (h *Host) plate() inner.Doorplate {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	system := h.cfg.System
	if system == "" {
		system = runtime.GOOS
	}
	return inner.Doorplate{Software: h.cfg.Software, HostName: name, Customer: h.cfg.Customer, OS: system}
}

// act takes what the customer did in a front. It does not wait.
func (h *Host) act(a Act) {
	if _, stop := a.(Stop); stop {
		h.Stop()
		return
	}
	if h.loop != nil {
		h.loop.post(func(l *loop) { l.act(a) })
	}
}

// place is what the broker answered.
type place struct {
	code    string
	url     string
	relay   string
	session [16]byte
	key     []byte // the broker's, that signs badges
	offset  time.Duration
	expires time.Time
}

// door is where links come in.
type door interface {
	accept(ctx context.Context) (link, error)
}

// link is what the host uses of a transport.Link.
type link interface {
	inner.Exporter
	PeerFingerprint() transport.Fingerprint
	LastHeard() time.Time
	Way() transport.Change
	SeekDirect()
	Stranded() bool
	OpenUni(ctx context.Context, kind wireKind) (transport.SendStream, error)
	AcceptStream(ctx context.Context) (wireKind, transport.Stream, error)
	AcceptUni(ctx context.Context) (wireKind, transport.ReceiveStream, error)
	SendDatagram(ctx context.Context, kind wire.DatagramKind, b []byte) error
	ReceiveDatagram(ctx context.Context) (wire.DatagramKind, []byte, error)
	Line() transport.Line
	Join(s transport.Stream) error
	Close(code uint64, reason string)
	Done() <-chan struct{}
	Err() error
}
