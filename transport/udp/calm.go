package udp

import (
	"sync"
	"time"
)

// When packets of a handshake are sent again.
const (
	calmFor   = time.Second            // after a flight to which nothing was heard: the first probe timeout of RFC 9002, 6.2.2
	flight    = 100 * time.Millisecond // what goes out within this time is one flight
	largeLong = 200                    // bytes; shorter ones are answers, which are not held back
	maxCalm   = 4096                   // handshakes that are remembered; with one more all are forgotten
	maxConnID = 20                     // bytes (RFC 9000, 17.2)
)

// Calm keeps handshakes from filling a thin line with copies of themselves. quic-go takes a round trip of 100 ms for granted
// until it has measured one, and says everything again after 200, 600 and 1400 ms; at 16 kbit/s one flight takes 1.2 s. So a
// flight to which the other end has not answered is not sent again within a second, and QUIC takes that for loss. The zero
// value is ready; it may be used by several goroutines.
type Calm struct {
	mu sync.Mutex
	of map[connID]time.Time // by the other end's name for the connection: the newest flight that it has not answered
}

type connID [maxConnID + 1]byte

// Pass says whether a packet is to be sent now.
func (c *Calm) Pass(b []byte, now time.Time) bool {
	if len(b) < largeLong {
		return true
	}
	id, _, ok := connIDs(b)
	if !ok {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch at, known := c.of[id]; {
	case known && now.Sub(at) < flight:
		return true
	case known && now.Sub(at) < calmFor:
		return false
	}
	if c.of == nil || len(c.of) >= maxCalm {
		c.of = map[connID]time.Time{}
	}
	c.of[id] = now
	return true
}

// Heard takes a packet of the other end: it has got something, or misses something.
func (c *Calm) Heard(b []byte) {
	_, id, ok := connIDs(b)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
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
