package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// Fleet is what a relay that shares its database with others says of itself.
type Fleet struct {
	ID     string // of its data folder
	Addr   string // host:port that clients dial
	Pin    string // fingerprint of its key
	Region string
	Conns  func() int // outer connections now; nil: not told
}

const (
	beatEvery   = 2 * time.Second // so that a lease outlives three beats that fail
	beatWithin  = 5 * time.Second
	maxSiblings = 16 // told to a client; fits wire.LimitPreAuth
)

// fleet is this relay among others: a lease on its sessions that it renews, a look at who took which of them, and the wrong
// tries that all of them count. The database is asked for sessions and logins only: while it is away, what runs goes on, and
// nobody else can take it, because taking needs the database too.
type fleet struct {
	Fleet
	b       *Broker
	started time.Time
	hint    chan struct{} // cap 1: look now

	draining atomic.Bool
	siblings atomic.Pointer[[]store.Relay] // the others that take sessions
	given    atomic.Uint64                 // sessions given away, so that they spread
	away     atomic.Bool                   // the database does not answer
	runs     atomic.Bool                   // the directory does, so that it can be told
	count    fleetCounters

	mu    sync.Mutex
	heard int64 // newest wrong try of others that was counted
}

// ErrTwin says that another relay with this one's id is alive: its data folder was copied.
var ErrTwin = errors.New("another relay with the same id is alive: each needs a data folder of its own, only keys/ and orgs/ are shared")

// joinFleet checks that this relay belongs to the others, and begins its lease.
func (b *Broker) joinFleet(ctx context.Context, conf Fleet) error {
	h := hmac.New(sha256.New, b.keys.Code[:])
	h.Write([]byte("assist fleet 1"))
	h.Write(b.keys.Badge.Seed())
	if err := b.store.Mark(ctx, "keys", h.Sum(nil)); err != nil {
		return err
	}
	all, err := b.store.Relays(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.ID == conf.ID && r.Alive && r.Addr != conf.Addr {
			return fmt.Errorf("%s: %w", r.Addr, ErrTwin)
		}
	}
	f := &fleet{Fleet: conf, b: b, started: time.Now(), hint: make(chan struct{}, 1)}
	f.siblings.Store(&[]store.Relay{})
	f.count = newFleetCounters(b.conf.Registerer, f)
	b.fleet = f
	if err := f.hear(ctx); err != nil {
		return err
	}
	return f.beat(ctx, 0)
}

// run renews the lease until ctx ends, and then gives it back.
func (f *fleet) run(ctx context.Context) {
	var hints sync.WaitGroup
	hints.Go(func() {
		f.b.store.Hints(ctx, func() {
			select {
			case f.hint <- struct{}{}:
			default:
			}
		})
	})
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			hints.Wait()
			return
		case <-tick.C:
		case <-f.hint:
		}
		f.look(ctx)
	}
}

// runFleet runs the directory under a lease. The lease ends before streams have their last word, because whoever is sent away by
// it is to be taken in elsewhere at once.
func (b *Broker) runFleet(ctx context.Context) {
	b.dir.last = b.fleet.lastWord
	dir, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	b.fleet.runs.Store(true)
	go func() {
		defer stop()
		b.fleet.run(ctx)
		b.fleet.part()
	}()
	b.dir.run(dir)
}

// part ends the lease.
func (f *fleet) part() {
	ctx, cancel := context.WithTimeout(context.Background(), beatWithin)
	defer cancel()
	if err := f.b.store.Gone(ctx, f.ID); err != nil {
		f.b.log.Warn("the lease ends by time", "err", err)
	}
}

// look is one beat: the lease, the others, what was lost, what is to be given away.
func (f *fleet) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatWithin)
	defer cancel()
	held := map[[16]byte]*live{}
	if f.b.dir.do(func() error {
		for id, s := range f.b.dir.byID {
			held[id] = s
		}
		return nil
	}) != nil {
		return
	}
	err := f.beat(ctx, len(held))
	if err == nil {
		err = f.fence(ctx, held)
	}
	if was := f.away.Swap(err != nil); err != nil && !was {
		f.b.log.Warn("the database does not answer; running sessions go on", "err", err)
	} else if err == nil && was {
		f.b.log.Info("the database answers again")
	}
	if f.draining.Load() {
		f.b.dir.tell(f.giveAway)
	}
}

func (f *fleet) beat(ctx context.Context, sessions int) error {
	r := store.Relay{ID: f.ID, Addr: f.Addr, Pin: f.Pin, Region: f.Region, Software: f.b.conf.Software, Started: f.started, Sessions: sessions}
	if f.Conns != nil {
		r.Conns = f.Conns()
	}
	draining, err := f.b.store.Beat(ctx, r)
	if err != nil {
		return err
	}
	f.draining.Store(draining)
	all, err := f.b.store.Relays(ctx)
	if err != nil {
		return err
	}
	var open []store.Relay
	for _, near := range []bool{true, false} { // those of the own region first
		for _, r := range all {
			if r.ID != f.ID && r.Open() && (r.Region == f.Region) == near && len(open) < maxSiblings {
				open = append(open, r)
			}
		}
	}
	if was := f.siblings.Swap(&open); f.runs.Load() && !slices.EqualFunc(*was, open, func(a, b store.Relay) bool { return a.Addr == b.Addr && a.Pin == b.Pin }) {
		now := &wire.Reply{Kind: &wire.Reply_Fleet{Fleet: &wire.Fleet{Relays: f.addresses()}}}
		f.b.dir.tell(func() { f.b.dir.broadcast(now) })
	}
	return nil
}

// fence lets go of sessions that another relay has taken.
func (f *fleet) fence(ctx context.Context, held map[[16]byte]*live) error {
	mine, err := f.b.store.Routes(ctx, f.ID)
	if err != nil {
		return err
	}
	for id, s := range held {
		if _, still := mine[id]; still {
			continue
		}
		r, err := f.b.store.RouteOf(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound): // it has just ended
			continue
		case err != nil:
			return err
		case r.Relay.ID == f.ID || r.Relay.ID == "":
			continue
		}
		f.count.fenced.Inc()
		f.b.log.Warn("a session was taken over by another relay", "relay", r.Relay.Addr)
		f.b.dir.tell(func() { f.b.dir.part(s, refusalReply(movedTo(r.Relay))) })
	}
	return nil
}

// giveAway tells everyone in the sessions to go to other relays, which take them over. Without another relay they stay. The
// directory calls it.
func (f *fleet) giveAway() {
	for _, s := range f.b.dir.byID {
		if to, ok := f.sibling(); ok {
			f.b.dir.part(s, refusalReply(movedTo(to)))
			f.count.given.Inc()
		}
	}
	for _, m := range f.b.dir.machines {
		if to, ok := f.sibling(); ok {
			m.finish(refusalReply(movedTo(to)))
		}
	}
}

// sibling is another relay that takes sessions: of the own region where there is one, and each in turn.
func (f *fleet) sibling() (store.Relay, bool) {
	all := *f.siblings.Load()
	near := 0
	for near < len(all) && all[near].Region == f.Region {
		near++
	}
	if near == 0 {
		near = len(all)
	}
	if near == 0 {
		return store.Relay{}, false
	}
	return all[f.given.Add(1)%uint64(near)], true
}

// lastWord is what streams hear when this relay goes: another relay, where there is one.
func (f *fleet) lastWord() *wire.Reply {
	f.draining.Store(true)
	if err := f.newcomer(); err != nil {
		return refusalReply(err)
	}
	return refusalReply(refuseDrain)
}

// newcomer says where somebody has to go who wants a new session while this relay gives its own away; nil: here.
func (f *fleet) newcomer() error {
	if f == nil || !f.draining.Load() {
		return nil
	}
	if to, ok := f.sibling(); ok {
		return movedTo(to)
	}
	return nil
}

// locate is asked for a code that the directory does not know. It fails with the address of the relay that serves the session,
// or takes over what nobody serves, and is nil then. may says whether whoever asks may hear of the session.
func (f *fleet) locate(ctx context.Context, code codeMAC, may func(store.Route) bool) error {
	if f == nil {
		return errUnknown
	}
	return f.fetch(ctx, func() (store.Route, error) { return f.b.store.Route(ctx, code) }, may)
}

// locateID is locate for a session that is known by its number.
func (f *fleet) locateID(ctx context.Context, id [16]byte, may func(store.Route) bool) error {
	if f == nil {
		return errUnknown
	}
	return f.fetch(ctx, func() (store.Route, error) { return f.b.store.RouteOf(ctx, id) }, may)
}

func (f *fleet) fetch(ctx context.Context, route func() (store.Route, error), may func(store.Route) bool) error {
	for range 3 { // another relay may be quicker
		r, err := route()
		switch {
		case errors.Is(err, store.ErrNotFound):
			return errUnknown
		case err != nil:
			return err
		case !may(r):
			return errUnknown
		case r.Relay.ID != f.ID && r.Relay.Open():
			return movedTo(r.Relay)
		}
		if err := f.newcomer(); err != nil {
			return err
		}
		_, err = f.b.store.Take(ctx, r.Session, f.ID, r.Epoch, store.Event{
			At: time.Now(), Kind: "session.take", Session: r.Session[:], Outcome: "ok", Detail: "from relay " + r.Relay.Addr + " to " + f.Addr,
		})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		f.count.taken.Inc()
		return f.b.revive(ctx, r.Session)
	}
	return errUnknown
}

// attended keeps that a machine is connected here.
func (f *fleet) attended(ctx context.Context, machine string) error {
	if f == nil {
		return nil
	}
	return f.b.store.Place(ctx, machine, f.ID)
}

// attendedBy says at which other relay a machine is connected, by a refusal that names it; nil when it is at none.
func (f *fleet) attendedBy(ctx context.Context, machine string) error {
	if f == nil {
		return nil
	}
	r, err := f.b.store.PlaceOf(ctx, machine)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (r.ID == f.ID || !r.Alive):
		return nil
	case err != nil:
		return err
	}
	return movedTo(r)
}

// addresses are the relays of the fleet as a client is told them, this one first.
func (f *fleet) addresses() []*wire.RelayAddress {
	if f == nil {
		return nil
	}
	out := []*wire.RelayAddress{{Addr: f.Addr, Key: f.Pin}}
	for _, r := range *f.siblings.Load() {
		if len(out) < maxSiblings {
			out = append(out, &wire.RelayAddress{Addr: r.Addr, Key: r.Pin})
		}
	}
	return out
}

// id is the relay's, empty when it is alone.
func (f *fleet) id() string {
	if f == nil {
		return ""
	}
	return f.ID
}

func movedTo(r store.Relay) error {
	return &refusal{code: wire.CodeMoved, text: "another relay serves this", moved: &wire.RelayAddress{Addr: r.Addr, Key: r.Pin}}
}

// refusalReply is a refusal as a last word.
func refusalReply(err error) *wire.Reply {
	var r *refusal
	errors.As(err, &r)
	return &wire.Reply{Problem: r.problem()}
}
