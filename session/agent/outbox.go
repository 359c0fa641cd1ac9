package agent

import (
	"sync"

	"assist/session/inner"
)

// outboxSize is how many commands wait for the host's answer; the next one is refused.
const outboxSize = 256

// lasting says what becomes of a command when the link breaks before it is answered.
type lasting bool

const (
	once  lasting = false // it is given up
	still lasting = true  // it is sent again on the next link, under the same id and nonce
)

type order struct {
	m     *inner.ToHost
	lasts lasting
}

// outbox keeps commands in order until the host has answered each. The order on the wire is that of add.
type outbox struct {
	ready chan struct{} // cap 1: something waits to be sent

	mu      sync.Mutex
	open    bool // the host has let us in
	pending []order
	sent    int // how many of pending were sent on this link
	id      uint64
}

// add numbers m and queues it; it reports false when too many wait.
func (o *outbox) add(m *inner.ToHost, lasts lasting) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) >= outboxSize {
		return false
	}
	o.id++
	m.Id = o.id
	o.pending = append(o.pending, order{m, lasts})
	wake(o.ready)
	return true
}

// take is the next message for this link, nil when there is none or the host has not let us in yet.
func (o *outbox) take() *inner.ToHost {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open || o.sent >= len(o.pending) {
		return nil
	}
	m := o.pending[o.sent].m
	o.sent++
	return m
}

// answered forgets the command id and returns it, nil if it is not known.
func (o *outbox) answered(id uint64) *inner.ToHost {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, p := range o.pending[:o.sent] {
		if p.m.Id == id {
			o.pending = append(o.pending[:i:i], o.pending[i+1:]...)
			o.sent--
			return p.m
		}
	}
	return nil
}

// unsaid is how many messages for the chat wait.
func (o *outbox) unsaid() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.pending {
		if p.m.GetSay() != nil {
			n++
		}
	}
	return n
}

// rewind prepares for another link: what does not last is gone, the rest will be sent again.
func (o *outbox) rewind() {
	o.mu.Lock()
	defer o.mu.Unlock()
	var keep []order
	for _, p := range o.pending {
		if p.lasts {
			keep = append(keep, p)
		}
	}
	o.pending, o.sent, o.open = keep, 0, false
}

// release lets the outbox be sent.
func (o *outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open = true
	wake(o.ready)
}
