package broker

import (
	"context"
	"math/rand/v2"
	"time"

	"assist/session/broker/store"
)

// restore puts the sessions of an earlier run back into the directory, before it runs.
func (b *Broker) restore(ctx context.Context) error {
	now := time.Now()
	if err := b.store.Forget(ctx, now.Add(-forgetAfter)); err != nil {
		return err
	}
	open, err := b.store.OpenSessions(ctx, b.fleet.id())
	if err != nil {
		return err
	}
	for _, o := range open {
		s := revived(o, now)
		if err := b.dir.add(s); err != nil {
			b.log.Warn("session of an earlier run is not taken over", "err", err)
			b.sessionEnded(s, "no room after a restart")
		}
	}
	all, err := b.store.Invites(ctx, nil)
	if err != nil {
		return err
	}
	b.dir.reviveInvites(all)
	return nil
}

// revive puts one session that this relay has just taken into the directory, which runs.
func (b *Broker) revive(ctx context.Context, id [16]byte) error {
	o, err := b.store.OpenSession(ctx, id)
	if err != nil {
		return ended(err)
	}
	invites, err := b.store.Invites(ctx, id[:])
	if err != nil {
		return err
	}
	return b.dir.do(func() error {
		if b.dir.byID[id] != nil { // somebody else who asked for it was quicker
			return nil
		}
		if err := b.dir.add(revived(o, time.Now())); err != nil {
			return err
		}
		b.dir.reviveInvites(invites)
		return nil
	})
}

// revived is a session as the database has it; its host is awaited from now on.
func revived(o store.Session, now time.Time) *live {
	s := &live{
		id: o.ID, code: o.Code, startedBy: o.StartedBy, lead: o.StartedBy, expires: o.Expires,
		closed: !o.Closed.IsZero(), agents: map[string]bool{}, viewers: map[string]bool{}, hostLost: now,
		nextPeer: 1 + rand.Uint32N(maxPeer), // consoles that were here before come back under their numbers
	}
	if len(o.Owner) == 32 && len(o.HostKey) == 32 {
		s.owner, s.hostKey, s.claimed = [32]byte(o.Owner), [32]byte(o.HostKey), true
	}
	for _, a := range o.Agents {
		s.agents[a] = true
		if s.lead == "" {
			s.lead = a
		}
	}
	for _, a := range o.Viewers {
		s.viewers[a] = true
	}
	return s
}

// reviveInvites gives sessions their invitations back.
func (d *directory) reviveInvites(all []store.Invite) {
	for _, n := range all {
		s := d.byID[n.Session]
		if s == nil || d.byCode[n.Code] != nil {
			continue
		}
		s.invites[n.Code] = &invitation{
			code: n.Code, sealed: n.Sealed, by: n.By, who: n.For, viewOnly: n.ViewOnly, expires: n.Expires, revoked: !n.Revoked.IsZero(),
		}
		d.byCode[n.Code] = s
	}
}
