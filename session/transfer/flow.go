package transfer

import (
	"errors"
	"sync"
)

// window is how many bytes of a file are on their way, or at the other end and not acknowledged: more than any line holds. How fast they go is for
// the pacer of the stream to say.
const window = 8 << 20

var errStopped = errors.New("stopped")

// flow bounds what is on its way. wait is called by the sender, got and stop by who hears the receiver.
type flow struct {
	mu    sync.Mutex
	more  sync.Cond
	sent  uint64 // bytes of the file
	acked uint64
	over  bool
}

func newFlow(from uint64) *flow {
	f := &flow{sent: from, acked: from}
	f.more.L = &f.mu
	return f
}

// wait waits until the bytes before end may be on their way.
func (f *flow) wait(end uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.over && end > f.acked+window {
		f.more.Wait()
	}
	if f.over {
		return errStopped
	}
	f.sent = end
	return nil
}

// got takes an acknowledgement; false when it cannot be one.
func (f *flow) got(bytes uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bytes > f.sent || bytes < f.acked {
		return false
	}
	f.acked = bytes
	f.more.Broadcast()
	return true
}

// stop ends waiting for good, and says up to where the file was sent.
func (f *flow) stop() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	f.more.Broadcast()
	return f.sent
}
