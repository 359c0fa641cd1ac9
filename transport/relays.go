package transport

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"assist/transport/wire"
)

// Limits of what a relay may say of the others of its fleet.
const (
	maxRelays    = 16
	maxRelayAddr = 255         // bytes, a DNS name is no longer (RFC 1035, 2.3.4)
	nextRelay    = time.Second // without an answer the next one is tried as well
	maxMoves     = 4           // from one relay to the next that it names, until somebody has an answer
)

// Relays is the relays of one fleet as a client knows them: the one it was told of, and those that came up since. It goes to
// where the last answer was, or to where it was sent. It may be used by several goroutines.
type Relays struct {
	mu   sync.Mutex
	all  []Relay // the first is tried first; at most maxRelays
	home Relay   // the one that the client was told of: never forgotten
}

// NewRelays begins with the relay that the client was told of, and others that it heard of earlier.
func NewRelays(home Relay, others ...Relay) *Relays {
	r := &Relays{home: home, all: []Relay{home}}
	r.learn(others)
	return r
}

// All lists them, the one that is asked first in front.
func (r *Relays) All() []Relay {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// Dial connects to the first that answers, in order, without waiting long for any; that one is first from then on. Where none
// answers the error is the one about the first.
func (r *Relays) Dial(ctx context.Context, id Identity, opt Options) (*Outer, error) {
	all := r.All()
	if len(all) == 1 {
		return r.met(DialRelay(ctx, all[0], id, opt))
	}
	type attempt struct {
		i   int
		o   *Outer
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan attempt)
	errs := make([]error, len(all))
	var won *Outer
	timer := time.NewTimer(0)
	defer timer.Stop()
	for next, running := 0, 0; running > 0 || (next < len(all) && won == nil); {
		select {
		case <-timer.C:
			if next == len(all) || won != nil {
				continue
			}
			i := next
			go func() {
				o, err := DialRelay(ctx, all[i], id, opt)
				results <- attempt{i, o, err}
			}()
			next, running = next+1, running+1
			timer.Reset(nextRelay)
		case a := <-results:
			running--
			errs[a.i] = a.err
			switch {
			case a.err == nil && won != nil:
				a.o.Close()
			case a.err == nil:
				won = a.o
				cancel()
			default:
				timer.Reset(0)
			}
		}
	}
	if won == nil {
		return nil, errs[0]
	}
	return r.met(won, nil)
}

// met keeps what a relay that answered says of its fleet.
func (r *Relays) met(o *Outer, err error) (*Outer, error) {
	if err == nil {
		r.prefer(o.at)
		r.learn(o.fleet)
	}
	return o, err
}

// Heard takes what a relay says of its fleet among other things.
func (r *Relays) Heard(reply *wire.Reply) { r.learn(fleetOf(reply.GetFleet().GetRelays())) }

// Moved says whether err sends the client to another relay; that one is asked first from then on.
func (r *Relays) Moved(err error) bool {
	var p *ProblemError
	if !errors.As(err, &p) || p.Code != wire.CodeMoved || p.Moved.Addr == "" {
		return false
	}
	r.prefer(p.Moved)
	return true
}

// Follow makes an attempt at the relay that has to be asked, and again while that names another one, which Dial goes to then.
func (r *Relays) Follow(attempt func() error) (err error) {
	for range maxMoves {
		if err = attempt(); err == nil || !r.Moved(err) {
			break
		}
	}
	return err
}

// prefer puts a relay in front.
func (r *Relays) prefer(first Relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(o Relay) bool { return o.Addr == first.Addr })
	r.all = slices.Insert(r.all, 0, first)
	r.trim()
}

// learn adds relays behind those that are known.
func (r *Relays) learn(more []Relay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range more {
		if !slices.ContainsFunc(r.all, func(o Relay) bool { return o.Addr == m.Addr }) {
			r.all = append(r.all, m)
		}
	}
	r.trim()
}

// trim needs mu.
func (r *Relays) trim() {
	if len(r.all) > maxRelays {
		r.all = r.all[:maxRelays]
	}
	if !slices.ContainsFunc(r.all, func(o Relay) bool { return o.Addr == r.home.Addr }) {
		r.all[len(r.all)-1] = r.home
	}
}

// relayAt reads the address of another relay; false for what is none.
func relayAt(a *wire.RelayAddress) (Relay, bool) {
	if len(a.GetAddr()) > maxRelayAddr {
		return Relay{}, false
	}
	host, port, err := net.SplitHostPort(a.GetAddr())
	if err != nil || host == "" || port == "" {
		return Relay{}, false
	}
	r := Relay{Addr: a.GetAddr()}
	if a.GetKey() != "" { // without a key its certificate has to be one that the system trusts
		if r.Pin, err = ParsePin(a.GetKey()); err != nil {
			return Relay{}, false
		}
	}
	return r, true
}

// fleetOf reads what a relay says of its fleet.
func fleetOf(all []*wire.RelayAddress) (out []Relay) {
	for _, a := range all[:min(len(all), maxRelays)] {
		if r, ok := relayAt(a); ok {
			out = append(out, r)
		}
	}
	return out
}
