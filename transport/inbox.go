package transport

import (
	"net"
	"os"
	"sync"
	"time"
)

// inboxLimit is how many bytes wait in an inbox before packets are dropped.
const inboxLimit = 2 << 20

// inbox holds packets between the goroutine that reads the socket and the one that reads the virtual connection. There are
// two buffers: one is filled while the other is emptied, so that a packet is copied once and nothing is allocated.
type inbox struct {
	wake chan struct{} // cap 1

	mu      sync.Mutex
	filling pile
	closed  bool
	expired bool
	timer   *time.Timer
	dropped uint64

	emptying pile // owned by the reader
	next     int  // of emptying
}

// pile is packets one behind the other.
type pile struct {
	b     []byte
	marks []mark
}

// mark says where a packet ends and which peer it comes from.
type mark struct {
	end  int
	from *net.UDPAddr
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// put takes the packets in b, seg bytes each with head bytes in front that are left out.
func (in *inbox) put(b []byte, seg, head int, from *net.UDPAddr) {
	in.mu.Lock()
	for len(b) > head && !in.closed {
		n := min(seg, len(b))
		if len(in.filling.b)+n > inboxLimit {
			in.dropped++
		} else if n > head {
			in.filling.b = append(in.filling.b, b[head:n]...)
			in.filling.marks = append(in.filling.marks, mark{len(in.filling.b), from})
		}
		b = b[n:]
	}
	in.mu.Unlock()
	in.signal()
}

func (in *inbox) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// wait returns when there is a packet to take, or with net.ErrClosed or os.ErrDeadlineExceeded.
func (in *inbox) wait() error {
	if in.next < len(in.emptying.marks) {
		return nil
	}
	for {
		in.mu.Lock()
		if len(in.filling.marks) > 0 {
			in.filling, in.emptying = pile{in.emptying.b[:0], in.emptying.marks[:0]}, in.filling
			in.next = 0
			in.mu.Unlock()
			return nil
		}
		closed, expired := in.closed, in.expired
		in.mu.Unlock()
		switch {
		case closed:
			return net.ErrClosed
		case expired:
			return os.ErrDeadlineExceeded
		}
		<-in.wake
	}
}

// left is how many packets can be taken without waiting for more.
func (in *inbox) left() int { return len(in.emptying.marks) - in.next }

// take copies the next packet into b. There must be one.
func (in *inbox) take(b []byte) (int, *net.UDPAddr) {
	start := 0
	if in.next > 0 {
		start = in.emptying.marks[in.next-1].end
	}
	m := in.emptying.marks[in.next]
	in.next++
	return copy(b, in.emptying.b[start:m.end]), m.from
}

// setDeadline makes waiting end at t; the zero time takes that back.
func (in *inbox) setDeadline(t time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.timer != nil {
		in.timer.Stop()
		in.timer = nil
	}
	in.expired = false
	if t.IsZero() {
		return
	}
	if d := time.Until(t); d > 0 {
		in.timer = time.AfterFunc(d, in.expire)
		return
	}
	in.expired = true
	in.signal()
}

func (in *inbox) expire() {
	in.mu.Lock()
	in.expired = in.timer != nil
	in.mu.Unlock()
	in.signal()
}

func (in *inbox) close() {
	in.mu.Lock()
	in.closed = true
	in.filling = pile{}
	if in.timer != nil {
		in.timer.Stop()
		in.timer = nil
	}
	in.mu.Unlock()
	in.signal()
}
