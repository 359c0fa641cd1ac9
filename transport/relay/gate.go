package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"
)

// Limits of handshakes (threats A26). Above them clients have to show first that they receive at their address (Retry,
// RFC 9000, 8.1.2), which costs them a round trip and us no memory.
const (
	handshakesAtOnce    = 64
	handshakesPerSecond = 50
	// pendingLimit bounds handshakes, and with them memory; above it connections are refused.
	pendingLimit = 2000
)

var errFull = errors.New("too many connections")

// gate decides which connections come in.
type gate struct {
	max, perIP int
	unverified *rate.Limiter
	pending    atomic.Int64 // handshakes under way
	open       atomic.Int64
	refused    atomic.Uint64

	mu   sync.Mutex
	from map[netip.Prefix]int // open connections; loopback is not counted
}

func newGate(limit, perIP int) *gate {
	return &gate{
		max: limit, perIP: perIP, from: map[netip.Prefix]int{},
		unverified: rate.NewLimiter(handshakesPerSecond, handshakesPerSecond),
	}
}

// verify says whether a client has to show first that it receives at its address.
func (g *gate) verify(net.Addr) bool {
	return g.pending.Load() >= handshakesAtOnce || !g.unverified.Allow()
}

type pendingKey struct{}

// admit counts a handshake until enter, or until it has failed.
func (g *gate) admit(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if g.open.Load() >= int64(g.max) || g.pending.Load() >= pendingLimit {
		g.refused.Add(1)
		return nil, errFull
	}
	g.pending.Add(1)
	done := sync.OnceFunc(func() { g.pending.Add(-1) })
	context.AfterFunc(ctx, done)
	return context.WithValue(ctx, pendingKey{}, done), nil
}

// enter counts a connection whose handshake is done, until leave is called.
func (g *gate) enter(qc *quic.Conn, remote netip.AddrPort) (leave func(), ok bool) {
	if done, ok := qc.Context().Value(pendingKey{}).(func()); ok {
		done()
	}
	from := network(remote.Addr())
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open.Load() >= int64(g.max) || (!remote.Addr().IsLoopback() && g.from[from] >= g.perIP) {
		g.refused.Add(1)
		return nil, false
	}
	g.open.Add(1)
	g.from[from]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.open.Add(-1)
		if g.from[from]--; g.from[from] == 0 {
			delete(g.from, from)
		}
	}, true
}

// network is what counts as one place: an IPv4 address, or an IPv6 /64, which is what one customer gets at least
// (RFC 6177).
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits) // fails only for lengths that the address has not
	return p
}
