package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// registration is the host's place at the broker.
type registration struct {
	outer   *transport.Outer
	replies *transport.Replies
	opened  *wire.Opened
}

// register opens the session at the broker and shares until it ends. When the relay is lost, sharing goes on over whatever
// still carries packets, and the host registers again in the background.
func (h *Host) register(ctx context.Context) error {
	r, err := h.open(ctx, h.cfg.Code, nil)
	if err != nil {
		return err
	}
	at, err := h.placeOf(r)
	if err != nil {
		r.close()
		return err
	}
	virtual, err := r.outer.Open(r.opened.Channel)
	if err != nil {
		r.close()
		return fmt.Errorf("open channel: %w", err)
	}
	defer virtual.Close()
	listener, err := virtual.Listen(h.id)
	if err != nil {
		r.close()
		return fmt.Errorf("listen: %w", err)
	}
	h.loop = newLoop(h, at)
	group, inside := errgroup.WithContext(ctx)
	group.Go(func() error { return h.serve(inside, listening{listener}) })
	group.Go(func() error { return h.stay(inside, r, virtual, at.code) })
	return group.Wait()
}

// open registers once, at the relay of the fleet that has to be asked; again over the way of virtual where there was one before.
func (h *Host) open(ctx context.Context, code string, virtual *transport.Virtual) (r *registration, err error) {
	err = h.relays.Follow(func() (err error) {
		r, err = h.openAt(ctx, code, virtual)
		return err
	})
	return r, err
}

func (h *Host) openAt(ctx context.Context, code string, virtual *transport.Virtual) (*registration, error) {
	opt := h.cfg.Options
	opt.Over = virtual
	outer, err := h.relays.Dial(ctx, h.id, opt)
	if err != nil {
		return nil, fmt.Errorf("dial relay: %w", err)
	}
	r, err := h.ask(ctx, outer, code)
	if err != nil {
		outer.Close()
		return nil, fmt.Errorf("register: %w", err)
	}
	return r, nil
}

// ask registers over a connection. An attempt that is given up must not end the session: it closes the connection, and not,
// as who has ended the session does, the stream.
func (h *Host) ask(ctx context.Context, outer *transport.Outer, code string) (*registration, error) {
	stop := context.AfterFunc(ctx, outer.Abandon)
	defer stop()
	key := h.id.Fingerprint
	ask := &wire.OpenHost{Code: code, HostKey: key[:], Session: h.cfg.Session}
	replies, err := outer.Subscribe(context.WithoutCancel(ctx), &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: ask}})
	if err != nil {
		return nil, err
	}
	reply, err := replies.Next()
	if err == nil && reply.GetOpened().GetChannel() == nil {
		err = inner.ErrMalformed
	}
	if err != nil {
		outer.Abandon()
		replies.Close()
		return nil, err
	}
	return &registration{outer, replies, reply.GetOpened()}, nil
}

func (r *registration) close() {
	r.replies.Close()
	r.outer.Close()
}

// placeOf takes the broker's answer apart.
func (h *Host) placeOf(r *registration) (place, error) {
	if len(r.opened.Session) != 16 || len(r.opened.BadgeKey) != 32 {
		return place{}, fmt.Errorf("register: %w", inner.ErrMalformed)
	}
	at := place{
		relay: h.cfg.Relay.Addr, session: [16]byte(r.opened.Session), key: r.opened.BadgeKey,
		offset: r.outer.ServerOffset(), expires: time.Unix(r.opened.ExpiresUnix, 0).Add(-r.outer.ServerOffset()),
	}
	if len(h.cfg.Session) > 0 { // the agents have the codes
		return at, nil
	}
	code, err := inner.ParseCode(r.opened.Code)
	if err != nil {
		return place{}, fmt.Errorf("register: %w", inner.ErrMalformed)
	}
	at.code = code
	at.url = inner.Invite{Code: code, Relay: h.cfg.Relay.Addr, Pin: string(h.id.Fingerprint.Pin())}.URL()
	return at, nil
}

// stay keeps the registration, and makes it anew when the relay was lost.
func (h *Host) stay(ctx context.Context, r *registration, virtual *transport.Virtual, code string) error {
	var listeners sync.WaitGroup
	listeners.Go(func() { r.listen(h.relays) })
	again := func(ctx context.Context) (*transport.Outer, *wire.Channel, error) {
		next, err := h.open(ctx, code, virtual)
		if err != nil {
			return nil, nil, err
		}
		r = next
		listeners.Go(func() { next.listen(h.relays) })
		return next.outer, next.opened.Channel, nil
	}
	err := virtual.Keep(ctx, again, func(err error) {
		if err == nil {
			h.log.Info("relay found again", "addr", h.cfg.Relay.Addr)
			h.loop.post(func(l *loop) { l.contact.noRelay = time.Time{} })
			return
		}
		h.log.Info("relay lost", "err", err)
		h.loop.post(func(l *loop) {
			if l.contact.noRelay.IsZero() {
				l.contact.noRelay = time.Now()
			}
		})
	})
	if h.suspended() { // it goes on later
		r.outer.Close()
	} else {
		r.replies.Finish() // the broker hears that the session is over before the connection goes
	}
	late := time.AfterFunc(farewell, r.close)
	listeners.Wait()
	late.Stop()
	r.close()
	return err
}

// listen hears what the broker says, until the connection to the relay is gone. Who comes and goes is told by links. A broker
// that ends the stream has forgotten the host; giving the connection up lets it register again.
func (r *registration) listen(relays *transport.Relays) {
	for {
		reply, err := r.replies.Next()
		if err != nil {
			relays.Moved(err)
			break
		}
		relays.Heard(reply)
	}
	r.outer.Abandon()
}

// listening is the door that consoles come in by.
type listening struct{ *transport.Listener }

func (l listening) accept(ctx context.Context) (link, error) {
	k, err := l.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Refused says whether err is the broker's refusal with that number (wire.Code...).
func Refused(err error, code uint32) bool {
	var p *transport.ProblemError
	return errors.As(err, &p) && p.Code == code
}
