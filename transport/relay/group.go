package relay

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"assist/transport/udp"
	"assist/transport/wire"
)

// ErrGroupClosed says that the group takes no more peers.
var ErrGroupClosed = errors.New("group closed")

// end is one peer of a group.
type end struct {
	group   *Group
	peer    uint16
	channel uint64
	secret  []byte
	counter atomic.Uint64 // of the newest bind
	hinted  atomic.Int64  // when it was last asked to bind, ns

	addr atomic.Pointer[whereabouts] // nil until bound

	mu    sync.Mutex
	early [][]byte // came before it was bound
}

// earlyPackets is how many packets wait for an end that is not bound yet: the first flight of a handshake. Who is told that the other end is there
// may be quicker than that end's bind.
const (
	earlyPackets = 4
	earlyLength  = 1500 // bytes of one; longer ones come from no network but this machine's own
)

// keep keeps packets for an end that is not bound, as many as there is room for. When it has been bound meanwhile it says where.
func (e *end) keep(d udp.Datagram) *whereabouts {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at := e.addr.Load(); at != nil {
		return at
	}
	for b := d.B; len(b) > 0; {
		n := min(d.Seg, len(b))
		if n <= earlyLength && len(e.early) < earlyPackets {
			e.early = append(e.early, bytes.Clone(b[:n]))
		} else {
			e.group.fwd.count.noPeer.Add(1)
		}
		b = b[n:]
	}
	return nil
}

// release gives what was kept.
func (e *end) release() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	early := e.early
	e.early = nil
	return early
}

// newer takes the counter of a bind if it is higher than all before.
func (e *end) newer(counter uint64) bool {
	for {
		last := e.counter.Load()
		if counter <= last {
			return false
		}
		if e.counter.CompareAndSwap(last, counter) {
			return true
		}
	}
}

// Group is the peers of one session: peer 0, the host, and its consoles. Packets travel between the host and each console,
// never between consoles.
type Group struct {
	fwd *forwarder

	mu     sync.RWMutex
	peers  map[uint16]*end
	closed bool
}

// NewGroup makes a group without peers.
func (s *Server) NewGroup() *Group { return &Group{fwd: s.fwd, peers: map[uint16]*end{}} }

// Join makes a channel for a peer. A peer that joins again gets another channel, and the one before ends.
func (g *Group) Join(peer uint32) (*wire.Channel, error) {
	if peer > 0xffff {
		return nil, fmt.Errorf("join group: no peer %d", peer)
	}
	e := &end{group: g, peer: uint16(peer), secret: make([]byte, wire.SecretLen)}
	rand.Read(e.secret)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrGroupClosed
	}
	if old := g.peers[e.peer]; old != nil {
		g.fwd.remove(old)
	}
	g.fwd.add(e)
	g.peers[e.peer] = e
	return &wire.Channel{Id: e.channel, Secret: e.secret, Self: peer}, nil
}

// Leave ends a peer's channel; its packets are not forwarded any more, nor are packets to it.
func (g *Group) Leave(peer uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.peers[uint16(peer)]; e != nil && peer <= 0xffff {
		g.fwd.remove(e)
		delete(g.peers, e.peer)
	}
}

// Close ends the channels of all peers.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, e := range g.peers {
		g.fwd.remove(e)
	}
	clear(g.peers)
}

// target is the peer that packets from one to another go to, nil if they do not.
func (g *Group) target(from, to uint16) *end {
	if from != 0 && to != 0 {
		return nil
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.peers[to]
}

// newChannel is a channel id that cannot be guessed and is not 0.
func newChannel() uint64 {
	for {
		var b [8]byte
		rand.Read(b[:])
		if id := binary.BigEndian.Uint64(b[:]); id != 0 {
			return id
		}
	}
}
