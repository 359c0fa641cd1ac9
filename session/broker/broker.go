// Package broker knows who is who and who is where: accounts and logins, codes, badges, which host and which consoles belong to
// a session. It answers the requests of wire.Request over streams that it is handed, and tells the relay, through Forwarder,
// between which ends to forward. It never sees a word of a session.
//
// Accounts and what has to survive a restart are owned by the database (package store). Who is connected is owned by one
// goroutine, the directory: handlers hand it functions that run in order and never wait. A stream that stays open has a mailbox
// of 64 replies; a reader that lets it fill is dropped, nothing grows. Passwords are hashed by at most two handlers at a time,
// 32 more wait, others are told to come back. The package opens no socket and trusts no time but its own.
package broker

import (
	"context"
	"crypto/cipher"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assist/session/broker/store"
)

// Config says what a broker is made of. Store, Keys and Forwarder are needed; the rest has defaults.
type Config struct {
	Store     *store.Store
	Keys      Keys
	Forwarder Forwarder
	// OrgKey finds the signing key of an organisation; an error means that its agents get no device certificate.
	OrgKey     func(org string) (ed25519.PrivateKey, error)
	Sessions   int // at most so many at a time; 0: 10,000
	Software   string
	SecondPort uint16 // of the relay, told to clients; 0: there is none
	Fleet      *Fleet // nil: the relay is alone with its database
	Log        *slog.Logger
	Registerer prometheus.Registerer
}

const (
	maxSessions = 10_000
	forgetAfter = 30 * day // ended sessions; the audit log keeps what happened
)

// Broker answers hosts and consoles. Run it before ServeOuter is called.
type Broker struct {
	conf    Config
	keys    Keys
	store   *store.Store
	log     *slog.Logger
	dir     *directory
	hashes  *hasher
	codes   *limits
	logins  *limits
	opens   *pace       // codes minted, by network
	starts  *pace       // codes minted, by account
	invites *pace       // invitations made, by account
	seal    cipher.AEAD // of the codes of invitations
	count   counters
	drain   chan struct{} // closed by Drain
	fleet   *fleet        // set once; nil: alone
	events  chan store.Event
	endings
}

var errDraining = errors.New("the relay is going down")

// New makes a broker and reads the sessions that an earlier run left open: their hosts have ten minutes to come back.
func New(ctx context.Context, c Config) (*Broker, error) {
	if c.Sessions == 0 {
		c.Sessions = maxSessions
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OrgKey == nil {
		c.OrgKey = func(string) (ed25519.PrivateKey, error) { return nil, errors.New("no organisation keys here") }
	}
	h, err := newHasher()
	if err != nil {
		return nil, err
	}
	seal, err := sealer(c.Keys.Code)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		conf: c, keys: c.Keys, store: c.Store, log: c.Log, hashes: h,
		opens: newPace(opensPerMinute), starts: newPace(startsPerMinute),
		invites: newPace(invitesPerMinute), seal: seal,
		drain: make(chan struct{}), events: make(chan store.Event, 256),
		endings: endings{ended: make(chan ending, 256)},
	}
	b.codes = newLimits(func(n int) { b.tell("code.alarm", fmt.Sprintf("%d wrong codes within an hour", n)) })
	b.logins = newLimits(func(n int) { b.tell("login.alarm", fmt.Sprintf("%d wrong logins within an hour", n)) })
	b.dir = newDirectory(c.Forwarder, c.Sessions, b.sessionEnded)
	b.count = newCounters(c.Registerer, b)
	if c.Fleet != nil {
		if err := b.joinFleet(ctx, *c.Fleet); err != nil {
			return nil, err
		}
	}
	return b, b.restore(ctx)
}

// Run keeps the directory and writes what ends by itself into the database, until ctx ends. Streams that are open then get a
// last word; their sessions stay in the database for the next run.
func (b *Broker) Run(ctx context.Context) error {
	written := make(chan struct{})
	go func() {
		defer close(written)
		b.keepRecords(ctx)
	}()
	if b.fleet == nil {
		b.dir.run(ctx)
	} else {
		b.runFleet(ctx)
	}
	<-written
	return nil
}

// Drain refuses requests from now on; streams that are open stay until Run ends.
func (b *Broker) Drain() {
	select {
	case <-b.drain:
	default:
		close(b.drain)
	}
}

func (b *Broker) draining() bool {
	select {
	case <-b.drain:
		return true
	default:
		return false
	}
}

// tell records something that no request stands for. It never blocks: when the database is so slow that 256 wait, the line is
// only in the log.
func (b *Broker) tell(kind, detail string) {
	b.log.Warn(detail, "event", kind)
	b.note(store.Event{At: time.Now(), Kind: kind, Outcome: "alarm", Detail: detail})
}

// note records an event soon, without making anyone wait for it.
func (b *Broker) note(e store.Event) {
	select {
	case b.events <- e:
	default:
		b.log.Error("the database is too slow to keep an event", "event", e.Kind)
	}
}

// endings are the sessions that the directory has ended and the database does not know yet.
type endings struct{ ended chan ending }

type ending struct {
	id  [16]byte
	why string
	at  time.Time
}

// sessionEnded is called by the directory and must not block. An ending that finds no room is made up for at the next start,
// when nobody comes back to the session.
func (b *Broker) sessionEnded(s *live, why string) {
	select {
	case b.ended <- ending{s.id, why, time.Now()}:
	default:
		b.log.Error("the database is too slow to keep that a session ended")
	}
}

func (b *Broker) keepRecords(ctx context.Context) {
	for {
		select {
		case e := <-b.ended:
			b.keepEnding(e)
		case e := <-b.events:
			b.keepEvent(e)
		case <-ctx.Done():
			for {
				select {
				case e := <-b.ended:
					b.keepEnding(e)
				case e := <-b.events:
					b.keepEvent(e)
				default:
					return
				}
			}
		}
	}
}

const recordWithin = 15 * time.Second

func (b *Broker) keepEnding(e ending) {
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	err := b.store.EndSession(ctx, e.id, b.fleet.id(), e.at, e.at.Add(codeRest),
		store.Event{At: e.at, Kind: "session.end", Session: e.id[:], Outcome: "ok", Detail: e.why})
	if err != nil && !(b.fleet != nil && errors.Is(err, store.ErrNotFound)) { // another relay has the session now
		b.log.Error("keep the end of a session", "err", err)
	}
}

func (b *Broker) keepEvent(e store.Event) {
	ctx, cancel := context.WithTimeout(context.Background(), recordWithin)
	defer cancel()
	if err := b.store.Record(ctx, e); err != nil {
		b.log.Error("keep an event", "err", err)
	}
}
