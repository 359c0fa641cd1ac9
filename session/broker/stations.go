package broker

import (
	"context"
	"errors"
	"time"

	"assist/chat"
	"assist/session/broker/store"
	"assist/transport/wire"
)

// station is an enrolled machine that is connected. The directory owns which one of a machine's connections it is.
type station struct {
	*end
	key [32]byte
}

// attend makes e the connection by which a machine is called. An older one of the same machine ends: it may be one that died
// unnoticed. The machine is called to the session that it has at once: it may be a new process, and the connection of the old
// one not found dead yet. One that is in its session passes over it.
func (d *directory) attend(id string, key [32]byte, e *end) {
	if old := d.machines[id]; old != nil {
		old.finish(nil)
	}
	m := &station{e, key}
	d.machines[id] = m
	for _, s := range d.byID {
		if s.claimed && s.owner == key {
			m.call(s)
		}
	}
}

func (m *station) call(s *live) {
	m.send(&wire.Reply{Kind: &wire.Reply_Called{Called: &wire.Called{Session: s.id[:]}}})
}

// depart says that the connection e of a machine is over; false when another one has taken its place.
func (d *directory) depart(id string, e *end) bool {
	if m := d.machines[id]; m == nil || m.end != e {
		return false
	}
	delete(d.machines, id)
	return true
}

// sessionOf is the session that a machine has or awaits. A machine has one at a time.
func (d *directory) sessionOf(key [32]byte) *live {
	for _, s := range d.byID {
		if s.claimed && s.owner == key {
			return s
		}
	}
	return nil
}

// forget ends everything of a machine that is not enrolled any more.
func (d *directory) forget(id string, key [32]byte, why string) {
	if m := d.machines[id]; m != nil {
		m.finish(refuse(wire.CodeNoMachine, why))
		delete(d.machines, id)
	}
	if s := d.sessionOf(key); s != nil {
		d.end(s, why)
	}
}

// answerMachine answers the requests about machines.
func (b *Broker) answerMachine(ctx context.Context, x *exchange, req *wire.Request) error {
	switch r := req.Kind.(type) {
	case *wire.Request_MintEnrolment:
		return b.mintEnrolment(ctx, x, r.MintEnrolment)
	case *wire.Request_Enroll:
		return b.enroll(ctx, x, r.Enroll)
	case *wire.Request_Attend:
		return b.attend(ctx, x, r.Attend)
	case *wire.Request_Retire:
		return b.retire(ctx, x, r.Retire)
	case *wire.Request_Decline:
		return b.decline(x, r.Decline)
	case *wire.Request_Connect:
		return b.connect(ctx, x, r.Connect)
	case *wire.Request_ListMachines:
		return b.listMachines(ctx, x, r.ListMachines)
	case *wire.Request_ChangeMachine:
		return b.changeMachine(ctx, x, r.ChangeMachine)
	}
	return refuseRequest
}

var (
	refuseMachine = &refusal{code: wire.CodeNoMachine, text: "no such machine"}
	refuseGone    = &refusal{code: wire.CodeNoMachine, text: "this machine is not enrolled here, or not any more"}
	refuseKey     = &refusal{code: wire.CodeMachineKey, text: "this machine's key is not the one that was enrolled"}
)

// own finds the machine that asks for itself, by its id and the key of its connection.
func (b *Broker) own(ctx context.Context, x *exchange, id string) (store.Machine, error) {
	m, err := b.store.MachineByID(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !m.Org.Disabled.IsZero():
		return m, refuseGone
	case err != nil:
		return m, err
	case m.Key != x.key:
		b.note(x.event("machine.key", m.Handle(), "another key"))
		return m, refuseKey
	}
	return m, nil
}

// attend keeps a machine reachable for as long as its stream is open.
func (b *Broker) attend(ctx context.Context, x *exchange, r *wire.Attend) error {
	m, err := b.own(ctx, x, r.Id)
	if err != nil {
		return err
	}
	system := chat.Name(chat.Clip(r.Os, maxSystem))
	if err := b.store.Saw(ctx, m.ID, system, time.Now()); err != nil {
		return gone(err)
	}
	e := newEnd()
	if err := b.fleet.newcomer(); err != nil {
		return err
	}
	if err := b.fleet.attended(ctx, m.ID); err != nil {
		return err
	}
	if err := b.dir.do(func() error { b.dir.attend(m.ID, m.Key, e); return nil }); err != nil {
		return err
	}
	if err = x.reply(attending(m, m.Limits)); err == nil {
		x.deliver(ctx, e)
	}
	var last bool
	b.dir.tell(func() { last = b.dir.depart(m.ID, e) })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	if last && b.fleet != nil {
		if err := b.store.Displace(ctx, m.ID, b.fleet.ID); err != nil {
			b.log.Error("keep that a machine has gone", "err", err)
		}
	}
	if err := b.store.Saw(ctx, m.ID, system, time.Now()); err != nil && !errors.Is(err, store.ErrNotFound) {
		b.log.Error("keep when a machine was seen", "err", err)
	}
	return err
}

// maxSystem is the longest line, in bytes, about what a machine runs.
const maxSystem = 128

func attending(m store.Machine, limits string) *wire.Reply {
	return &wire.Reply{Kind: &wire.Reply_Attending{Attending: &wire.Attending{Name: m.Name, Org: m.Org.Handle, Restrict: limits}}}
}

// gone is what a machine that is not in the database any more means.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return refuseGone
	}
	return err
}

// ownClaim lets a host have the session that belongs to its key already: a machine that was called, or that comes back.
func ownClaim(b *Broker, id []byte) func(context.Context, *exchange, string, [32]byte, *end) (claimed, error) {
	return func(ctx context.Context, x *exchange, _ string, hostKey [32]byte, e *end) (c claimed, err error) {
		if len(id) != 16 {
			return c, refuseRequest
		}
		sit := func() error {
			return b.dir.do(func() (err error) {
				s := b.dir.byID[[16]byte(id)]
				if s == nil || !s.claimed || s.owner != x.key || s.hostKey != hostKey {
					return errUnknown
				}
				c.s, c.expires = s, s.expires
				c.ch, err = b.dir.seatHost(s, x.key, hostKey, e, time.Now())
				return err
			})
		}
		if err = sit(); errors.Is(err, errUnknown) {
			err = b.fleet.locateID(ctx, [16]byte(id), func(r store.Route) bool { return r.Claimed && r.Owner == x.key })
			if err == nil {
				err = sit()
			}
		}
		return c, err
	}
}

// decline ends a session by the word of its host: it is over there, or a machine that was called cannot take it.
func (b *Broker) decline(x *exchange, r *wire.Decline) error {
	s, err := b.find(r.Session, func(s *live) bool { return s.claimed && s.owner == x.key })
	if err != nil {
		return err
	}
	why := "the host ended the session"
	if r.Why != "" {
		why = "the machine says: " + chat.Title(chat.Clip(r.Why, maxTitleBytes))
	}
	b.dir.tell(func() {
		if b.dir.byID[s.id] == s {
			b.dir.end(s, why)
		}
	})
	return x.done()
}

// retire ends an enrolment by the machine's own wish.
func (b *Broker) retire(ctx context.Context, x *exchange, r *wire.Retire) error {
	m, err := b.own(ctx, x, r.Id)
	if err != nil {
		return err
	}
	if err := b.store.RemoveMachine(ctx, m.ID, x.event("machine.retire", m.Handle(), "ok")); err != nil {
		return gone(err)
	}
	b.dir.tell(func() { b.dir.forget(m.ID, m.Key, "unattended access was turned off at the machine") })
	return x.done()
}
