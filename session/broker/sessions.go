package broker

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"time"

	"assist/session"
	"assist/session/broker/store"
	"assist/session/inner/badge"
	"assist/transport/wire"
)

// How many codes may be made; generous for a help desk behind one address.
const (
	opensPerMinute  = 30
	startsPerMinute = 10
	mintTries       = 16 // before "full": codes in use or at rest are drawn again
)

// mint makes a session with a fresh code, in the directory and on disk. fill sets what is known of it so far, while it belongs
// to nobody else yet.
func (b *Broker) mint(ctx context.Context, ev store.Event, fill func(*live)) (s *live, code string, err error) {
	if err := b.fleet.newcomer(); err != nil {
		return nil, "", err
	}
	now := time.Now()
	for range mintTries {
		if code, err = newCode(); err != nil {
			return nil, "", err
		}
		s = &live{code: b.mac(code), expires: now.Add(codeLife)}
		rand.Read(s.id[:])
		fill(s)
		row := store.Session{ID: s.id, Code: s.code, StartedBy: s.startedBy, Minted: now, Expires: s.expires, Relay: b.fleet.id()}
		if s.claimed {
			row.Owner, row.HostKey = s.owner[:], s.hostKey[:]
		}
		ev.Session = s.id[:]
		err = b.store.AddSession(ctx, row, ev)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		if err = b.dir.do(func() error { return b.dir.add(s) }); err != nil {
			b.sessionEnded(s, "no room")
			return nil, "", err
		}
		return s, code, nil
	}
	return nil, "", errFull
}

// start mints a code for an agent who awaits a customer, and says when the host has come.
func (b *Broker) start(ctx context.Context, x *exchange, r *wire.Start) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	if wait := b.starts.take(a.ID, time.Now()); wait > 0 {
		return slowDown(wait)
	}
	e := newEnd()
	var expires time.Time
	s, code, err := b.mint(ctx, x.event("code.mint", a.Handle(), "ok"), func(s *live) {
		s.startedBy, s.lead, expires = a.ID, a.ID, s.expires
	})
	if err != nil {
		return err
	}
	if err := b.dir.do(func() error { return b.dir.wait(s, e) }); err != nil { // first, so that nothing is missed
		return err
	}
	err = x.reply(&wire.Reply{Kind: &wire.Reply_Minted{Minted: &wire.Minted{
		Code: code, Session: s.id[:], ExpiresUnix: expires.Unix(),
	}}})
	if err == nil {
		x.deliver(ctx, e)
	}
	b.dir.tell(func() { delete(s.waiting, e) })
	return err
}

// openHost connects a host: with a new code, or with one that an agent gave out, or again with its own.
func (b *Broker) openHost(ctx context.Context, x *exchange, r *wire.OpenHost) error {
	if len(r.HostKey) != 32 {
		return refuseRequest
	}
	hostKey := [32]byte(r.HostKey)
	e := newEnd()
	s, opened, err := b.hostOf(ctx, x, r, hostKey, e)
	if err != nil {
		return err
	}
	if err = x.reply(&wire.Reply{Kind: &wire.Reply_Opened{Opened: opened}}); err != nil {
		b.dir.tell(func() { b.dir.closeHost(s, e, false, time.Now()) })
		return err
	}
	ended := x.deliver(ctx, e)
	b.dir.tell(func() { b.dir.closeHost(s, e, ended, time.Now()) })
	return nil
}

func (b *Broker) hostOf(ctx context.Context, x *exchange, r *wire.OpenHost, hostKey [32]byte, e *end) (*live, *wire.Opened, error) {
	claim, code := b.claimTry, r.Code
	switch {
	case len(r.Session) > 0:
		claim = ownClaim(b, r.Session)
	case code == "":
		if wait := b.opens.take(nearNetwork(x.addr), time.Now()); wait > 0 {
			return nil, nil, slowDown(wait)
		}
		var err error
		_, code, err = b.mint(ctx, x.event("code.mint", "", "ok"), func(s *live) {
			s.owner, s.hostKey, s.claimed, s.hostLost = x.key, hostKey, true, time.Now()
		})
		if err != nil {
			return nil, nil, err
		}
		claim = b.claim // no guess: it was made just now
	}
	c, err := claim(ctx, x, code, hostKey, e)
	if err != nil {
		return nil, nil, err
	}
	opened := &wire.Opened{
		Code: code, Session: c.s.id[:], Channel: c.ch, ExpiresUnix: unix(c.expires),
		BadgeKey: b.keys.Badge.Public().(ed25519.PublicKey),
	}
	if err := b.tellInviter(ctx, x, c, opened); err != nil {
		b.dir.tell(func() { b.dir.closeHost(c.s, e, false, time.Now()) })
		return nil, nil, err
	}
	return c.s, opened, nil
}

// claimed is a session as a host got it.
type claimed struct {
	s       *live
	ch      *wire.Channel
	first   bool // no host had it before
	expires time.Time
}

func (b *Broker) claim(_ context.Context, x *exchange, code string, hostKey [32]byte, e *end) (c claimed, err error) {
	mac := b.mac(code)
	err = b.dir.do(func() (err error) {
		known := b.dir.byCode[mac]
		c.first = known != nil && !known.claimed
		if c.s, c.ch, err = b.dir.openHost(mac, x.key, hostKey, e, time.Now()); err == nil {
			c.expires = c.s.expires
		}
		return err
	})
	return c, err
}

// claimTry is claim with a code that someone typed: a wrong one counts.
func (b *Broker) claimTry(ctx context.Context, x *exchange, code string, hostKey [32]byte, e *end) (claimed, error) {
	t, err := b.try(ctx, x, "")
	if err != nil {
		return claimed{}, err
	}
	c, err := b.claim(ctx, x, code, hostKey, e)
	if errors.Is(err, errUnknown) {
		err = b.fleet.locate(ctx, b.mac(code), func(r store.Route) bool { return !r.Claimed || r.Owner == x.key })
		if err == nil {
			c, err = b.claim(ctx, x, code, hostKey, e)
		}
	}
	return c, b.judge(ctx, x, t, "", err)
}

// try begins a try of a code, with what the other relays counted.
func (b *Broker) try(ctx context.Context, x *exchange, account string) (*try, error) {
	if err := b.fleet.hear(ctx); err != nil {
		return nil, err
	}
	t, wait := b.codes.begin(account, x.addr.Addr(), time.Now())
	if wait > 0 {
		return nil, slowDown(wait)
	}
	return t, nil
}

// judge ends a try: an unknown code counts, and is answered like every other one, at the same time.
func (b *Broker) judge(ctx context.Context, x *exchange, t *try, who string, err error) error {
	if !errors.Is(err, errUnknown) {
		t.right()
		return err
	}
	b.note(x.event("code.try", who, "wrong"))
	b.fleet.tellWrong(ctx, kindCode, t.name, x.addr.Addr())
	if t.wrong(time.Now()) {
		b.tell("code.locked", "account "+who+" is locked for a while after wrong codes")
	}
	x.evenOut(ctx)
	return refuseCode
}

// tellInviter adds who started the session, and keeps which host has answered.
func (b *Broker) tellInviter(ctx context.Context, x *exchange, c claimed, opened *wire.Opened) error {
	s := c.s
	if s.startedBy == "" {
		return nil
	}
	a, err := b.store.AgentByID(ctx, s.startedBy)
	if err != nil {
		return err
	}
	opened.InvitedBy = accountOf(a)
	if !c.first {
		return nil
	}
	ev := x.event("host.open", "", "ok")
	ev.Session = s.id[:]
	return b.store.SetHost(ctx, s.id, s.owner, s.hostKey, ev)
}

// join seats an agent's console in the session of a code, or back in its place, introduces it to the host, and stays open
// while it is there.
func (b *Broker) join(ctx context.Context, x *exchange, r *wire.Join) error {
	a, cert, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	c := &console{end: newEnd(), agent: a.ID, handle: a.Handle(), org: a.Org.Handle, device: x.key}
	if len(r.Place) > 0 {
		return b.comeBack(ctx, x, r, a, cert, c)
	}
	t, err := b.try(ctx, x, a.ID)
	if err != nil {
		return err
	}
	mac := b.mac(r.Code)
	var s *live
	var ch *wire.Channel
	sit := func() error {
		return b.dir.do(func() (err error) {
			s, ch, err = b.dir.join(mac, c, time.Now())
			return err
		})
	}
	if err = sit(); errors.Is(err, errUnknown) {
		if err = b.fleet.locate(ctx, mac, func(r store.Route) bool { return meant(r.For, c) }); err == nil {
			err = sit()
		}
	}
	if err = b.judge(ctx, x, t, a.Handle(), err); err != nil {
		return err
	}
	err = b.seat(ctx, x, a, cert, c, s, ch)
	if err == nil {
		x.deliver(ctx, c.end)
	}
	b.dir.tell(func() { b.dir.leave(s, ch.Self, c) })
	return err
}

// seat makes the join durable before anybody hears of it, then tells the host and the console.
func (b *Broker) seat(ctx context.Context, x *exchange, a store.Agent, cert string, c *console, s *live, ch *wire.Channel) error {
	ev := x.event("session.join", a.Handle(), "ok")
	ev.Session = s.id[:]
	if c.by != nil {
		ev.Detail = "invited by " + c.by.by + ", " + c.by.detail()
	}
	if err := b.store.Joined(ctx, s.id, a.ID, c.viewOnly, ev.At, ev); err != nil {
		return err
	}
	return b.welcome(x, a, cert, c, s, ch)
}

// welcome tells the host and the console that it is there.
func (b *Broker) welcome(x *exchange, a store.Agent, cert string, c *console, s *live, ch *wire.Channel) error {
	signed, expires, err := b.sign(x, a, cert, s, c.viewOnly)
	if err != nil {
		return err
	}
	err = b.dir.do(func() error { b.dir.introduce(s, ch.Self, accountOf(a), x.addr.String()); return nil })
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Joined{Joined: &wire.Joined{
		Session: s.id[:], Channel: ch, HostKey: s.hostKey[:], Badge: signed, ExpiresUnix: expires.Unix(),
		Place: b.placeToken(s.id, ch.Self, a.ID, x.key),
	}}})
}

// sign makes the badge of an agent's device for a session. Its role and grants are ceilings: the host decides.
func (b *Broker) sign(x *exchange, a store.Agent, cert string, s *live, viewOnly bool) (signed string, expires time.Time, err error) {
	now := time.Now()
	c := badge.Claims{
		ID: newID(), Session: s.id, Host: s.hostKey, Device: x.key,
		Agent: a.ID, Name: a.Name, Handle: a.Handle(), Org: a.Org.Handle, OrgTitle: a.Org.Title, Ceiling: session.Lead,
		Issued: now, Expires: now.Add(badge.Life),
	}
	if viewOnly {
		c.Most = session.View | session.Chat
	}
	if cert != "" {
		c.OrgKey, c.OrgCert = a.Org.Key, cert
	}
	signed, err = badge.Sign(b.keys.Badge, c)
	return signed, c.Expires, err
}

// getBadge signs another badge for a console that is in the session now.
func (b *Broker) getBadge(ctx context.Context, x *exchange, r *wire.GetBadge) error {
	a, cert, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	var viewOnly bool
	s, err := b.find(r.Session, func(s *live) bool {
		viewOnly = s.viewers[a.ID]
		return s.seated(a.ID, x.key)
	})
	if err != nil {
		return err
	}
	signed, expires, err := b.sign(x, a, cert, s, viewOnly)
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Badge{Badge: &wire.Badge{Badge: signed, ExpiresUnix: expires.Unix()}}})
}

// closeCode lets nobody new in; asked for by the host, or by the lead as far as the broker knows it. A code that no host has
// answered yet ends with it.
func (b *Broker) closeCode(ctx context.Context, x *exchange, r *wire.CloseCode) error {
	var agent store.Agent
	if r.Token != "" {
		var err error
		if agent, _, err = b.who(ctx, x, r.Token); err != nil {
			return err
		}
	}
	s, err := b.find(r.Session, func(s *live) bool {
		return (s.claimed && s.owner == x.key) || (agent.ID != "" && s.lead == agent.ID)
	})
	if err != nil {
		return err
	}
	actor := "the host"
	if agent.ID != "" {
		actor = agent.Handle()
	}
	ev := x.event("code.close", actor, "ok")
	ev.Session = s.id[:]
	if err := b.store.CloseCode(ctx, s.id, ev.At, ev); err != nil {
		return err
	}
	err = b.dir.do(func() error {
		s.closed = true
		if !s.claimed && b.dir.byID[s.id] == s {
			b.dir.end(s, "the agent closed the code")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.done()
}

// find returns a live session that may be asked for; otherwise it is as unknown as one that is not there.
func (b *Broker) find(id []byte, may func(*live) bool) (s *live, err error) {
	if len(id) != 16 {
		return nil, refuseRequest
	}
	err = b.dir.do(func() error {
		s = b.dir.byID[[16]byte(id)]
		if s == nil || !may(s) {
			return no(wire.CodeUnknownCode, "no such session")
		}
		return nil
	})
	return s, err
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
