package transport

import (
	"net"
	"os"
)

// watcher hears when the machine's addresses change.
type watcher struct {
	events chan struct{} // cap 1
	v      *Virtual
}

func (w *watcher) stop() {
	w.v.mu.Lock()
	defer w.v.mu.Unlock()
	delete(w.v.watchers, w)
}

// watch makes a watcher.
func (v *Virtual) watch() *watcher {
	w := &watcher{make(chan struct{}, 1), v}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.watchers[w] = struct{}{}
	return w
}

// Moved says that the machine may have other addresses now, or another way out: packets are bound anew at once, and direct
// paths looked for. On Linux the kernel says so by itself.
func (v *Virtual) Moved() {
	v.route.Load().notify(bindEvent{kind: bindMoved})
	v.mu.Lock()
	defer v.mu.Unlock()
	for w := range v.watchers {
		select {
		case w.events <- struct{}{}:
		default:
		}
	}
}

// listenForMoves begins to hear of them; nil where this system does not tell.
func (v *Virtual) listenForMoves() *os.File {
	f, err := watchAddresses(v.Moved)
	if err != nil {
		return nil
	}
	return f
}

// ownAddress says whether the machine still has the address of a.
func ownAddress(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	all, err := net.InterfaceAddrs()
	if !ok || err != nil {
		return true
	}
	for _, own := range all {
		if n, ok := own.(*net.IPNet); ok && n.IP.Equal(tcp.IP) {
			return true
		}
	}
	return false
}
