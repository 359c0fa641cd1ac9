package host

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
	"assist/session/inner/badge"
	"assist/transport"
	"assist/transport/wire"
)

// Limits at the entry, before a console is known.
const (
	maxEntering = 32               // at once
	entryTime   = 20 * time.Second // for the whole handshake: at 16 kbit/s and 600 ms it takes a third of that
	maxBadges   = 4096             // ids remembered
)

// accept takes links until ctx is done. It never waits for one of them: quic-go's queue is short.
func (h *Host) accept(ctx context.Context, group *errgroup.Group, d door) error {
	for {
		k, err := d.accept(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept link: %w", err)
		}
		if !h.links.add(k) {
			k.Close(inner.CloseEnded, "the session is over")
			continue
		}
		group.Go(func() error {
			defer h.links.remove(k)
			h.enter(ctx, k)
			return nil
		})
	}
}

// enter is the life of one link: handshake, badge, door, session.
func (h *Host) enter(ctx context.Context, k link) {
	select {
	case h.entry <- struct{}{}:
	default:
		k.Close(inner.CloseRefused, "too many at the door")
		return
	}
	c, g, err := h.handshake(ctx, k)
	<-h.entry
	if errors.Is(err, errLane) {
		<-k.Done()
		return
	}
	if err != nil {
		h.log.Info("console not let in", "err", err)
		k.Close(inner.CloseRefused, "")
		return
	}
	c.id = session.ConsoleID(h.next.Add(1))
	h.loop.post(func(l *loop) { l.knock(c, g) })
	h.live(ctx, c)
}

// errLane says that a link only carries what belongs to a stream of another one.
var errLane = errors.New("a lane")

// handshake meets the console on the control stream that it opens.
func (h *Host) handshake(ctx context.Context, k link) (*console, inner.Greeting, error) {
	ctx, cancel := context.WithTimeout(ctx, entryTime)
	defer cancel()
	kind, s, err := k.AcceptStream(ctx)
	if err != nil {
		return nil, inner.Greeting{}, fmt.Errorf("accept control stream: %w", err)
	}
	if kind == wire.StreamLane {
		return nil, inner.Greeting{}, cmp.Or(k.Join(s), errLane)
	}
	if kind != wire.StreamControl {
		return nil, inner.Greeting{}, fmt.Errorf("%w: the first stream is of kind %d", inner.ErrMalformed, kind)
	}
	s.SetUrgency(urgeControl)
	until, _ := ctx.Deadline()
	_ = s.SetReadDeadline(until)
	_ = s.SetWriteDeadline(until)
	g, words, err := inner.Receive(s, k, h.plate())
	if err != nil {
		h.linger(k)
		return nil, g, err
	}
	c := newConsole(0, k, s)
	c.words, c.after = words, uint64(g.ResumeAfter)
	return c, g, nil
}

// linger gives a refusal a moment to arrive before the link is closed.
func (h *Host) linger(k link) {
	select {
	case <-k.Done():
	case <-time.After(closeGrace):
	case <-h.stop:
	}
}

var errReplayed = errors.New("badge: used before")

// checkBadge says who is at the other end of c's link.
func (l *loop) checkBadge(c *console, s string) (badge.Claims, error) {
	now := time.Now().Add(l.at.offset)
	claims, err := badge.Parse(ed25519.PublicKey(l.at.key), s, now)
	if err != nil {
		return claims, err
	}
	if err := claims.Check(l.at.session, l.h.id.Fingerprint, c.link.PeerFingerprint()); err != nil {
		return claims, fmt.Errorf("badge: %w", err)
	}
	for id, until := range l.used {
		if now.After(until) {
			delete(l.used, id)
		}
	}
	if _, again := l.used[claims.ID]; again || len(l.used) >= maxBadges {
		return claims, errReplayed
	}
	l.used[claims.ID] = claims.Expires.Add(badge.Skew)
	return claims, nil
}

// trusted says whether this host knows key as the key of org.
func (h *Host) trusted(org string, key ed25519.PublicKey) bool {
	pin, known := h.cfg.TrustOrgs[org]
	return known && pin.Match(transport.Fingerprint(badge.KeyHash(key)))
}

// knock brings a console before the customer.
func (l *loop) knock(c *console, g inner.Greeting) {
	l.consoles[c.id] = c
	claims, err := l.checkBadge(c, g.Badge)
	if err != nil {
		l.h.log.Info("badge refused", "err", err)
		l.sendAway(c.id, inner.RefusedBadge, err.Error())
		return
	}
	k := session.Knock{
		Console: c.id, Agent: claims.Agent, Device: session.Device(c.link.PeerFingerprint()), Name: chat.Name(claims.Name),
		Handle: chat.Name(claims.Handle), Org: chat.Name(claims.OrgTitle),
		Trust: claims.Trust(time.Now().Add(l.at.offset), l.h.trusted), Want: g.Want | session.View, Most: claims.Most, Checked: g.KnownKey,
	}
	if l.h.cfg.Gate != nil {
		l.stopAtGate(c, k, claims.Org)
		return
	}
	l.admit(k)
}

// admit lets the rules decide.
func (l *loop) admit(k session.Knock) {
	if err := l.apply(k); err != nil {
		l.sendAway(k.Console, refusal(err), err.Error())
	}
}

func refusal(err error) uint32 {
	switch {
	case errors.Is(err, session.ErrBarred):
		return inner.RefusedRemoved
	case errors.Is(err, session.ErrFull), errors.Is(err, session.ErrBusy):
		return inner.RefusedFull
	case errors.Is(err, session.ErrPolicyGrant):
		return inner.RefusedPolicy
	}
	return inner.RefusedClosed
}

// sendAway tells a console that it is not let in.
func (l *loop) sendAway(id session.ConsoleID, code uint32, why string) {
	c := l.consoles[id]
	if c == nil {
		return
	}
	c.send(&inner.ToConsole{Kind: &inner.ToConsole_Refused{Refused: &inner.Refused{Code: code, Text: why}}})
	c.bye(inner.CloseRefused, why)
	delete(l.consoles, id)
}

// welcome tells a console that it is in, with everything that it missed.
func (l *loop) welcome(id session.ConsoleID) {
	c := l.consoles[id]
	if c == nil {
		return
	}
	roster := l.sess.Roster()
	w := &inner.Welcome{Member: uint32(c.member), Roster: inner.NewRoster(roster), Code: l.at.code, StartedUnixMs: l.started.UnixMilli()}
	for _, e := range l.log.After(chat.Seq(min(c.after, uint64(l.log.Newest()))), false) {
		w.Log = append(w.Log, inner.NewEntry(e))
	}
	c.in = true
	c.link.SeekDirect() // addresses are told to those who are let in
	c.send(&inner.ToConsole{Kind: &inner.ToConsole_Welcome{Welcome: w}})
	l.gate()
}

// dropped takes a console whose link is gone, by err, from the session.
func (l *loop) dropped(c *console, err error) {
	if l.consoles[c.id] != c {
		return
	}
	var closed *transport.ClosedError // a stream knows it a moment before the link does
	left := (errors.As(err, &closed) || errors.As(c.link.Err(), &closed)) && closed.Remote && closed.Code == inner.CloseLeft
	if !left || l.apply(session.Leave{By: c.member, Console: c.id}) != nil {
		_ = l.apply(session.Drop{Console: c.id}) // never fails
	}
	delete(l.consoles, c.id)
}

// forget lets go of a console that left by its own wish.
func (l *loop) forget(id session.ConsoleID) {
	if c := l.consoles[id]; c != nil {
		c.bye(inner.CloseLeft, "left")
		delete(l.consoles, id)
	}
}

// closeAll closes every console of a member.
func (l *loop) closeAll(m session.MemberID, code uint64, reason string) {
	for id, c := range l.consoles {
		if c.member == m {
			c.bye(code, reason)
			delete(l.consoles, id)
		}
	}
}

func (l *loop) toMember(m session.MemberID, msg *inner.ToConsole) {
	for _, c := range l.consoles {
		if c.member == m && c.in {
			c.send(msg)
		}
	}
}
