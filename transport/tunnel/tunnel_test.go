package tunnel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var relay = netip.MustParseAddrPort("[100::ffff]:443")

// newHub serves tunnels on loopback.
func newHub(t *testing.T) (h *Hub, addr string) {
	t.Helper()
	h = NewHub()
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, h)
	s := httptest.NewTLSServer(mux)
	t.Cleanup(func() {
		h.Close()
		s.Close()
	})
	return h, strings.TrimPrefix(s.URL, "https://")
}

func dial(t *testing.T, addr string, opt Options) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), addr, relay, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func read(t *testing.T, c net.PacketConn) (string, net.Addr) {
	t.Helper()
	b := make([]byte, maxPacket)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, from, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), from
}

func TestPacketsPass(t *testing.T) {
	h, addr := newHub(t)
	one, two := dial(t, addr, Options{}), dial(t, addr, Options{})
	for i, c := range []*Conn{one, two} {
		c.WriteTo(fmt.Appendf(nil, "up %d", i), nil)
		got, from := read(t, h)
		if got != fmt.Sprintf("up %d", i) || from.String() != c.TCPAddr().String() {
			t.Errorf("%q from %v, the tunnel is %v", got, from, c.TCPAddr())
		}
		h.WriteTo([]byte("down"), from)
		if got, from := read(t, c); got != "down" || from.String() != relay.String() {
			t.Errorf("%q from %v", got, from)
		}
	}
	many := make([]byte, 1200)
	for i := range 40 {
		many[0] = byte(i)
		one.WriteTo(many, nil)
	}
	for i := range 40 {
		if got, _ := read(t, h); len(got) != 1200 || got[0] != byte(i) {
			t.Fatalf("packet %d: %d bytes, %x", i, len(got), got[0])
		}
	}
	one.Close()
	if _, _, err := one.ReadFrom(many); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func TestDeadlineEndsReading(t *testing.T) {
	h, _ := newHub(t)
	h.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, _, err := h.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	h.SetReadDeadline(time.Time{})
	h.SetReadDeadline(time.Now())
	if _, _, err := h.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A reader that does not read costs the sender packets and no memory.
func TestOutboxIsBounded(t *testing.T) {
	o := &outbox{ready: make(chan struct{}, 1)}
	for range 1000 {
		o.put(make([]byte, 1200))
	}
	o.put(nil)
	o.put(make([]byte, maxPacket+1))
	if len(o.waiting) > queueBytes || len(o.waiting) < queueBytes-1300 {
		t.Errorf("%d bytes wait", len(o.waiting))
	}
	total := 0
	for b := o.take(nil); len(b) > 0; b = o.take(b) {
		if len(b) > maxMessage || len(b)%1202 != 0 {
			t.Fatalf("a message of %d bytes", len(b))
		}
		total += len(b)
	}
	if total != queueBytes/1202*1202 {
		t.Errorf("%d bytes taken", total)
	}
}

func TestGarbageEndsTheTunnel(t *testing.T) {
	h, addr := newHub(t)
	for name, b := range map[string][]byte{
		"half a length": {1}, "an empty packet": {0, 0}, "more than there is": {0, 9, 1}, "a packet too long": append([]byte{0xff, 0xff}, make([]byte, 1<<14)...),
	} {
		c := dial(t, addr, Options{})
		if err := c.ws.Write(t.Context(), websocket.MessageBinary, b); err != nil {
			t.Fatal(err)
		}
		select {
		case <-c.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the tunnel lives on", name)
		}
	}
	for h.Tunnels() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// The relay is found through an HTTP proxy, which sees its name and nothing else.
func TestThroughAProxy(t *testing.T) {
	h, addr := newHub(t)
	var asked atomic.Pointer[string]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Header.Get("Proxy-Authorization") != "Basic dTpw" {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		asked.Store(&r.Host)
		to, err := net.Dial("tcp", addr)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		from, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			defer to.Close()
			io.Copy(to, from)
		}()
		go func() {
			defer from.Close()
			io.Copy(from, to)
		}()
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(strings.Replace(proxy.URL, "http://", "http://u:p@", 1))
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "relay.example:443", Options{Proxy: http.ProxyURL(at)})
	c.WriteTo([]byte("hello"), nil)
	if got, _ := read(t, h); got != "hello" {
		t.Errorf("%q", got)
	}
	if host := asked.Load(); host == nil || *host != "relay.example:443" {
		t.Errorf("the proxy was asked for %v", host)
	}
	at.User = nil
	if _, err := Dial(t.Context(), "relay.example:443", relay, Options{Proxy: http.ProxyURL(at)}); err == nil {
		t.Error("passed a proxy that said no")
	}
}

func TestOtherServersAreNoRelay(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	if _, err := Dial(t.Context(), strings.TrimPrefix(s.URL, "https://"), relay, Options{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, "192.0.2.1:443", relay, Options{}); err == nil {
		t.Error("no error")
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte{0, 1, 7, 0, 2, 8, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole []byte
		if splitMessage(b, func(p []byte) bool {
			whole = append(append(whole, byte(len(p)>>8), byte(len(p))), p...)
			return true
		}) == nil && !bytes.Equal(whole, b) {
			t.Errorf("%x became %x", b, whole)
		}
	})
}
