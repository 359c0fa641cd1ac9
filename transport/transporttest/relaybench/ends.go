//go:build lab && linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/udp"
	"assist/transport/wire"
)

// gauge is what a child has counted.
type gauge struct {
	bytes atomic.Uint64
	mu    sync.Mutex
	trips []time.Duration

	pid  int    // of another program whose CPU counts, or 0
	stop func() // it, or nil
}

func child() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g := &gauge{}
	var ready message
	var err error
	switch *role {
	case "relay":
		ready, err = runRelay(ctx)
	case batched:
		ready.Addr, err = runBatched(*peer, *plain)
	case naive:
		ready.Addr, err = runNaive(*peer)
	case coturn:
		ready.Addr, err = runCoturn(ctx, g)
	case "host":
		ready.Addr, err = runHost(ctx, g)
	case "console":
		err = runConsole(ctx, g)
	case "direct host":
		ready.Addr, err = runDirectHost(ctx, g)
	case "direct console":
		err = runDirectConsole(ctx, g)
	case "turn console":
		err = runTurnConsole(ctx, g)
	default:
		err = fmt.Errorf("no role %q", *role)
	}
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(ready)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		_ = out.Encode(g.read())
	}
	if g.stop != nil {
		g.stop()
	}
	return nil
}

func (g *gauge) read() message {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	g.mu.Lock()
	defer g.mu.Unlock()
	m := message{CPU: float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, Bytes: g.bytes.Load(), Trips: g.trips}
	g.trips = nil
	if g.pid != 0 {
		m.CPU = cpuOf(g.pid)
	}
	return m
}

func runRelay(ctx context.Context) (message, error) {
	id, err := transport.NewIdentity()
	if err != nil {
		return message{}, err
	}
	b := &transporttest.Broker{}
	s, err := relay.Listen(relay.Config{
		Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{id.Cert}}, Handler: b, Plain: *plain,
	})
	if err != nil {
		return message{}, err
	}
	b.Use(s)
	go s.Run(ctx)
	return message{Addr: s.Addr().String(), Pin: string(id.Fingerprint.Pin())}, nil
}

// join opens the own end of a session through the relay.
func join(ctx context.Context, addr string, req *wire.Request) (*wire.Reply, *transport.Virtual, transport.Identity, error) {
	id, err := transport.NewIdentity()
	if err != nil {
		return nil, nil, id, err
	}
	o, err := transport.DialRelay(ctx, transport.Relay{Addr: addr, Pin: transport.Pin(*pin)}, id, transport.Options{Plain: *plain})
	if err != nil {
		return nil, nil, id, err
	}
	replies, err := o.Subscribe(ctx, req)
	if err != nil {
		return nil, nil, id, err
	}
	reply, err := replies.Next()
	if err != nil {
		return nil, nil, id, err
	}
	ch := reply.GetOpened().GetChannel()
	if ch == nil {
		ch = reply.GetJoined().GetChannel()
	}
	v, err := o.Open(ch)
	return reply, v, id, err
}

func runHost(ctx context.Context, g *gauge) (string, error) {
	reply, v, id, err := join(ctx, *peer, &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{}}})
	if err != nil {
		return "", err
	}
	ln, err := v.Listen(id)
	if err != nil {
		return "", err
	}
	go func() {
		link, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		go func() {
			if _, s, err := link.AcceptStream(ctx); err == nil {
				_, _ = io.Copy(s, s)
			}
		}()
		if _, s, err := link.AcceptUni(ctx); err == nil {
			g.count(s)
		}
	}()
	return reply.GetOpened().GetCode(), nil
}

func runConsole(ctx context.Context, g *gauge) error {
	addr, code := split(*peer)
	_, v, id, err := join(ctx, addr, &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Code: code}}})
	if err != nil {
		return err
	}
	link, err := v.Dial(ctx, 0, id, func(transport.Fingerprint) error { return nil })
	if err != nil {
		return err
	}
	message, err := link.OpenStream(ctx, wire.StreamControl)
	if err != nil {
		return err
	}
	message.SetUrgency(0)
	bulk, err := link.OpenUni(ctx, wire.StreamPicture)
	if err != nil {
		return err
	}
	go g.time(message)
	go send(bulk)
	return nil
}

// ignore takes what is not QUIC: there is nothing.
type ignore struct{}

func (ignore) Receive(udp.Datagram) {}
func (ignore) Flush()               {}

// direct is the socket and the connection's parameters of the ends without a relay: as package transport has them.
func direct() (*quic.Transport, *tls.Config, *quic.Config, error) {
	id, err := transport.NewIdentity()
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := udp.Listen("udp4", "127.0.0.1:0", ignore{}, udp.Options{Plain: *plain})
	if err != nil {
		return nil, nil, nil, err
	}
	return &quic.Transport{Conn: s.PacketConn()},
		&tls.Config{Certificates: []tls.Certificate{id.Cert}, NextProtos: []string{wire.InnerALPN}, InsecureSkipVerify: true},
		&quic.Config{InitialPacketSize: 1200, DisablePathMTUDiscovery: true, KeepAlivePeriod: time.Second, EnableDatagrams: true}, nil
}

func runDirectHost(ctx context.Context, g *gauge) (string, error) {
	tr, tlsConf, conf, err := direct()
	if err != nil {
		return "", err
	}
	ln, err := tr.Listen(tlsConf, conf)
	if err != nil {
		return "", err
	}
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		go func() {
			if s, err := conn.AcceptStream(ctx); err == nil {
				_, _ = io.Copy(s, s)
			}
		}()
		if s, err := conn.AcceptUniStream(ctx); err == nil {
			g.count(s)
		}
	}()
	return tr.Conn.LocalAddr().String(), nil
}

func runDirectConsole(ctx context.Context, g *gauge) error {
	tr, tlsConf, conf, err := direct()
	if err != nil {
		return err
	}
	at, err := netip.ParseAddrPort(*peer)
	if err != nil {
		return err
	}
	return g.drive(ctx, tr, net.UDPAddrFromAddrPort(at), tlsConf, conf)
}

// drive connects to the host and sends what is measured.
func (g *gauge) drive(ctx context.Context, tr *quic.Transport, at net.Addr, tlsConf *tls.Config, conf *quic.Config) error {
	conn, err := tr.Dial(ctx, at, tlsConf, conf)
	if err != nil {
		return err
	}
	message, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	message.SetPriority(0, true)
	bulk, err := conn.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	go g.time(message)
	go send(bulk)
	return nil
}

// count reads everything.
func (g *gauge) count(r io.Reader) {
	b := make([]byte, 256<<10)
	for {
		n, err := r.Read(b)
		g.bytes.Add(uint64(n))
		if err != nil {
			return
		}
	}
}

// send writes as much as the pace allows.
func send(w io.Writer) {
	b := make([]byte, 64<<10)
	start, sent := time.Now(), 0.0
	for {
		if *pace > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(sent / (*pace * 1e6) * 1e9))))
		}
		if _, err := w.Write(b); err != nil {
			return
		}
		sent += float64(len(b))
	}
}

// time takes the round trips of 256 bytes, every 5 ms.
func (g *gauge) time(s io.ReadWriter) {
	b := make([]byte, 256)
	for {
		t0 := time.Now()
		if _, err := s.Write(b); err != nil {
			return
		}
		if _, err := io.ReadFull(s, b); err != nil {
			return
		}
		d := time.Since(t0)
		g.mu.Lock()
		g.trips = append(g.trips, d)
		g.mu.Unlock()
		time.Sleep(5*time.Millisecond - d)
	}
}
