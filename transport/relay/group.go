package relay

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

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
