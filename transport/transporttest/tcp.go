package transporttest

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/tunnel"
)

// TCPRelay is a Relay that takes tunnels, at an address where UDP leads nowhere.
type TCPRelay struct {
	*Relay
	Hub  *tunnel.Hub
	addr string
}

// NewTCPRelay starts one on loopback; what of conf is set is used.
func NewTCPRelay(t testing.TB, conf relay.Config) *TCPRelay {
	t.Helper()
	r := &TCPRelay{Hub: tunnel.NewHub()}
	conf.Tunnels = r.Hub
	r.Relay = NewRelay(t, conf)
	hole, err := net.ListenPacket("udp", "127.0.0.1:0") // takes packets and reads none
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hole.Close() })
	r.addr = hole.LocalAddr().String()
	ln, err := net.Listen("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+tunnel.Path, r.Hub)
	web := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{NewIdentity(t).Cert}}}
	go web.ServeTLS(ln, "", "")
	t.Cleanup(func() {
		r.Stop()
		r.Hub.Close()
		web.Close()
	})
	return r
}

// Blocked is the relay as it is reached from a network without UDP.
func (r *TCPRelay) Blocked() transport.Relay { return transport.Relay{Addr: r.addr, Pin: r.Pin} }
