package host

import (
	"io"
	"sync"

	"assist/session/inner"
)

// feed is the stdin of a command between the stream and the command: at most inner.MaxRunStdin bytes, which the console
// keeps to because it only sends what was wanted.
type feed struct {
	mu     sync.Mutex
	more   sync.Cond
	queue  [][]byte
	bytes  int
	ended  bool // nothing comes after what is queued
	halted bool
}

func newFeed() *feed {
	f := &feed{}
	f.more.L = &f.mu
	return f
}

// put queues b; false when that is more than was wanted.
func (f *feed) put(b []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(b) == 0 {
		return true
	}
	f.bytes += len(b)
	if f.bytes > inner.MaxRunStdin || f.ended {
		return f.ended // what comes after the end is nobody's
	}
	f.queue = append(f.queue, b)
	f.more.Signal()
	return true
}

func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.more.Signal()
}

// stop ends run as soon as the command lets go of what it was given.
func (f *feed) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.halted = true
	f.more.Signal()
}

// next waits for what is to be written; nil: nothing comes any more.
func (f *feed) next() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) == 0 && !f.ended && !f.halted {
		f.more.Wait()
	}
	if f.halted || len(f.queue) == 0 {
		return nil
	}
	b := f.queue[0]
	f.queue = f.queue[1:]
	return b
}

// run writes to the command and asks for as much as it has taken. What a command does not want to read any more is dropped.
func (f *feed) run(to io.WriteCloser, wants func(int)) {
	for b := f.next(); b != nil; b = f.next() {
		_, _ = to.Write(b)
		f.mu.Lock()
		f.bytes -= len(b)
		f.mu.Unlock()
		wants(len(b))
	}
	_ = to.Close()
}
