package transfer

import (
	"errors"
	"sync"
	"time"
)

// How much of a file is on its way. What is acknowledged later than the quickest answer by slack has waited in a queue, behind
// which everything else on the path waits, too: then less is sent (after LEDBAT, RFC 6817).
const (
	firstWindow = 256 << 10 // bytes
	leastWindow = 32 << 10
	mostWindow  = 8 << 20
	slack       = 60 * time.Millisecond
	remember    = 30 * time.Second // the quickest answer, at least; up to twice as long
)

var errStopped = errors.New("stopped")

// flow bounds what is on its way. wait is called by the sender, got and stop by who hears the receiver.
type flow struct {
	mu     sync.Mutex
	more   sync.Cond
	sent   uint64 // bytes of the file
	acked  uint64
	window uint64
	marks  []mark // what was sent and not acknowledged, oldest first
	base   [2]time.Duration
	since  time.Time // base[0] began
	shrunk time.Time
	quick  bool // the window has never been too large: it grows faster
	over   bool
}

type mark struct {
	end uint64
	at  time.Time
}

func newFlow(from uint64) *flow {
	f := &flow{sent: from, acked: from, window: firstWindow, quick: true}
	f.more.L = &f.mu
	return f
}

// wait waits until the bytes before end may be on their way.
func (f *flow) wait(end uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.over && end > f.acked+f.window {
		f.more.Wait()
	}
	if f.over {
		return errStopped
	}
	f.sent = end
	f.marks = append(f.marks, mark{end, time.Now()})
	return nil
}

// got takes an acknowledgement; false when it cannot be one.
func (f *flow) got(bytes uint64, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bytes > f.sent || bytes < f.acked {
		return false
	}
	var took time.Duration
	n := 0
	for n < len(f.marks) && f.marks[n].end <= bytes {
		took = now.Sub(f.marks[n].at)
		n++
	}
	f.marks, f.acked = f.marks[n:], bytes
	if n > 0 {
		f.adapt(took, now)
	}
	f.more.Broadcast()
	return true
}

// adapt needs mu.
func (f *flow) adapt(took time.Duration, now time.Time) {
	switch {
	case f.since.IsZero():
		f.base = [2]time.Duration{took, took}
		f.since = now
	case now.Sub(f.since) > remember:
		f.base = [2]time.Duration{took, f.base[0]}
		f.since = now
	}
	f.base[0] = min(f.base[0], took)
	base := min(f.base[0], f.base[1])
	if took-base <= slack {
		grow := uint64(firstWindow / 16)
		if f.quick {
			grow = firstWindow / 4
		}
		f.window = min(f.window+grow, mostWindow)
		return
	}
	f.quick = false
	if now.Sub(f.shrunk) > took { // once for what was on its way then
		f.window = max(f.window*3/4, leastWindow)
		f.shrunk = now
	}
}

// stop ends waiting for good.
func (f *flow) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	f.more.Broadcast()
}
