package transport

import (
	"cmp"
	"time"
)

// What a pacer aims at.
const (
	queueAim   = 10 * time.Millisecond // that paced streams may add to the round trip by what waits in the line
	firstShare = 4 * minPacket         // bytes on their way before anything is known: half a second at 64 kbit/s
	leastShare = 600                   // bytes
	pieceTime  = 30 * time.Millisecond // how long one packet of a paced stream may take the line
	leastPiece = 300                   // bytes; smaller packets are mostly header
	header     = 90                    // bytes of a packet that are not the stream's, down to UDP and IPv6
	shortRound = 10 * time.Millisecond // RTT samples of so long are judged together, at least
	baseSpan   = 15 * time.Second      // the lowest RTT is that of the last one to two of these
	dipAfter   = 10 * time.Second      // of a full line its queue is let go for a round trip, to see how short it is
	idleAfter  = 5 * time.Second       // what a line carried then says less about it now

	slowHello = 250 * time.Millisecond // that the first packets took longer than the quickest: the line is thin,
	helloSize = 2 * (minPacket + header)
	thinMost  = 16e3 // bytes a second: unless it has carried more than so
)

// pacer decides how many bytes of streams that can wait may be on their way: as many as keep the line busy with a queue of
// queueAim in it, like TCP Vegas and FAST. It is pure: time is passed in. Loss is left to QUIC's own congestion control.
type pacer struct {
	share    int     // bytes that may be on their way
	starting bool    // the share grows with every acknowledgement until a queue shows
	rate     float64 // bytes a second that the line carried when it was full; 0: never was
	queue    time.Duration
	base     lowest
	first    time.Duration // RTT
	guess    float64       // rate of a thin line by what the handshake took; 0: there is none
	asked    bool          // something was asked for
	wide     bool          // it has carried too much for a thin line
	gave     time.Time     // something, last

	inFlight int
	pending  int       // given out, not yet on their way
	full     bool      // more was asked for than there was room, in this round
	wasFull  bool      // in the round before
	since    time.Time // it is full
	back     int       // the share after a dip; 0: there is none

	begun  time.Time // of the round
	low    time.Duration
	acked  int
	active time.Time // newest acknowledgement
}

// lowest is the lowest of the samples of the last one to two spans.
type lowest struct {
	at       time.Time
	now, was time.Duration
}

func (l *lowest) add(t time.Time, d time.Duration) {
	switch {
	case l.now == 0:
		l.at, l.now = t, d
	case t.Sub(l.at) >= baseSpan:
		l.at, l.was, l.now = t, l.now, d
	default:
		l.now = min(l.now, d)
	}
}

func (l *lowest) value() time.Duration {
	if l.was == 0 {
		return l.now
	}
	return min(l.now, l.was)
}

func newPacer() *pacer { return &pacer{share: firstShare, starting: true} }

// piece is how many bytes of a paced stream one packet may carry.
func (p *pacer) piece() int {
	rate := cmp.Or(p.rate, p.guess)
	if rate == 0 {
		return minPacket
	}
	return min(max(int(rate*pieceTime.Seconds()), leastPiece), minPacket)
}

// aim is the queue that is wanted: on a thin line it has to hold the packet that is being sent.
func (p *pacer) aim() time.Duration {
	rate := cmp.Or(p.rate, p.guess)
	if rate == 0 {
		return queueAim
	}
	return max(queueAim, time.Duration(float64(p.piece()+header)/rate*float64(time.Second)))
}

// thin is how much longer the first packets took than the quickest, if that is much.
func (p *pacer) thin() time.Duration {
	if over := p.first - p.base.value(); over > slowHello && !p.wide {
		return over
	}
	return 0
}

// hello takes what the handshake says about a thin line, so that the first pictures do not overfill its queue.
func (p *pacer) hello() {
	p.asked = true
	thin := p.thin()
	if p.rate > 0 || thin == 0 {
		return
	}
	p.guess = helloSize / thin.Seconds()
	p.share = min(p.share, max(leastShare, int(p.guess*(p.base.value()+p.aim()).Seconds())))
}

// take gives out at most most bytes now. first lets a stream go a quarter over the share: what a person waits for need not
// wait for a file.
func (p *pacer) take(most int, first bool) int {
	if !p.asked {
		p.hello()
	}
	piece := p.piece()
	out := p.inFlight + p.pending
	room := p.share - out
	if first {
		room += max(p.share/4, piece)
	}
	n := min(most, piece)
	if room < n && out > 0 {
		p.full = true
		return 0
	}
	p.pending += n
	return n
}

// told takes what QUIC says after a packet was sent or acknowledged.
func (p *pacer) told(now time.Time, rtt time.Duration, inFlight int) {
	was := p.inFlight
	p.inFlight = inFlight
	if inFlight > was { // sent
		p.pending = max(0, p.pending-(inFlight-was))
		return
	}
	if rtt <= 0 || inFlight == was {
		return
	}
	if now.Sub(p.active) > idleAfter {
		p.begin(now)
		p.share = max(min(p.share, firstShare), p.share/2)
	}
	if p.active.IsZero() {
		p.first = rtt
	}
	p.active = now
	p.base.add(now, rtt)
	p.acked += was - inFlight
	if p.low == 0 || rtt < p.low {
		p.low = rtt
	}
	if p.starting && (p.full || p.wasFull) {
		if p.low-p.base.value() > p.aim() {
			p.judge(now)
			p.begin(now)
			return
		}
		p.share += was - inFlight
	}
	if now.Sub(p.begun) >= max(p.base.value(), shortRound) {
		p.judge(now)
		p.begin(now)
	}
}

func (p *pacer) begin(now time.Time) {
	p.wasFull, p.full = p.full, false
	p.begun, p.low, p.acked = now, 0, 0
}

// judge sets the share by what the round has shown.
func (p *pacer) judge(now time.Time) {
	if p.low == 0 {
		return
	}
	if p.acked >= firstShare && float64(p.acked) > thinMost*now.Sub(p.begun).Seconds() {
		p.wide, p.guess = true, 0
	}
	base := p.base.value()
	p.queue = max(0, p.low-base)
	if p.back > 0 {
		p.share, p.back = p.back, 0
		return
	}
	if !p.full && !p.wasFull {
		p.since = time.Time{}
		return
	}
	if p.since.IsZero() {
		p.since = now
	}
	p.measure(now.Sub(p.begun))
	factor := ratio(base+p.aim(), base+p.queue, 0.5, 1.5)
	switch {
	case !p.starting:
		p.share = int(float64(p.share) * (1 + factor) / 2)
	case factor < 1:
		p.starting = false
		p.share = int(float64(p.share) * factor)
	}
	p.share = max(p.share, leastShare, p.piece())
	if now.Sub(p.since) > dipAfter {
		p.since, p.back = now, p.share
		p.share = max(leastShare, int(float64(p.share)*ratio(base, base+2*p.queue, 0.5, 0.95)))
	}
}

// measure takes what a full line has carried.
func (p *pacer) measure(took time.Duration) {
	if !p.full || !p.wasFull || took < p.base.value()/2 || took <= 0 {
		return
	}
	rate := float64(p.acked) / took.Seconds()
	if p.rate == 0 {
		p.rate = cmp.Or(p.guess, rate)
	}
	p.rate += (rate - p.rate) / 4
}

func ratio(a, b time.Duration, least, most float64) float64 {
	return min(max(float64(a)/float64(b), least), most)
}

// moved forgets what is known: the packets travel another way now.
func (p *pacer) moved() {
	p.base, p.starting, p.rate, p.guess, p.wide, p.queue = lowest{}, true, 0, 0, false, 0
	p.share = min(p.share, firstShare)
}
