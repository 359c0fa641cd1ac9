package tunnel

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Options of Dial.
type Options struct {
	// Proxy says which HTTP proxy leads to the relay, nil for none; nil asks HTTPS_PROXY and NO_PROXY.
	Proxy func(*http.Request) (*url.URL, error)
}

// Conn is a client's end.
type Conn struct {
	ws    *websocket.Conn
	local net.Addr // of the TCP connection
	relay *net.UDPAddr
	in    *inbox
	out   *outbox

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Dial connects to the relay at addr, host:port. Packets to and from it bear the address relay, which need not be the one of
// the TCP connection: that may lead to a proxy.
func Dial(ctx context.Context, addr string, relay netip.AddrPort, opt Options) (*Conn, error) {
	proxy := opt.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	c := &Conn{relay: net.UDPAddrFromAddrPort(relay), in: newInbox(), out: &outbox{ready: make(chan struct{}, 1)}}
	dialer := &net.Dialer{Control: Control, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}
	way := &http.Transport{
		Proxy: proxy,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			tcp, err := dialer.DialContext(ctx, network, addr)
			if err == nil {
				c.local = tcp.LocalAddr()
			}
			return tcp, err
		},
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,     // a company's proxy may speak no newer one
			InsecureSkipVerify: true,                 // who is at the other end is proven by the connections inside
			NextProtos:         []string{"http/1.1"}, // a WebSocket needs it (RFC 6455)
		},
		DisableCompression: true,
	}
	ws, resp, err := websocket.Dial(ctx, "https://"+addr+Path, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: way}, Subprotocols: []string{Protocol}, CompressionMode: websocket.CompressionDisabled,
	})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	if ws.Subprotocol() != Protocol {
		_ = ws.CloseNow()
		return nil, fmt.Errorf("tunnel: %s does not take packets", addr)
	}
	c.ws = ws
	run, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.running.Go(func() {
		defer cancel()
		_ = c.in.read(run, ws, c.relay) // why it ended is for who waits in vain to find out
	})
	c.running.Go(func() {
		defer cancel()
		_ = c.out.write(run, ws)
	})
	c.running.Go(func() {
		<-run.Done()
		_ = ws.CloseNow()
		c.in.close()
	})
	return c, nil
}

// Done is closed when the connection is gone.
func (c *Conn) Done() <-chan struct{} { return c.in.closed }

// TCPAddr is the local address of the TCP connection.
func (c *Conn) TCPAddr() net.Addr { return c.local }

func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.in.next(b)
	if err != nil {
		return 0, nil, err
	}
	return n, from, nil
}

// WriteTo does not wait.
func (c *Conn) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-c.in.closed:
		return 0, net.ErrClosed
	default:
		c.out.put(b)
		return len(b), nil
	}
}

// Close ends the connection and returns when all that was started is gone.
func (c *Conn) Close() error {
	c.cancel()
	c.running.Wait()
	return nil
}

func (c *Conn) LocalAddr() net.Addr {
	if tcp, ok := c.local.(*net.TCPAddr); ok {
		return &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone}
	}
	return &net.UDPAddr{}
}
func (c *Conn) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c *Conn) SetReadDeadline(t time.Time) error { c.in.setDeadline(t); return nil }

// Writing does not wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
