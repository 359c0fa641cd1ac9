package transporttest

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/wire"
)

// Relay is a relay with a Broker that lives as long as a test.
type Relay struct {
	Server *relay.Server
	Broker *Broker
	Pin    transport.Pin
	stop   func()
}

// NewRelay starts one on loopback; what of conf is set is used.
func NewRelay(t testing.TB, conf relay.Config) *Relay {
	t.Helper()
	id := NewIdentity(t)
	r := &Relay{Broker: &Broker{}, Pin: id.Fingerprint.Pin()}
	if conf.Listen == "" {
		conf.Listen = "127.0.0.1:0"
	}
	if conf.Handler == nil {
		conf.Handler = r.Broker
	}
	conf.TLS = &tls.Config{Certificates: []tls.Certificate{id.Cert}}
	var err error
	if r.Server, err = relay.Listen(conf); err != nil {
		t.Fatal(err)
	}
	r.Broker.Use(r.Server)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Server.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("relay: %v", err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// Stop ends the relay and waits until it is gone; the end of the test does it, too.
func (r *Relay) Stop() { r.stop() }

// Addr is the relay as a client needs it.
func (r *Relay) Addr() transport.Relay {
	return transport.Relay{Addr: r.Server.Addr().String(), Pin: r.Pin}
}

// NewIdentity makes one.
func NewIdentity(t testing.TB) transport.Identity {
	t.Helper()
	id, err := transport.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Dial connects to a relay until the test ends.
func Dial(t testing.TB, r transport.Relay, id transport.Identity, opt transport.Options) *transport.Outer {
	t.Helper()
	o, err := transport.DialRelay(t.Context(), r, id, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// Host opens a session over o and returns its code and packet connection.
func Host(t testing.TB, o *transport.Outer) (string, *transport.Virtual) {
	t.Helper()
	reply := subscribe(t, o, &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{}}})
	return reply.GetOpened().GetCode(), open(t, o, reply.GetOpened().GetChannel())
}

// Console joins a session over o.
func Console(t testing.TB, o *transport.Outer, code string) *transport.Virtual {
	t.Helper()
	reply := subscribe(t, o, &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Code: code}}})
	return open(t, o, reply.GetJoined().GetChannel())
}

func subscribe(t testing.TB, o *transport.Outer, req *wire.Request) *wire.Reply {
	t.Helper()
	replies, err := o.Subscribe(context.WithoutCancel(t.Context()), req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(replies.Close)
	reply, err := replies.Next()
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func open(t testing.TB, o *transport.Outer, ch *wire.Channel) *transport.Virtual {
	t.Helper()
	v, err := o.Open(ch)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Pair is both ends of one link.
type Pair struct {
	HostLink, ConsoleLink *transport.Link
	Host, Console         *transport.Virtual
	Listener              *transport.Listener // the host's
}

// NewPair makes a link between two ends over two paths to the same relay, which may be the same.
func NewPair(t testing.TB, toHost, toConsole transport.Relay, opt transport.Options) *Pair {
	t.Helper()
	hostID, consoleID := NewIdentity(t), NewIdentity(t)
	code, host := Host(t, Dial(t, toHost, hostID, opt))
	console := Console(t, Dial(t, toConsole, consoleID, opt), code)
	return Join(t, host, hostID, console, consoleID)
}

// Join makes a link over two packet connections of one session.
func Join(t testing.TB, host *transport.Virtual, hostID transport.Identity, console *transport.Virtual, consoleID transport.Identity) *Pair {
	t.Helper()
	p := &Pair{Host: host, Console: console}
	ln, err := host.Listen(hostID)
	if err != nil {
		t.Fatal(err)
	}
	known := func(f transport.Fingerprint) error {
		if f != hostID.Fingerprint {
			return fmt.Errorf("host key %v, want %v", f, hostID.Fingerprint)
		}
		return nil
	}
	if p.ConsoleLink, err = console.Dial(t.Context(), 0, consoleID, known); err != nil {
		t.Fatal(err)
	}
	if p.HostLink, err = ln.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Listener = ln
	return p
}
