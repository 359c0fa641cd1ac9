package transport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/udp"
	"assist/transport/wire"
)

// Virtual is a packet connection whose packets travel through a channel of a relay. Its addresses are peer numbers: the host
// is peer 0. The end-to-end QUIC connections live on it and do not notice when it is bound to another channel, address or
// relay.
type Virtual struct {
	in    *inbox
	calm  udp.Calm
	tr    *quic.Transport // set once
	start time.Time       // set once; heard counts from here

	route   atomic.Pointer[route]
	last    atomic.Pointer[Change] // of route
	udpOnly atomic.Bool            // Keep looks whether UDP works now

	mu      sync.Mutex
	peers   map[uint16]*peer
	links   map[*Link]struct{}
	stripes map[ticket]*striped
	ln      *Listener
	over    bool

	watchers map[*watcher]struct{}
	moves    *os.File // closed when this ends; nil: the system does not tell

	running   sync.WaitGroup // what reads from links
	closeOnce sync.Once
}

func newVirtual() *Virtual {
	return &Virtual{in: newInbox(), start: time.Now(), peers: map[uint16]*peer{}, links: map[*Link]struct{}{}, stripes: map[ticket]*striped{}, watchers: map[*watcher]struct{}{}}
}

// since is a time as the Virtual counts it.
func (v *Virtual) since(t time.Time) int64 { return int64(t.Sub(v.start)) }

// Change is that packets began to travel another way.
type Change struct {
	At   time.Time
	Path Path
	Why  string // for people
}

// Open binds the channel and returns its packet connection. Binding goes on in the background: it is repeated until the
// relay has confirmed it, whenever the relay asks for it, and every 10 s.
func (o *Outer) Open(ch *wire.Channel) (*Virtual, error) {
	v := newVirtual()
	why := "UDP reaches the relay"
	if o.port.tcp != nil {
		why = "UDP gave no answer"
		if o.path != PathAuto {
			why = "pinned to TCP"
		}
	}
	if err := v.rebind(o, ch, why); err != nil {
		return nil, err
	}
	v.tr = &quic.Transport{
		Conn:        v.packetConn(o.port),
		ConnContext: func(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) { return gauged(ctx), nil },
	}
	if o.port.real {
		v.moves = v.listenForMoves()
	}
	return v, nil
}

// Rebind lets the packets travel through another channel, of the same outer connection or another one. The channel before is
// left; the own peer number must be the same, for the other ends know this one by it.
func (v *Virtual) Rebind(o *Outer, ch *wire.Channel) error {
	return v.rebind(o, ch, "bound to another channel")
}

func (v *Virtual) rebind(o *Outer, ch *wire.Channel, why string) error {
	r, err := newRoute(o, v, ch)
	if err != nil {
		return err
	}
	if err := v.use(r, why); err != nil {
		r.cancel()
		r.port.release()
		return err
	}
	r.begin()
	v.moved()
	return nil
}

// moved tells the links that their packets travel another way.
func (v *Virtual) moved() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for l := range v.links {
		l.gauge.pace.moved()
	}
}

// use lets r carry the packets from now on.
func (v *Virtual) use(r *route, why string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.route.Load()
	switch {
	case v.over:
		return errClosedVirtual
	case old != nil && old.self != r.self:
		return fmt.Errorf("rebind channel: peer %d would become %d", old.self, r.self)
	}
	r.port.attach(r)
	v.route.Store(r)
	v.last.Store(&Change{time.Now(), r.path(), why})
	if old != nil {
		v.running.Go(old.close)
	}
	return nil
}

// Close closes the links, says so to their other ends, and leaves the channel. It returns when all that was started is gone.
func (v *Virtual) Close() {
	v.closeOnce.Do(func() {
		v.mu.Lock()
		v.over = true
		ln := v.ln
		var links []*Link
		for l := range v.links {
			links = append(links, l)
		}
		v.mu.Unlock()
		for _, l := range links {
			l.Close(0, "")
		}
		if ln != nil {
			ln.Close()
		}
		_ = v.tr.Close() // says only what was said before
		if v.moves != nil {
			_ = v.moves.Close()
		}
		v.in.close()
		v.route.Load().close()
		v.running.Wait()
	})
}

var errClosedVirtual = errors.New("virtual connection closed")

// add keeps l for Close; it fails when that has happened.
func (v *Virtual) add(l *Link) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return errClosedVirtual
	}
	v.links[l] = struct{}{}
	v.running.Go(l.sortDatagrams)
	v.running.Go(l.sendDatagrams)
	v.running.Go(l.sortUnis)
	v.running.Go(l.keepVigil)
	context.AfterFunc(l.conn.Context(), func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.links, l)
	})
	return nil
}
