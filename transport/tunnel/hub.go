package tunnel

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Hub is the relay's end of all tunnels. Each bears the address of its TCP connection.
type Hub struct {
	in *inbox

	mu    sync.RWMutex
	conns map[netip.AddrPort]*conn
	over  bool
	open  sync.WaitGroup
}

// conn is one of them.
type conn struct {
	out    *outbox
	ctx    context.Context
	cancel context.CancelFunc
}

// NewHub makes one. It is an http.Handler for Path.
func NewHub() *Hub {
	return &Hub{in: newInbox(), conns: map[netip.AddrPort]*conn{}}
}

// ServeHTTP takes one tunnel and returns when it is gone.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, "no address", http.StatusBadRequest)
		return
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	c := &conn{out: &outbox{ready: make(chan struct{}, 1)}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	defer c.cancel()
	if !h.add(from, c) {
		http.Error(w, "going down", http.StatusServiceUnavailable)
		return
	}
	defer h.remove(from)
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{Protocol}, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // it has answered
	}
	defer ws.CloseNow()
	if ws.Subprotocol() != Protocol {
		return
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	defer c.cancel()
	writing.Go(func() {
		defer c.cancel()
		_ = c.out.write(c.ctx, ws)
	})
	_ = h.in.read(c.ctx, ws, net.UDPAddrFromAddrPort(from)) // gone, or not worth talking to
}

func (h *Hub) add(from netip.AddrPort, c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || h.conns[from] != nil {
		return false
	}
	h.conns[from] = c
	h.open.Add(1)
	return true
}

func (h *Hub) remove(from netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, from)
	h.open.Done()
}

// Tunnels counts them.
func (h *Hub) Tunnels() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.conns)
}

func (h *Hub) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := h.in.next(b)
	if err != nil {
		return 0, nil, err
	}
	return n, from, nil
}

// WriteTo does not wait. A packet to a tunnel that is gone is lost.
func (h *Hub) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError("not a tunnel")
	}
	at := u.AddrPort()
	h.mu.RLock()
	c := h.conns[netip.AddrPortFrom(at.Addr().Unmap(), at.Port())]
	h.mu.RUnlock()
	if c != nil {
		c.out.put(b)
	}
	return len(b), nil
}

// Cut ends all tunnels that there are; their clients may come again.
func (h *Hub) Cut() {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, c := range h.conns {
		c.cancel()
	}
}

// Close ends all tunnels and returns when they are gone.
func (h *Hub) Close() error {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.in.close()
	h.Cut()
	h.open.Wait()
	return nil
}

func (h *Hub) LocalAddr() net.Addr               { return &net.UDPAddr{IP: net.IPv6zero} }
func (h *Hub) SetDeadline(t time.Time) error     { return h.SetReadDeadline(t) }
func (h *Hub) SetReadDeadline(t time.Time) error { h.in.setDeadline(t); return nil }

// Writing does not wait.
func (h *Hub) SetWriteDeadline(time.Time) error { return nil }
