package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"assist/transport/wire"
)

// Limits of a striped stream.
const (
	maxLanes    = 8                // connections that carry one stream, the first included
	stripePiece = 16 << 10         // bytes of a piece, at most
	stripeAhead = 4 << 20          // bytes that arrive before those that come first; a lane that is further ahead waits
	mostPieces  = 1024             // the same in pieces
	spreadAfter = 512 << 10        // bytes of a stream that more lanes are worth their handshakes
	laneWithin  = 15 * time.Second // for its handshake, and for its end
)

// A piece has its offset in the stream and its length before it. Two lengths mean something else: the stream ends at the offset, and more
// lanes are wanted.
const (
	pieceHeader = 8 + 2
	lengthEnd   = 0
	lengthMore  = 0xffff
)

// laneLabel makes the ticket by which a lane shows that it belongs to a stream of the link (RFC 8446, 7.5), with the stream's number as context.
const laneLabel = "EXPORTER-assist-lane"

type ticket [32]byte

// errPieces says that the other end of a striped stream does not keep to its rules.
var errPieces = errors.New("malformed stream of pieces")

// errGivenUp is what a stream says that this end has given up.
var errGivenUp = errors.New("stream given up")

// Stripe spreads a stream over more connections between the same two ends once the line loses packets: each loss halves what one connection's
// congestion control dares to send, and eight dare eight times as much. Both ends stripe a stream before anything else is said on it. What
// this end writes is paced. The end that writes notices the losses, the end that dialed the link dials the lanes. They end with the
// stream or its link.
//
// A stream that is not of a Link, as tests have them, comes back as it is.
func Stripe(s Stream, c Class) Stream {
	d, ok := s.(duplex)
	if !ok {
		return s
	}
	t := &striped{
		link: d.link, class: c, first: d, out: Pace(d, c), pieces: make(chan []byte), noMore: make(chan struct{}),
		ready: make(chan struct{}, 1), waiting: map[uint64][]byte{},
	}
	t.room.L = &t.mu
	b, err := d.link.Exporter(laneLabel, binary.BigEndian.AppendUint64(nil, uint64(d.id)), len(t.ticket))
	if err != nil || !d.link.v.stripe(ticket(b), t) {
		t.failReading(errClosedVirtual)
		t.failWriting(errClosedVirtual)
		return t
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.alone = context.AfterFunc(d.link.conn.Context(), func() {
		t.failReading(d.link.Err())
		t.failWriting(d.link.Err())
	})
	if t.over { // meanwhile
		t.alone()
	}
	return t
}

// stripe keeps a striped stream for its lanes; false: it is too late.
func (v *Virtual) stripe(k ticket, t *striped) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return false
	}
	t.ticket = k
	v.stripes[k] = t
	v.running.Go(func() { t.receive(t.first, nil) })
	return true
}

// begin runs something that ends with the links; false: it is too late.
func (v *Virtual) begin(run func()) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.over {
		v.running.Go(run)
	}
	return !v.over
}

// striped is a stream in pieces, over one connection or several.
type striped struct {
	link   *Link // set once, like all up to noMore
	ticket ticket
	class  Class
	first  duplex
	out    SendStream    // the same, paced
	pieces chan []byte   // for whichever lane takes them, once there may be several
	noMore chan struct{} // closed by failWriting

	writing sync.Mutex // for who writes; owns all up to looked
	at      uint64     // offset of what is written next
	spread  bool       // pieces go through the channel
	losses  Losses
	looked  time.Time

	sending sync.WaitGroup
	ready   chan struct{} // cap 1: Read may go on

	mu       sync.Mutex
	room     sync.Cond
	lanes    []lane
	sends    bool // lanes carry what this end writes
	dialing  bool
	next     uint64 // offset of the piece that Read takes next
	head     []byte // of the piece before, not read yet
	waiting  map[uint64][]byte
	ends     bool
	end      uint64
	deadline time.Time // of reading
	readErr  error
	wrote    bool // closed, or given up
	writeErr error
	over     bool
	alone    func() bool // the end of the link is none of this stream's any more; nil: not yet watched
}

// lane is one connection more.
type lane struct {
	link *Link
	s    Stream
}

// dial opens the lanes. One that does not come about is not missed.
func (t *striped) dial() {
	t.mu.Lock()
	again := t.dialing
	t.dialing = true
	t.mu.Unlock()
	for range maxLanes - 1 {
		if again || !t.link.v.begin(t.dialLane) {
			return
		}
	}
}

func (t *striped) dialLane() {
	ctx, cancel := context.WithTimeout(t.link.conn.Context(), laneWithin)
	defer cancel()
	k, err := t.link.v.Dial(ctx, t.link.Peer(), t.link.own, func(fp Fingerprint) error {
		if fp != t.link.fp {
			return errPieces
		}
		return nil
	})
	if err != nil {
		return
	}
	s, err := k.OpenStream(ctx, wire.StreamLane)
	if err == nil {
		_, err = s.Write(t.ticket[:])
	}
	if err != nil || !t.join(lane{k, s}) {
		k.Close(0, "")
	}
}

// Join makes this link a lane of the stream that the other end names, of another link with the same other end. It has no other use and ends with it.
func (l *Link) Join(s Stream) error {
	var k ticket
	_ = s.SetReadDeadline(time.Now().Add(kindWithin))
	if _, err := io.ReadFull(s, k[:]); err != nil {
		return fmt.Errorf("join stream: %w", err)
	}
	_ = s.SetReadDeadline(time.Time{})
	l.v.mu.Lock()
	t := l.v.stripes[k]
	l.v.mu.Unlock()
	if t == nil || t.link.fp != l.fp || t.link.num != l.num || !t.join(lane{l, s}) {
		return fmt.Errorf("join stream: %w", errPieces)
	}
	return nil
}

func (t *striped) join(x lane) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || len(t.lanes) >= maxLanes-1 || !t.link.v.begin(func() { t.receive(x.s, x.link) }) {
		return false
	}
	t.lanes = append(t.lanes, x)
	if t.sends && !t.wrote {
		t.sending.Go(func() { t.carry(Pace(x.s, t.class)) })
	}
	return true
}

// finish lets the lanes go when both directions have ended. It needs mu. In order, the end that was dialed closes what it writes on them when it has
// read everything, and the other end closes a lane when it has read that: then nothing is on its way.
func (t *striped) finish() {
	read := t.readErr != nil || t.ends && t.next == t.end
	if t.over || !read || !t.wrote {
		return
	}
	t.over = true
	if t.alone != nil {
		t.alone()
	}
	v := t.link.v
	v.mu.Lock()
	delete(v.stripes, t.ticket)
	v.mu.Unlock()
	for _, x := range t.lanes {
		switch {
		case t.readErr != nil || t.writeErr != nil:
			x.link.Close(0, "")
		case !t.link.dialed:
			_ = x.s.Close()
			time.AfterFunc(laneWithin, func() { x.link.Close(0, "") })
		}
	}
}
