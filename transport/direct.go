package transport

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// When probes and whereabouts are sent.
const (
	probeEvery  = 50 * time.Millisecond  // to every address of the other end, while none has answered,
	probeBurst  = 5 * time.Second        // for so long,
	probePause  = 30 * time.Second       // and then again after this
	probeSettle = 300 * time.Millisecond // after the first answer a better one is still waited for
	aliveEvery  = 200 * time.Millisecond // on the direct path, as long as it is used,
	idleEvery   = 2 * time.Second        // and while nothing but heartbeats travels
	restAfter   = 5 * time.Second
	doubtDirect = 300 * time.Millisecond // a probe has no answer: packets go both ways,
	deadDirect  = 2 * time.Second        // and then by the relay only
	tellFirst   = 100 * time.Millisecond // whereabouts, again until they are heard
	tellLast    = time.Second
	directOnly  = 10 * time.Second // so long the relay may carry packets of a link that is pinned to the direct path,
	lastWords   = 2 * time.Second  // and then what is said about that
	maxSeen     = 8                // addresses of the other end that packets are taken from
)

// direct looks for a path between the two ends of a link that needs no relay, and keeps it. The addresses come from the other
// end through the link itself, so that no relay can name others; what proves an address is a probe that only the other end
// can have answered.
type direct struct {
	v      *Virtual // set once, like all up to poke
	link   *Link
	peer   *peer
	secret []byte
	tag    uint64
	only   bool
	begun  time.Time
	poke   chan struct{} // cap 1: something below has changed

	way  atomic.Pointer[way]
	last atomic.Pointer[Change]

	mu      sync.Mutex
	port    *port // held
	counter uint64
	theirs  uint64 // newest counter of a probe of the other end
	seen    map[netip.AddrPort]time.Time
	sent    map[uint64]probe
	answers []answer
	told    wire.Whereabouts // newest of the other end
	toldSeq uint64           // newest of ours that it has
}

// way is where packets to the other end go directly.
type way struct {
	port   *port
	to     udp.Addr
	tag    uint64
	rtt    time.Duration
	asked  atomic.Int64 // the oldest probe that has no answer, 0 when all have; ns since Virtual.start
	sent   atomic.Int64 // the newest packet
	busy   atomic.Int64 // the newest that was no heartbeat
	probed atomic.Int64 // the newest probe
}

// quiet is how long a probe has had no answer.
func (w *way) quiet(now int64) time.Duration {
	if asked := w.asked.Load(); asked > 0 {
		return time.Duration(now - asked)
	}
	return 0
}

// every is the time between two probes.
func (w *way) every(now int64) time.Duration {
	if time.Duration(now-w.busy.Load()) > restAfter {
		return idleEvery
	}
	return aliveEvery
}

// doubt is after how long without an answer the path is doubted: more where the way is long.
func (w *way) doubt() time.Duration { return max(doubtDirect, w.rtt+w.rtt/2) }

type probe struct {
	to netip.AddrPort
	at time.Time
}

type answer struct {
	from netip.AddrPort
	rtt  time.Duration
}

// SeekDirect lets packets of the link go directly where both ends want that and the network allows it. Nothing is told to the
// other end before; it is asked for once the two ends may know each other's addresses.
func (l *Link) SeekDirect() {
	path := l.v.route.Load().outer.path
	secret, err := l.Exporter("EXPORTER-assist-direct", nil, wire.SecretLen)
	if err != nil || (path != PathAuto && path != PathDirect) {
		return
	}
	d := &direct{
		v: l.v, link: l, peer: l.peer, secret: secret, only: path == PathDirect, begun: time.Now(),
		poke: make(chan struct{}, 1), seen: map[netip.AddrPort]time.Time{}, sent: map[uint64]probe{},
	}
	for d.tag == 0 {
		var b [8]byte
		rand.Read(b[:])
		d.tag = binary.BigEndian.Uint64(b[:])
	}
	if !l.direct.CompareAndSwap(nil, d) {
		return
	}
	if b := l.told.Load(); b != nil {
		d.hear(*b)
	}
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	if !l.v.over {
		l.peer.direct.Store(d)
		l.v.running.Go(d.run)
	}
}

// Stranded says whether the link may only go directly and has no way to, after it had the relay's for long enough.
func (l *Link) Stranded() bool {
	d := l.direct.Load()
	return d != nil && d.only && d.way.Load() == nil && time.Since(d.begun) > directOnly
}

// send sends packets directly; it says whether the relay is not needed for them.
func (d *direct) send(b []byte, seg int, now time.Time) (done bool) {
	w := d.way.Load()
	if w == nil {
		return d.only && now.Sub(d.begun) > directOnly+lastWords
	}
	buf := buffers.Get().(*[]byte)
	out := appendForward((*buf)[:0], wire.Forward{Channel: w.tag}, b, seg)
	_ = w.port.sock.Send(udp.Datagram{B: out, Seg: seg + wire.ForwardHeader, Addr: w.to})
	*buf = out
	buffers.Put(buf)
	at := d.v.since(now)
	if last := w.sent.Swap(at); len(b) > heartbeatLen || time.Duration(at-last) < heartbeatGap {
		if time.Duration(at-w.busy.Swap(at)) > restAfter && time.Duration(at-w.probed.Load()) > aliveEvery {
			d.wake() // is the path still there?
		}
	}
	return d.only || w.quiet(at) < w.doubt()
}

// Packets that hold a PING or an ACK and nothing else are short, and one comes long after the other.
const (
	heartbeatLen = 48
	heartbeatGap = innerKeepAlive / 3
)

// takes says whether packets from an address may be the other end's. They still have to pass the link's own encryption.
func (d *direct) takes(from netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.seen[from]
	return ok
}

// receive takes a probe or an ack. The goroutine that reads the port calls it.
func (d *direct) receive(p *port, b []byte, from udp.Addr) {
	if !wire.Authentic(b, d.secret) {
		return
	}
	switch b[0] {
	case wire.TypeProbe:
		if q, err := wire.ParseProbe(b); err == nil {
			d.probed(p, q, from)
		}
	case wire.TypeProbeAck:
		if a, err := wire.ParseProbeAck(b); err == nil {
			d.answered(a, from.AddrPort)
		}
	}
}

// probed answers a probe once; a recorded one is worth nothing.
func (d *direct) probed(p *port, q wire.Probe, from udp.Addr) {
	d.mu.Lock()
	fresh, tag := q.Counter > d.theirs, d.told.Tag
	if fresh {
		d.theirs = q.Counter
		if _, known := d.seen[from.AddrPort]; !known {
			d.forgetOldest()
			defer d.wake() // an address that nobody told of: the other end's NAT gave it
		}
		d.seen[from.AddrPort] = time.Now()
	}
	d.mu.Unlock()
	if !fresh || tag == 0 {
		return
	}
	ack := wire.ProbeAck{Tag: tag, Counter: q.Counter, Observed: from.AddrPort}.Append(nil, d.secret)
	_ = p.sock.Send(udp.Datagram{B: ack, Seg: len(ack), Addr: from})
}

// forgetOldest makes room for an address; it needs mu.
func (d *direct) forgetOldest() {
	for len(d.seen) >= maxSeen {
		var oldest netip.AddrPort
		for at, when := range d.seen {
			if !oldest.IsValid() || when.Before(d.seen[oldest]) {
				oldest = at
			}
		}
		delete(d.seen, oldest)
	}
}

func (d *direct) answered(a wire.ProbeAck, from netip.AddrPort) {
	d.mu.Lock()
	q, asked := d.sent[a.Counter]
	delete(d.sent, a.Counter)
	good := asked && q.to == from
	now := time.Now()
	if good {
		d.answers = append(d.answers, answer{from, now.Sub(q.at)})
	}
	d.mu.Unlock()
	if !good {
		return
	}
	if w := d.way.Load(); w != nil && w.to.AddrPort == from {
		w.asked.Store(0)
		d.peer.heard.Store(d.v.since(now))
	}
	d.wake()
}

// hear takes the other end's whereabouts.
func (d *direct) hear(b []byte) {
	w, err := wire.ParseWhereabouts(b)
	if err != nil || w.Tag == 0 {
		return
	}
	d.mu.Lock()
	d.toldSeq = max(d.toldSeq, w.Heard)
	if w.Seq > d.told.Seq {
		d.told = w
	}
	d.mu.Unlock()
	d.wake()
}

func (d *direct) wake() {
	select {
	case d.poke <- struct{}{}:
	default:
	}
}
