package transport

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
)

// Class says how what is written to a stream waits for the line.
type Class uint8

// The classes of Pace. What is not paced goes before both.
const (
	Picture Class = iota // goes before files and takes a little more than its share
	Bulk                 // files, reports, the output of commands: takes what is left
	classes
)

// Pace makes a stream wait for its turn, so that the line never holds a queue in which keys and chat would wait: what is
// written to the returned stream goes out in pieces, as fast as the line carries them. Everything larger than a few
// kilobytes is written through it. Deadlines are set on the returned stream. A stream that is not of a Link, as tests have
// them, comes back as it is.
func Pace(s SendStream, c Class) SendStream {
	p, ok := s.(interface{ paced(Class) SendStream })
	if !ok {
		return s
	}
	return p.paced(c)
}

// PaceStream is Pace for a stream in both directions: what this end writes waits.
func PaceStream(s Stream, c Class) Stream { return halfPaced{Pace(s, c), s} }

type halfPaced struct {
	SendStream
	ReceiveStream
}

func (s sending) paced(c Class) SendStream {
	return &pacedStream{sending: s, class: c, poked: make(chan struct{}, 1), cut: make(chan struct{})}
}

// pace shares a link's line among the streams that can wait.
type pace struct {
	mu      sync.Mutex
	pacer   *pacer
	waiting [classes]int
	changed chan struct{} // closed when there may be room
}

func newPace() *pace { return &pace{pacer: newPacer(), changed: make(chan struct{})} }

// tell passes on what QUIC says.
func (p *pace) tell(now time.Time, rtt time.Duration, inFlight int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := inFlight < p.pacer.inFlight
	p.pacer.told(now, rtt, inFlight)
	if room && p.waiting[Picture]+p.waiting[Bulk] > 0 {
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// take gives out at most n bytes. A file gets nothing while a picture waits.
func (p *pace) take(n int, c Class) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c == Bulk && p.waiting[Picture] > 0 && p.pacer.inFlight > 0 {
		p.pacer.full = true
		return 0
	}
	p.pacer.gave = time.Now()
	return p.pacer.take(n, c == Picture)
}

// enter and leave count those who wait.
func (p *pace) enter(c Class) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[c]++
	return p.changed
}

func (p *pace) leave(c Class) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[c]--
}

func (p *pace) moved() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pacer.moved()
}

// pacedStream is a stream whose writes wait for their turn.
type pacedStream struct {
	sending
	class Class
	poked chan struct{} // cap 1: the deadline is another one
	cut   chan struct{} // closed by CancelWrite
	once  sync.Once

	mu       sync.Mutex
	deadline time.Time
}

// Write implements io.Writer. It returns when QUIC has taken all of b into packets.
func (s *pacedStream) Write(b []byte) (int, error) {
	written := 0
	for {
		free := s.pace.enter(s.class)
		n, err := s.s.WriteWithLimit(b[written:], func(most int) int { return s.pace.take(most, s.class) })
		written += n
		if !errors.Is(err, quic.ErrWriteLimitReached) {
			s.pace.leave(s.class)
			return written, plainStreamError(err)
		}
		if n == 0 {
			err = s.wait(free)
		} else {
			err = nil
		}
		s.pace.leave(s.class)
		if err != nil {
			return written, err
		}
	}
}

// roomWithin is how long a writer waits for a word of QUIC at most: what was given out for a packet that was never sent is
// noticed by nobody else.
const roomWithin = 250 * time.Millisecond

// wait waits until there may be room.
func (s *pacedStream) wait(free <-chan struct{}) error {
	again := time.NewTimer(roomWithin)
	defer again.Stop()
	for {
		s.mu.Lock()
		deadline := s.deadline
		s.mu.Unlock()
		var late <-chan time.Time
		if !deadline.IsZero() {
			t := time.NewTimer(time.Until(deadline))
			defer t.Stop()
			late = t.C
		}
		select {
		case <-free:
			return nil
		case <-s.cut: // QUIC says what that means
			return nil
		case <-s.ended:
			return nil
		case <-late:
			return os.ErrDeadlineExceeded
		case <-again.C:
			s.pace.forget()
			return nil
		case <-s.poked:
		}
	}
}

// forget takes back what was given out and never went on its way.
func (p *pace) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pacer.pending = 0
}

// SetWriteDeadline implements SendStream.
func (s *pacedStream) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	select {
	case s.poked <- struct{}{}:
	default:
	}
	return s.sending.SetWriteDeadline(t)
}

// CancelWrite implements SendStream.
func (s *pacedStream) CancelWrite(code uint64) {
	s.sending.CancelWrite(code)
	s.once.Do(func() { close(s.cut) })
}

// Line is what is known about how much a link carries.
type Line struct {
	Rate  float64       // bytes a second that it carried when it was full; 0: it never was
	Base  time.Duration // lowest RTT of the last half minute
	First time.Duration // RTT of the first packets, which are as long as packets are
	Thin  time.Duration // how much longer the first packets took than the quickest; 0: not much
	Queue time.Duration // RTT above the lowest, in the last round trip
	Full  bool          // paced streams were held back in the last round trip
	Busy  bool          // something paced was sent in the last second
	Lost  uint64        // packets, since the link began
	Sent  uint64        // packets
	Heard time.Time     // newest packet that the other end has signed; zero: none yet
}

// Line reads it.
func (l *Link) Line() Line {
	heard, lost := l.gauge.read()
	p := l.gauge.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	return Line{
		Rate: p.pacer.rate, Base: p.pacer.base.value(), First: p.pacer.first, Queue: p.pacer.queue, Thin: p.pacer.thin(),
		Full: p.pacer.full || p.pacer.wasFull, Busy: time.Since(p.pacer.gave) < time.Second,
		Lost: lost, Sent: l.conn.ConnectionStats().PacketsSent, Heard: heard,
	}
}
