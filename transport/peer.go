package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"assist/transport/wire"
)

// What is sent again when a path is back.
const (
	holdCount = 8                      // newest packets to each peer
	holdAfter = 150 * time.Millisecond // without a word from the peer: packets from then on are kept
	gapAfter  = innerKeepAlive + innerKeepAlive/5
)

// peer is an end that packets come from and go to.
type peer struct {
	number uint16       // set once, like addr
	addr   *net.UDPAddr // what quic-go calls it

	heard   atomic.Int64 // ns since Virtual.start, 0 for never
	holding atomic.Bool  // held is not empty
	direct  atomic.Pointer[direct]
	resent  atomic.Int64 // when packets that were held after a break were sent again; ns since Virtual.start
	first   atomic.Int64 // RTT of the first packets of a link, ns; the lowest, of those in whose handshake nothing was sent again

	mu   sync.Mutex
	held [holdCount][]byte // newest packets since the peer went silent; a ring
	next int
}

func newPeer(number uint16) *peer { return &peer{number: number, addr: peerAddr(number)} }

// hold keeps the newest of the packets in b. Most of what is sent into a path that has broken is lost, and QUIC waits longer
// and longer before it sends again: these few, sent when the path is back, are what it needs to go on at once.
func (p *peer) hold(b []byte, seg int) {
	if skip := (len(b)+seg-1)/seg - holdCount; skip > 0 {
		b = b[skip*seg:]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding.Store(true)
	for len(b) > 0 {
		n := min(seg, len(b))
		p.held[p.next] = append(p.held[p.next][:0], b[:n]...)
		p.next = (p.next + 1) % holdCount
		b = b[n:]
	}
}

// release gives what was kept, oldest first, and forgets it.
func (p *peer) release() (out [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding.Store(false)
	for i := range holdCount {
		at := (p.next + i) % holdCount
		if b := p.held[at]; len(b) > 0 {
			out = append(out, b)
		}
		p.held[at] = nil
	}
	return out
}

// receive takes packets from a peer. When it was silent for longer than its heartbeat, the path had broken.
func (v *Virtual) receive(b []byte, seg int, number uint16, now time.Time) {
	p := v.peer(number)
	at := int64(now.Sub(v.start))
	before := p.heard.Swap(at)
	v.calm.Heard(b[min(wire.ForwardHeader, len(b)):], now)
	v.in.put(b, seg, wire.ForwardHeader, p.addr)
	if p.holding.Load() {
		held := p.release()
		if time.Duration(at-before) > gapAfter {
			if before > 0 {
				p.resent.Store(at)
			}
			v.sendAll(p, held)
		}
	}
}

// flush sends again what was sent to silent peers: the path is back.
func (v *Virtual) flush() {
	v.mu.Lock()
	var silent []*peer
	for _, p := range v.peers {
		if p.holding.Load() {
			silent = append(silent, p)
		}
	}
	v.mu.Unlock()
	for _, p := range silent {
		held := p.release()
		if p.heard.Load() > 0 {
			p.resent.Store(v.since(time.Now()))
		}
		v.sendAll(p, held)
		for _, b := range held { // until the peer has answered they are all that there is
			p.hold(b, len(b))
		}
	}
}

func (v *Virtual) sendAll(p *peer, packets [][]byte) {
	for _, b := range packets {
		v.route.Load().send(b, len(b), p)
	}
}

// judgeFirst takes the round trip of a link's first packets for what the line does to packets of that size, unless they were held
// while it was broken, or an earlier link's were quicker: a line does not become thin, but it may have been coming back just then.
func (l *Link) judgeFirst(dialled int64) {
	p := l.gauge.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	before := time.Duration(l.peer.first.Load())
	if l.peer.resent.Load() > dialled || before > 0 && before < p.pacer.first {
		p.pacer.first = before
		return
	}
	l.peer.first.Store(int64(p.pacer.first))
}

// peer is the peer of that number, made when it is new.
func (v *Virtual) peer(number uint16) *peer {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.peers[number]
	if p == nil {
		p = newPeer(number)
		v.peers[number] = p
	}
	return p
}

// peerAddr writes a peer number as an address, because quic-go wants UDP addresses: of the discard-only prefix 100::/64
// (RFC 6666), that no real packet has.
func peerAddr(number uint16) *net.UDPAddr {
	ip := make(net.IP, net.IPv6len)
	ip[0] = 1
	ip[14], ip[15] = byte(number>>8), byte(number)
	return &net.UDPAddr{IP: ip, Port: 1}
}

func peerOf(a net.Addr) (uint16, bool) {
	u, ok := a.(*net.UDPAddr)
	if !ok || len(u.IP) != net.IPv6len {
		return 0, false
	}
	return uint16(u.IP[14])<<8 | uint16(u.IP[15]), true
}
