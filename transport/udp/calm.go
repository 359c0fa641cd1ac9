package udp

import (
	"sync"
	"time"
)

// When packets of a handshake are sent again.
const (
	calmFor   = time.Second            // after a flight to which nothing was heard: the first probe timeout of RFC 9002, 6.2.2
	calmReply = 3 * time.Second        // the same for who was dialled: who dialled says its part again if it hears nothing
	slowFrom  = 300 * time.Millisecond // until the first answer, and the line is long or thin; then not before
	calmSlow  = 4                      // times as long
	flight    = 100 * time.Millisecond // what goes out within this time is one flight
	largeLong = 200                    // bytes; shorter ones are answers, which are not held back
	maxCalm   = 4096                   // handshakes that are remembered; with one more all are forgotten
	maxConnID = 20                     // bytes (RFC 9000, 17.2)
)

// Calm keeps handshakes from filling a thin line with copies of themselves. quic-go takes a round trip of 100 ms for granted
// until it has measured one, and says everything again after 200, 600 and 1400 ms; at 16 kbit/s one flight takes 1.2 s, and
// what the line drops then comes seconds later. So a flight is not sent again soon, and QUIC takes that for loss. The zero value is
// ready; it may be used by several goroutines.
type Calm struct {
	mu sync.Mutex
	of map[connID]*handshake // by the dialling end's name for the connection, which is the same from its first packet on
}

type connID [maxConnID + 1]byte

// handshake is one that is under way.
type handshake struct {
	asked connID        // how the dialling end called this one when it knew nothing of it; zero at the dialling end
	slow  time.Duration // from the first flight to the first answer; 0: there was none
	first time.Time     // flight; zero: none yet
	of    [longKinds]struct {
		at    time.Time // of the newest flight; zero: none yet
		again bool      // there is a reason to send now
	}
}

// longKinds is how many kinds of packets have a long header (RFC 9000, 17.2); each is a flight of its own, since a busy machine needs a while between two.
const longKinds = 4

func kindOf(b []byte) byte { return b[0] >> 4 & 3 }

// Pass says whether a packet is to be sent now.
func (c *Calm) Pass(b []byte, now time.Time) bool {
	if len(b) < largeLong {
		return true
	}
	to, from, ok := connIDs(b)
	if !ok {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.of[from]
	if h == nil {
		h = c.of[to]
	}
	if h == nil {
		h = c.add(from, &handshake{})
	}
	wait := calmFor
	if h.asked != (connID{}) {
		wait = calmReply
	}
	if h.slow > slowFrom {
		wait = max(wait, calmSlow*h.slow)
	}
	k := &h.of[kindOf(b)]
	if !k.at.IsZero() {
		switch since := now.Sub(k.at); {
		case since < flight:
			return true
		case since < wait && !k.again:
			return false
		}
	}
	if k.at, k.again = now, false; h.first.IsZero() {
		h.first = now
	}
	return true
}

// Heard takes a packet of the other end.
func (c *Calm) Heard(b []byte, now time.Time) {
	to, from, ok := connIDs(b)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, dialled := c.of[to], true
	if h == nil {
		h, dialled = c.of[from], false
	}
	if h == nil {
		c.add(from, &handshake{asked: to})
		return
	}
	if !dialled && to == h.asked { // it has heard nothing of what we sent
		h.wake()
		return
	}
	if h.slow == 0 && !h.first.IsZero() {
		h.slow = now.Sub(h.first)
	}
	if h.slow <= slowFrom || dialled && len(b) >= largeLong { // more than an acknowledgement: there is an answer to it
		h.wake()
	}
}

// wake lets all kinds be sent.
func (h *handshake) wake() {
	for i := range h.of {
		h.of[i].again = true
	}
}

// add needs mu.
func (c *Calm) add(id connID, h *handshake) *handshake {
	if c.of == nil || len(c.of) >= maxCalm {
		c.of = map[connID]*handshake{}
	}
	c.of[id] = h
	return h
}

// connIDs reads the names of a connection at the receiver and at the sender from a packet with a long header (RFC 8999, 5.1).
func connIDs(b []byte) (to, from connID, ok bool) {
	const fixed = 5 // first byte and version
	if len(b) <= fixed || b[0]&0x80 == 0 {
		return to, from, false
	}
	b = b[fixed:]
	for _, id := range []*connID{&to, &from} {
		n := int(b[0])
		if n > maxConnID || len(b) < 1+n+1 {
			return to, from, false
		}
		copy(id[:], b[:1+n])
		b = b[1+n:]
	}
	return to, from, true
}
