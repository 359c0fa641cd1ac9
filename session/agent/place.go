package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// place is where the session is found: the channel to the host, the badge, the connection to the relay. It lives longer than
// a link, and than a relay: where that is lost it is found again in the background, under the same number.
type place struct {
	s       *Session
	virtual *transport.Virtual // set once, like all up to token
	session []byte
	hint    []byte // the broker's word about the host's key; believed only where it contradicts
	token   []byte // of the place

	badge string // for the next link; used once

	end    context.CancelFunc
	keeper sync.WaitGroup
	gone   chan struct{} // closed when the place cannot be had again

	mu    sync.Mutex
	seat  *seat
	found chan struct{} // closed and renewed when there is another seat
}

// seat is a console's stream at a relay; the place lasts as long as somebody sits there.
type seat struct {
	outer   *transport.Outer
	replies *transport.Replies
	drained chan struct{}
	end     context.CancelFunc
	relays  *transport.Relays
}

// leave gets up and says so.
func (c *seat) leave() {
	c.end()
	c.replies.Close()
	<-c.drained
	c.outer.Close()
}

// arrive connects to the relay of the fleet that has to be asked, and is introduced to the host.
func (s *Session) arrive(ctx context.Context) (p *place, err error) {
	err = s.relays.Follow(func() (err error) {
		p, err = s.arriveAt(ctx)
		return err
	})
	return p, err
}

func (s *Session) arriveAt(ctx context.Context) (*place, error) {
	outer, err := s.relays.Dial(ctx, s.cfg.Identity, s.cfg.Options)
	if err != nil {
		return nil, ofBroker(err)
	}
	p, err := s.introduce(ctx, outer)
	if err != nil {
		outer.Close()
		return nil, ofBroker(err)
	}
	return p, nil
}

// introduce asks the broker for the way to the host; for a session of one's own it first mints a code and waits for the
// customer to open it.
func (s *Session) introduce(ctx context.Context, outer *transport.Outer) (*place, error) {
	if s.start && s.State().Code == "" {
		if err := s.mint(ctx, outer); err != nil {
			return nil, err
		}
	}
	if s.cfg.Machine != "" && s.State().Code == "" {
		if err := s.call(ctx, outer); err != nil {
			return nil, err
		}
	}
	s.update(func(st *console.State) { st.Why = "asking the relay for the session" })
	join := &wire.Join{Token: s.cfg.Token, Code: s.State().Code}
	if s.had != nil { // the code may be another by now, and a try of one that has ended would count as wrong
		join = &wire.Join{Token: s.cfg.Token, Place: s.had, Anew: true}
	}
	c, j, err := sit(ctx, s.relays, outer, join)
	if err != nil {
		return nil, err
	}
	s.had = j.Place
	p := &place{
		s: s, session: j.Session, hint: j.HostKey, token: j.Place, badge: j.Badge, seat: c,
		gone: make(chan struct{}), found: make(chan struct{}),
	}
	s.sit(outer, j.Session)
	if p.virtual, err = outer.Open(j.Channel); err != nil {
		c.leave()
		return nil, err
	}
	kept, end := context.WithCancel(context.WithoutCancel(ctx))
	p.end = end
	p.keeper.Go(func() { p.keep(kept) })
	return p, nil
}

// sit takes a place at the relay. Once there, it lasts until leave and not until ctx ends: who goes still has a word for the
// host, and without the place the relay forwards no word.
func sit(ctx context.Context, relays *transport.Relays, outer *transport.Outer, join *wire.Join) (*seat, *wire.Joined, error) {
	whole, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, end)
	replies, err := outer.Subscribe(whole, &wire.Request{Kind: &wire.Request_Join{Join: join}})
	stop()
	if err != nil {
		end()
		return nil, nil, err
	}
	c := &seat{outer: outer, replies: replies, drained: make(chan struct{}), end: end, relays: relays}
	reply, err := first(ctx, replies)
	go c.drain(err == nil)
	if err == nil && reply.GetJoined().GetChannel() == nil {
		err = fmt.Errorf("join session: %w", inner.ErrMalformed)
	}
	if err != nil {
		end()
		replies.Close()
		<-c.drained
		return nil, nil, err
	}
	return c, reply.GetJoined(), nil
}

// drain reads what else the broker says; the link itself tells whether the host is there. A broker that ends the stream has
// ended the place, and giving the connection up lets it be looked for again.
func (c *seat) drain(more bool) {
	defer close(c.drained)
	defer c.end()
	for more {
		reply, err := c.replies.Next()
		c.relays.Moved(err)
		c.relays.Heard(reply)
		more = err == nil
	}
	c.outer.Abandon()
}

// keep finds the place again whenever the relay is lost.
func (p *place) keep(ctx context.Context) {
	var next *seat
	again := func(ctx context.Context) (*transport.Outer, *wire.Channel, error) {
		c, j, err := p.sitAgain(ctx)
		if err != nil {
			return nil, nil, placeGone(err)
		}
		next = c
		return c.outer, j.Channel, nil
	}
	err := p.virtual.Keep(ctx, again, func(err error) {
		if err == nil {
			p.use(next)
		}
	})
	if err != nil {
		close(p.gone)
	}
}

// sitAgain asks the relay that has to be asked for the place.
func (p *place) sitAgain(ctx context.Context) (c *seat, j *wire.Joined, err error) {
	opt := p.s.cfg.Options
	opt.Over = p.virtual
	err = p.s.relays.Follow(func() error {
		outer, err := p.s.relays.Dial(ctx, p.s.cfg.Identity, opt)
		if err != nil {
			return err
		}
		if c, j, err = sit(ctx, p.s.relays, outer, &wire.Join{Token: p.s.cfg.Token, Place: p.token}); err != nil {
			outer.Close()
		}
		return err
	})
	return c, j, err
}

// placeGone says whether err means that the place cannot be had again.
func placeGone(err error) error {
	if err = ofBroker(err); final(err) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", transport.ErrPlaceGone, err)
	}
	return err
}

// use takes another seat; the connection of the one before is closed by Keep.
func (p *place) use(c *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seat = c
	close(p.found)
	p.found = make(chan struct{})
	p.s.sit(c.outer, p.session)
}

// relay is a connection that lives, as soon as there is one.
func (p *place) relay(ctx context.Context) (*transport.Outer, error) {
	for {
		p.mu.Lock()
		outer, found := p.seat.outer, p.found
		p.mu.Unlock()
		err := outer.Err()
		if err == nil {
			return outer, nil
		}
		select {
		case <-found:
		case <-p.gone:
			return nil, fmt.Errorf("%w: our place is gone", ErrHostGone)
		case <-ctx.Done():
			return nil, fmt.Errorf("no contact with the relay: %w", err)
		}
	}
}

// whenGone calls do when the place cannot be had again, until stop is called, once.
func (p *place) whenGone(do func()) (stop func()) {
	stopped := make(chan struct{})
	go func() {
		select {
		case <-p.gone:
			do()
		case <-stopped:
		}
	}()
	return func() { close(stopped) }
}

func (p *place) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// leave gives the place up, and the links with it.
func (p *place) leave() {
	if p == nil {
		return
	}
	p.end()
	p.keeper.Wait()
	p.mu.Lock()
	c := p.seat
	p.mu.Unlock()
	p.virtual.Close()
	c.leave()
}
