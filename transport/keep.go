package transport

import (
	"context"
	"errors"
	"time"

	"assist/transport/wire"
)

// How a Virtual gets back to a relay.
const (
	keepFirst    = 250 * time.Millisecond // between two attempts, then twice as long each time
	keepLast     = 5 * time.Second
	keepStale    = 300 * time.Millisecond // an attempt that is older when the relay shows itself is begun anew
	keepLook     = 50 * time.Millisecond  // whether it is needed any more
	keepPatience = 15 * time.Second       // for one attempt
	keepUpgrade  = time.Minute            // between two looks whether UDP works now
)

// ErrPlaceGone says that a place in a session cannot be had again; Again wraps it.
var ErrPlaceGone = errors.New("the place in the session is gone")

// Again connects to a relay once more, with Options.Over, and asks for the same place in the session.
type Again func(ctx context.Context) (*Outer, *wire.Channel, error)

// Keep lets the packets travel through a new outer connection whenever the one that they use is over, the relay has
// forgotten its channel, or does not answer; and, where they travel over TCP, when UDP works. The connection before is closed
// then; links notice nothing but a gap. It returns nil when ctx ends, or an error that wraps ErrPlaceGone. changed, which may
// be nil, is called with nil when the packets have another way, and with what ails it when an attempt did not succeed.
func (v *Virtual) Keep(ctx context.Context, again Again, changed func(error)) error {
	if changed == nil {
		changed = func(error) {}
	}
	for {
		r := v.route.Load()
		var upgrade <-chan time.Time
		if r.path() == PathTCP && r.outer.path == PathAuto {
			upgrade = time.After(keepUpgrade)
		}
		why := forgotten
		select {
		case <-ctx.Done():
			return nil
		case <-upgrade:
			if err := v.upgrade(ctx, r, again, changed); err != nil {
				return err
			}
			continue
		case <-r.outer.Done():
		case why = <-r.trouble:
		}
		if err := v.renew(ctx, r, why, again, changed); err != nil {
			return err
		}
	}
}

// renew tries until r is replaced, or until it has turned out to be good after all.
func (v *Virtual) renew(ctx context.Context, r *route, why trouble, again Again, changed func(error)) error {
	for pause := keepFirst; ctx.Err() == nil; pause = min(2*pause, keepLast) {
		since := v.since(time.Now())
		recovered := func() bool { return why == silent && r.outer.Err() == nil && r.heardAt.Load() > since }
		outer, ch, err := v.attempt(ctx, r, again, recovered)
		if err == nil {
			if err = v.replace(r, outer, ch, why.String()); err == nil {
				changed(nil)
				return nil
			}
		}
		if errors.Is(err, ErrPlaceGone) {
			return err
		}
		if recovered() {
			return nil
		}
		if ctx.Err() == nil {
			changed(err)
		}
		select {
		case <-ctx.Done():
		case t := <-r.trouble:
			if t == forgotten {
				why, pause = t, keepFirst
			}
			time.Sleep(keepFirst / 5) // the relay may say so to many, and at once
		case <-time.After(pause):
		}
	}
	return nil
}

// replace lets the packets travel through ch, and closes the connection of r.
func (v *Virtual) replace(r *route, outer *Outer, ch *wire.Channel, why string) error {
	if err := v.rebind(outer, ch, why); err != nil {
		outer.Close()
		return err
	}
	r.outer.Close()
	return nil
}

// upgrade tries UDP once.
func (v *Virtual) upgrade(ctx context.Context, r *route, again Again, changed func(error)) error {
	v.udpOnly.Store(true)
	defer v.udpOnly.Store(false)
	within, cancel := context.WithTimeout(ctx, 2*outerHandshake)
	defer cancel()
	outer, ch, err := again(within)
	if err == nil {
		err = v.replace(r, outer, ch, "UDP reaches the relay now")
	}
	switch {
	case err == nil:
		changed(nil)
	case errors.Is(err, ErrPlaceGone):
		return err
	}
	return nil
}

// attempt makes one, or more where the relay shows itself while the first is still waiting for it. It gives up when there is
// no need any more.
func (v *Virtual) attempt(ctx context.Context, r *route, again Again, recovered func() bool) (*Outer, *wire.Channel, error) {
	type result struct {
		outer *Outer
		ch    *wire.Channel
		err   error
	}
	for {
		within, cancel := context.WithTimeout(ctx, keepPatience)
		results := make(chan result, 1)
		began := time.Now()
		go func() {
			o, ch, err := again(within)
			results <- result{o, ch, err}
		}()
		stale := false
		look := time.NewTicker(keepLook)
		var got result
		for done := false; !done; {
			select {
			case got = <-results:
				done = true
			case <-look.C:
				if recovered() {
					cancel()
				}
			case t := <-r.trouble:
				if t == forgotten && time.Since(began) > keepStale {
					stale = true
					cancel()
				}
			}
		}
		look.Stop()
		cancel()
		if !stale || got.err == nil || ctx.Err() != nil || errors.Is(got.err, ErrPlaceGone) {
			return got.outer, got.ch, got.err
		}
	}
}

// String says what ails a route, for people.
func (t trouble) String() string {
	switch t {
	case forgotten:
		return "the relay was restarted or lost the connection"
	case cut:
		return "the TCP connection to the relay was cut"
	}
	return "the relay gave no answer"
}
