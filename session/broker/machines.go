package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// machineFor finds a machine that an agent may know of: one of the agent's organisation. Any other is as unknown as one that
// is not there.
func (b *Broker) machineFor(ctx context.Context, a store.Agent, handle string) (store.Machine, error) {
	name, org, named := strings.Cut(strings.ToLower(handle), "@")
	if !named {
		org = a.Org.Handle
	}
	if CheckName(name) != nil || org != a.Org.Handle {
		return store.Machine{}, refuseMachine
	}
	m, err := b.store.Machine(ctx, name, org)
	if errors.Is(err, store.ErrNotFound) {
		return m, refuseMachine
	}
	return m, err
}

// connect calls a machine to a session with an agent, or brings the agent into the one that the machine has.
func (b *Broker) connect(ctx context.Context, x *exchange, r *wire.Connect) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	m, err := b.machineFor(ctx, a, r.Machine)
	if err != nil {
		return err
	}
	if wait := b.starts.take(a.ID, time.Now()); wait > 0 {
		return slowDown(wait)
	}
	e := newEnd()
	s, code, expires, err := b.sessionOn(ctx, x, a, m)
	if err == nil {
		err = b.dir.do(func() error { return b.dir.wait(s, e) })
	}
	if err != nil {
		return err
	}
	err = x.reply(&wire.Reply{Kind: &wire.Reply_Connecting{Connecting: &wire.Connecting{
		Code: code, Session: s.id[:], ExpiresUnix: unix(expires), MachineKey: m.Key[:], Name: m.Name, Org: m.Org.Handle,
	}}})
	if err == nil {
		x.deliver(ctx, e)
	}
	b.dir.tell(func() { delete(s.waiting, e) })
	return err
}

// sessionOn is the session that a machine has, by an invitation for this agent; else a new one, to which it is called.
func (b *Broker) sessionOn(ctx context.Context, x *exchange, a store.Agent, m store.Machine) (s *live, code string, expires time.Time, err error) {
	now := time.Now()
	var here bool
	var open *invitation
	err = b.dir.do(func() error {
		at := b.dir.machines[m.ID]
		here = at != nil
		if s = b.dir.sessionOf(m.Key); s == nil {
			return nil
		}
		if here && s.host == nil { // it may not know that it is awaited
			at.call(s)
		}
		for _, i := range s.invites {
			if i.who == a.Handle() && i.by == a.Handle() && i.open(now) {
				open = i
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, "", expires, err
	case s == nil && !here:
		if err := b.fleet.attendedBy(ctx, m.ID); err != nil {
			return nil, "", expires, err
		}
		return nil, "", expires, no(wire.CodeOffline, offline(m))
	case s == nil:
		s, code, err = b.callOut(ctx, x, a, m)
		return s, code, now.Add(codeLife), err
	case open != nil:
		text, err := b.seal.Open(nil, nil, open.sealed, s.id[:])
		return s, string(text), open.expires, err
	}
	i := &invitation{by: a.Handle(), who: a.Handle(), expires: now.Add(codeLife)}
	code, err = b.addInvite(ctx, x, s, i, now)
	return s, code, i.expires, err
}

func offline(m store.Machine) string {
	if m.Seen.IsZero() {
		return "the machine has never been connected"
	}
	return "the machine is not connected; it was last seen " + m.Seen.UTC().Format("2006-01-02 15:04 MST")
}

// callOut makes a session that belongs to the machine's key from the start, and calls the machine to it. It is on record before
// the machine hears of it.
func (b *Broker) callOut(ctx context.Context, x *exchange, a store.Agent, m store.Machine) (*live, string, error) {
	ev := x.event("machine.connect", a.Handle(), "ok")
	ev.Detail = "to " + m.Handle()
	s, code, err := b.mint(ctx, ev, func(s *live) {
		s.startedBy, s.lead = a.ID, a.ID
		s.owner, s.hostKey, s.claimed, s.hostLost = m.Key, m.Key, true, time.Now()
	})
	if err != nil {
		return nil, "", err
	}
	return s, code, b.dir.do(func() error {
		at := b.dir.machines[m.ID]
		if at == nil { // it went meanwhile
			b.dir.end(s, "the machine is not connected any more")
			return no(wire.CodeOffline, offline(m))
		}
		at.call(s)
		return nil
	})
}

// listMachines tells an agent of the machines of the organisation, some in each reply.
func (b *Broker) listMachines(ctx context.Context, x *exchange, r *wire.ListMachines) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	all, err := b.store.Machines(ctx, a.Org.ID)
	if err != nil {
		return err
	}
	if r.Tag != "" {
		all = slices.DeleteFunc(all, func(m store.Machine) bool { return !slices.Contains(m.Tags, r.Tag) })
	}
	elsewhere := map[string]bool{}
	if b.fleet != nil {
		if elsewhere, err = b.store.Placed(ctx); err != nil {
			return err
		}
	}
	lines := make([]*wire.Machine, len(all))
	err = b.dir.do(func() error {
		busy := map[[32]byte]bool{}
		for _, s := range b.dir.byID {
			if s.claimed {
				busy[s.owner] = true
			}
		}
		for i, m := range all {
			lines[i] = machineLine(m)
			lines[i].Online, lines[i].Busy = b.dir.machines[m.ID] != nil || elsewhere[m.ID], busy[m.Key]
		}
		return nil
	})
	if err != nil {
		return err
	}
	for {
		n := min(len(lines), machinesInAReply)
		page := &wire.Machines{All: lines[:n], More: n < len(lines)}
		if err := x.reply(&wire.Reply{Kind: &wire.Reply_Machines{Machines: page}}); err != nil || !page.More {
			return err
		}
		lines = lines[n:]
	}
}

func machineLine(m store.Machine) *wire.Machine {
	return &wire.Machine{
		Name: m.Name, Org: m.Org.Handle, Tags: m.Tags, SeenUnix: unix(m.Seen), Os: m.OS, Key: m.Key[:],
		Restrict: m.Limits, EnrolledUnix: unix(m.Enrolled),
	}
}

// changeMachine does what an administrator of the organisation wants done with a machine.
func (b *Broker) changeMachine(ctx context.Context, x *exchange, r *wire.ChangeMachine) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	m, err := b.machineFor(ctx, a, r.Machine)
	if err != nil {
		return err
	}
	if !a.Admin {
		return no(wire.CodeForbidden, "only an administrator of "+a.Org.Handle+" can do that")
	}
	if err := b.fleet.attendedBy(ctx, m.ID); err != nil { // the machine is to hear of it
		return err
	}
	if err := b.change(ctx, x, a, m, r); err != nil {
		return err
	}
	return x.done()
}

func (b *Broker) change(ctx context.Context, x *exchange, a store.Agent, m store.Machine, r *wire.ChangeMachine) (err error) {
	did := func(kind, detail string) store.Event {
		ev := x.event("machine."+kind, a.Handle(), "ok")
		ev.Detail = strings.TrimSpace(m.Handle() + " " + detail)
		return ev
	}
	switch to := r.To.(type) {
	case *wire.ChangeMachine_Remove:
		if err := b.store.RemoveMachine(ctx, m.ID, did("remove", "")); err != nil {
			return machineErr(err)
		}
		b.dir.tell(func() { b.dir.forget(m.ID, m.Key, "an administrator has removed the machine") })
		return nil
	case *wire.ChangeMachine_Name:
		if err := CheckName(to.Name); err != nil {
			return no(wire.CodeBadRequest, err.Error())
		}
		err = b.store.RenameMachine(ctx, m.ID, to.Name, skeleton(to.Name), did("rename", to.Name))
		m.Name = to.Name
	case *wire.ChangeMachine_Tags:
		tags, bad := checkTags(to.Tags.GetAll())
		if bad != nil {
			return no(wire.CodeBadRequest, bad.Error())
		}
		return machineErr(b.store.TagMachine(ctx, m.ID, tags, did("tag", strings.Join(tags, ","))))
	case *wire.ChangeMachine_Restrict:
		if len(to.Restrict.GetPolicy()) > maxLimits {
			return no(wire.CodeBadRequest, fmt.Sprintf("a restriction has %d bytes at most", maxLimits))
		}
		m.Limits = to.Restrict.GetPolicy()
		err = b.store.LimitMachine(ctx, m.ID, m.Limits, did("restrict", fmt.Sprintf("%q", m.Limits)))
	default:
		return refuseRequest
	}
	if err == nil {
		b.dir.tell(func() {
			if at := b.dir.machines[m.ID]; at != nil {
				at.send(attending(m, m.Limits))
			}
		})
	}
	return machineErr(err)
}

func machineErr(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return refuseMachine
	case errors.Is(err, store.ErrExists):
		return no(wire.CodeBadRequest, "a machine of this name, or one that looks like it, is there already")
	}
	return err
}
