package host

import (
	"sync"
	"time"

	"assist/session/inner"
)

// stopWait is how long a stop waits for what it has ended to be gone: links that do not answer are not waited for.
const stopWait = 150 * time.Millisecond

// keysFirst is how long the links wait for the keys to go up.
const keysFirst = 50 * time.Millisecond

// Stop ends the session for all, at once: nothing more is played or sent, keys go up, links are closed. It waits for no
// network and can be called from anywhere, any number of times.
func (h *Host) Stop() {
	if h.stopped.Swap(true) {
		return
	}
	h.halt()
	close(h.stop)
}

// halt is the part of a stop that every end shares.
func (h *Host) halt() {
	h.studio.halt()
	if h.scribe != nil {
		h.scribe.over.Store(true)
	}
	h.player.halt()
	select {
	case <-h.player.released:
	case <-time.After(keysFirst):
	}
	if h.suspended() {
		h.links.close(inner.CloseRestart, h.pause.why)
		return
	}
	h.links.close(inner.CloseEnded, "the customer's host has ended the session")
}

// Stopped says whether the customer has stopped.
func (h *Host) Stopped() bool { return h.stopped.Load() }

// links is every open link, so that a stop reaches them without asking the session loop.
type links struct {
	mu     sync.Mutex
	open   map[link]struct{}
	closed bool
}

// add takes a link in; false when it came too late.
func (l *links) add(k link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if l.open == nil {
		l.open = make(map[link]struct{})
	}
	l.open[k] = struct{}{}
	return true
}

func (l *links) remove(k link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, k)
}

// close closes all, each beside the others, and does not wait for any.
func (l *links) close(code uint64, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for k := range l.open {
		go k.Close(code, reason) // ends when the link's own goroutines do; the process may be gone before
	}
	l.open = nil
}
