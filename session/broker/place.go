package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// A place is a console's peer number in a session. Its token says so when the relay has forgotten it, over a restart or
// because nothing was heard for too long: the packets of the end-to-end connection then go on under the same number.
const (
	placeBody  = 16 + 2 // session, peer number
	placeToken = placeBody + 16
)

// placeToken vouches for a place of an agent's device.
func (b *Broker) placeToken(session [16]byte, peer uint32, agent string, device [32]byte) []byte {
	t := binary.BigEndian.AppendUint16(append(make([]byte, 0, placeToken), session[:]...), uint16(peer))
	return append(t, b.placeMAC(t, agent, device)...)
}

// placeMAC is under the key of codes; what is hashed for those is never so long.
func (b *Broker) placeMAC(body []byte, agent string, device [32]byte) []byte {
	h := hmac.New(sha256.New, b.keys.Code[:])
	h.Write([]byte("place of a console\x00"))
	h.Write(body)
	h.Write(device[:])
	h.Write([]byte(agent))
	return h.Sum(nil)[:placeToken-placeBody]
}

// readPlace says which place a token is for, if it was made for this agent and device.
func (b *Broker) readPlace(t []byte, agent string, device [32]byte) (session [16]byte, peer uint32, ok bool) {
	if len(t) != placeToken || !hmac.Equal(t[placeBody:], b.placeMAC(t[:placeBody], agent, device)) {
		return session, 0, false
	}
	return [16]byte(t), uint32(binary.BigEndian.Uint16(t[16:])), true
}

// comeBack gives a console the place that it had. Nothing was guessed, so nothing counts as a wrong try.
func (b *Broker) comeBack(ctx context.Context, x *exchange, r *wire.Join, a store.Agent, cert string, c *console) error {
	id, peer, ok := b.readPlace(r.Place, a.ID, x.key)
	if !ok {
		return refuseCode
	}
	var s *live
	var ch *wire.Channel
	back := func() error {
		return b.dir.do(func() (err error) {
			s, ch, err = b.dir.comeBack(id, peer, r.Anew, c)
			return err
		})
	}
	err := back()
	if errors.Is(err, errUnknown) { // another relay of the fleet may have it, or had it
		if err = b.fleet.locateID(ctx, id, func(store.Route) bool { return true }); err == nil {
			err = back()
		}
	}
	if err != nil {
		return err
	}
	ev := x.event("session.back", a.Handle(), "ok")
	ev.Session = s.id[:]
	b.note(ev)
	if err = b.welcome(x, a, cert, c, s, ch); err == nil {
		x.deliver(ctx, c.end)
	}
	b.dir.tell(func() { b.dir.leave(s, ch.Self, c) })
	return err
}

// comeBack seats a console under the number that it had, or anew where somebody else has that. The host may be away: it comes
// back by itself.
func (d *directory) comeBack(id [16]byte, peer uint32, anew bool, c *console) (*live, *wire.Channel, error) {
	s := d.byID[id]
	if s == nil || !s.agents[c.agent] {
		return nil, nil, errUnknown
	}
	old := s.consoles[peer]
	taken := old != nil && (old.agent != c.agent || old.device != c.device) // given to somebody else meanwhile
	if taken && anew {
		peer, old, taken = s.freePeer(), nil, false
		s.nextPeer = peer
	}
	switch {
	case taken:
		return nil, nil, errUnknown
	case old == nil && len(s.consoles) >= maxAgents:
		return nil, nil, errFull
	case old != nil: // over a connection that was not found dead yet
		old.finish(nil)
	}
	ch, err := s.group.Join(peer)
	if err != nil {
		return nil, nil, err
	}
	c.viewOnly = s.viewers[c.agent]
	s.consoles[peer] = c
	return s, ch, nil
}
