package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// Times of the connection to the relay.
const (
	firstRetry = time.Second
	longRetry  = 15 * time.Second
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
	r, err := h.open(ctx, h.cfg.Code)
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
	group, inside := errgroup.WithContext(ctx)
	group.Go(func() error { return h.serve(inside, listening{listener}, at) })
	group.Go(func() error { return h.stay(inside, r, virtual, at.code) })
	return group.Wait()
}

// maxMoves is how often one attempt follows relays that name another one.
const maxMoves = 4

// open registers once, at the relay of the fleet that has to be asked.
func (h *Host) open(ctx context.Context, code string) (r *registration, err error) {
	for range maxMoves {
		if r, err = h.openAt(ctx, code); err == nil || !h.relays.Moved(err) {
			break
		}
	}
	return r, err
}

func (h *Host) openAt(ctx context.Context, code string) (*registration, error) {
	outer, err := h.relays.Dial(ctx, h.id, h.cfg.Options)
	if err != nil {
		return nil, fmt.Errorf("dial relay: %w", err)
	}
	key := h.id.Fingerprint
	ask := &wire.OpenHost{Code: code, HostKey: key[:], Session: h.cfg.Session}
	replies, err := outer.Subscribe(ctx, &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: ask}})
	if err != nil {
		outer.Close()
		return nil, fmt.Errorf("register: %w", err)
	}
	r := &registration{outer: outer, replies: replies}
	reply, err := replies.Next()
	if err == nil {
		if r.opened = reply.GetOpened(); r.opened == nil || r.opened.Channel == nil {
			err = inner.ErrMalformed
		}
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("register: %w", err)
	}
	return r, nil
}

// leave ends the registration: in order, which ends the session for all, or as if the connection were lost, when it goes on.
func (h *Host) leave(r *registration) {
	if h.suspended() {
		r.outer.Close()
		return
	}
	r.close()
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

// stay keeps the registration, and makes it anew when the relay is back after it was lost.
func (h *Host) stay(ctx context.Context, r *registration, virtual *transport.Virtual, code string) error {
	wait := firstRetry
	for {
		if r != nil {
			h.listen(ctx, r)
			if ctx.Err() != nil {
				h.leave(r)
				return nil
			}
			h.log.Warn("relay lost", "err", r.outer.Err())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, longRetry)
		again, err := h.open(ctx, code)
		if err != nil {
			h.log.Info("register again", "err", err)
			continue
		}
		if err := virtual.Rebind(again.outer, again.opened.Channel); err != nil {
			h.log.Warn("bind again", "err", err)
			again.close()
			continue
		}
		if r != nil {
			r.close()
		}
		r, wait = again, firstRetry
	}
}

// listen hears what the broker says, until the connection to the relay is gone. Who comes and goes is told by links.
func (h *Host) listen(ctx context.Context, r *registration) {
	stop := context.AfterFunc(ctx, func() { h.leave(r) })
	defer stop()
	for {
		if _, err := r.replies.Next(); err != nil {
			break
		}
	}
	select {
	case <-ctx.Done():
	case <-r.outer.Done():
	case <-time.After(firstRetry): // the broker ended the subscription, the relay lives
	}
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
