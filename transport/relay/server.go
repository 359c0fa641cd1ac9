// Package relay is the server between consoles and hosts: on one UDP port it runs the outer QUIC connections, whose streams
// it hands to a Handler, and forwards the packets of the end-to-end connections beside them, which it cannot read.
//
// The goroutine that reads the socket owns the forwarding: it looks a packet's channel up, puts the receiver's header in
// place of the sender's, and sends whole batches on. It forwards only between a host and the consoles of one group, only
// from addresses that were bound under a channel's secret, and answers anyone else with less than it got, at a limited rate.
// When a receiver is slow its packets are dropped by the kernel on the way; nothing is queued here, and one slow receiver
// does not hold up others. Connections and their streams have fixed windows and numbers, handshakes and connections an
// address too. The relay keeps nothing over a restart but the keys in its Config, writes no file, and knows no session:
// who may join a group is the Handler's to decide.
package relay

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"

	"assist/transport/udp"
	"assist/transport/wire"
)

// Config of a Server. Listen, TLS and Handler are needed.
type Config struct {
	Listen  string      // host:port of the UDP socket; an empty host is every address, port 0 any
	TLS     *tls.Config // certificates; versions and the rest are set by the Server
	Handler Handler

	// ResetKey is of stateless resets (RFC 9000, 10.3): the same over restarts, so that lost connections end at once; zero
	// means a random one.
	ResetKey [32]byte
	TokenKey [32]byte // of address tokens (RFC 9000, 8.1.3): the same over restarts; zero means a random one

	Log        *slog.Logger          // nil discards
	Registerer prometheus.Registerer // nil keeps no metrics

	MaxConns      int            // outer connections at once; 0 means 20000
	MaxConnsPerIP int            // the same from one IPv4 address or IPv6 /64, loopback exempt; 0 means 64
	Plain         bool           // without GRO and GSO
	Conn          net.PacketConn // used in place of a UDP socket on Listen
	Tunnels       net.PacketConn // packets that come by other ways, each bearing the address of its client; nil: there are none
}

// Handler serves outer connections.
type Handler interface {
	// ServeOuter serves one connection and returns when it is done with it; then the connection is closed. It has to return
	// soon after ctx, which ends with the connection or the server.
	ServeOuter(ctx context.Context, c *Conn)
}

const goingDown = "the relay is going down"

// Server is the relay.
type Server struct {
	conf   Config
	log    *slog.Logger
	fwd    *forwarder
	main   *lane
	side   *lane   // of Config.Tunnels, or nil
	second *second // nil: there is none
	gate   *gate

	mu       sync.Mutex
	draining bool
	conns    map[*Conn]struct{}
	changed  chan struct{} // closed and renewed when conns shrinks
}

// Listen opens the socket. Nothing is read from it before Run.
func Listen(conf Config) (*Server, error) {
	if conf.Log == nil {
		conf.Log = slog.New(slog.DiscardHandler)
	}
	if conf.ResetKey == ([32]byte{}) {
		rand.Read(conf.ResetKey[:])
	}
	if conf.MaxConns == 0 {
		conf.MaxConns = 20000
	}
	if conf.MaxConnsPerIP == 0 {
		conf.MaxConnsPerIP = 64
	}
	s := &Server{conf: conf, log: conf.Log, conns: map[*Conn]struct{}{}, changed: make(chan struct{})}
	s.fwd = newForwarder()
	s.gate = newGate(conf.MaxConns, conf.MaxConnsPerIP)
	opt := udp.Options{Plain: conf.Plain, Dedicated: true, Batch: 32}
	s.main = s.fwd.newLane()
	if conf.Conn != nil {
		s.main.sock = udp.New(conf.Conn, s.main, opt)
	} else {
		sock, err := udp.Listen("udp", conf.Listen, s.main, opt)
		if err != nil {
			return nil, err
		}
		s.main.sock = sock
		if s.second, err = listenSecond(sock.LocalAddr(), s.fwd); err != nil {
			_ = sock.Close()
			return nil, err
		}
	}
	if conf.Tunnels != nil {
		s.side = s.fwd.newLane()
		s.side.sock = udp.New(conf.Tunnels, s.side, udp.Options{})
	}
	if conf.Registerer != nil {
		if err := s.register(conf.Registerer); err != nil {
			_ = s.main.sock.Close()
			if s.second != nil {
				_ = s.second.c.Close()
			}
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return s, nil
}

// Addr is the address of the socket.
func (s *Server) Addr() netip.AddrPort { return s.main.sock.LocalAddr() }

// Run serves until ctx ends; then it closes all connections with wire.CodeDraining and returns nil when all handlers have
// returned and the sockets are closed. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, 2)
	var lanes sync.WaitGroup
	for i, l := range []*lane{s.main, s.side} {
		if l != nil {
			lanes.Go(func() {
				defer cancel()
				errs[i] = s.listen(ctx, l)
			})
		}
	}
	if s.second != nil {
		lanes.Go(func() { s.second.run(ctx) })
	}
	lanes.Wait()
	return errors.Join(errs...)
}

// listen serves the connections of one lane.
func (s *Server) listen(ctx context.Context, l *lane) error {
	tr := &quic.Transport{
		Conn:                l.sock.PacketConn(),
		StatelessResetKey:   (*quic.StatelessResetKey)(&s.conf.ResetKey),
		VerifySourceAddress: s.gate.verify,
		ConnContext:         s.gate.admit,
	}
	if s.conf.TokenKey != ([32]byte{}) {
		tr.TokenGeneratorKey = (*quic.TokenGeneratorKey)(&s.conf.TokenKey)
	}
	defer tr.Close()
	defer l.sock.Close() // first, for it ends the transport's reading at once
	ln, err := tr.Listen(serverTLS(s.conf.TLS), serverConfig())
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	var serving sync.WaitGroup
	for {
		qc, err := ln.Accept(ctx)
		if err != nil {
			s.closeAll()
			serving.Wait()
			if ctx.Err() == nil && !errors.Is(err, quic.ErrServerClosed) {
				return fmt.Errorf("serve: %w", err)
			}
			return nil
		}
		serving.Go(func() { s.serve(ctx, qc, l) })
	}
}

// serve lets the Handler serve one connection.
func (s *Server) serve(ctx context.Context, qc *quic.Conn, l *lane) {
	c, err := newConn(qc)
	if err != nil {
		_ = qc.CloseWithError(wire.CodeBadRequest, err.Error())
		return
	}
	leave, ok := s.gate.enter(qc, c.remote)
	if !ok {
		c.Close(wire.CodeFull, "too many connections")
		return
	}
	defer leave()
	if !s.add(c) {
		c.Close(wire.CodeDraining, goingDown)
		return
	}
	defer s.remove(c)
	forget := s.fwd.vouch(spot{l, c.remote})
	defer forget()
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(qc.Context(), cancel)
	defer stop()
	s.conf.Handler.ServeOuter(serving, c)
	if ctx.Err() != nil {
		c.Close(wire.CodeDraining, goingDown)
	}
	c.Close(0, "")
}

func (s *Server) add(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	close(s.changed)
	s.changed = make(chan struct{})
}

// closeAll refuses new connections and closes those that are there.
func (s *Server) closeAll() {
	s.mu.Lock()
	s.draining = true
	var conns []*Conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.Close(wire.CodeDraining, goingDown)
	}
}

// Drain refuses new connections and waits until those that are there have ended; forwarding goes on. When ctx ends first, it
// returns its error and the connections stay: ending Run's context closes them.
func (s *Server) Drain(ctx context.Context) error {
	for {
		s.mu.Lock()
		s.draining = true
		n, changed := len(s.conns), s.changed
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("drain: %d connections left: %w", n, context.Cause(ctx))
		}
	}
}

// Conns is how many outer connections are being served.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}
