package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"assist/session/broker"
	"assist/session/inner/badge"
	"assist/transport"
	"assist/transport/wire"
)

// runRelay runs a whole relay with one agent, eve@acme. stop ends it in order and wants no error.
func runRelay(t *testing.T) (at transport.Relay, stop func()) {
	t.Helper()
	dir := t.TempDir()
	f := &relayFlags{listen: "127.0.0.1:0", relayPlace: relayPlace{data: dir}}
	r, err := openRelay(t.Context(), f, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	admin := broker.Admin{Store: r.store, Dir: dir}
	if _, err := admin.AddOrg(t.Context(), "acme", "Acme Ltd"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.AddAgent(t.Context(), "eve@acme", "correct horse", false); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan readyEvent, 1), make(chan error, 1)
	go func() { done <- r.run(ctx, func(e readyEvent) error { ready <- e; return nil }) }()
	t.Cleanup(cancel)
	select {
	case e := <-ready:
		at = transport.Relay{Addr: e.Addr, Pin: transport.Pin(e.Fingerprint)}
	case err := <-done:
		t.Fatalf("relay: %v", err)
	}
	return at, func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("relay: %v", err)
			}
		case <-time.After(scriptPatience):
			t.Fatal("the relay does not stop")
		}
	}
}

func dial(t *testing.T, at transport.Relay) (*transport.Outer, transport.Identity) {
	t.Helper()
	id, err := transport.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	o, err := transport.DialRelay(t.Context(), at, id, transport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o, id
}

func subscribe(t *testing.T, o *transport.Outer, r *wire.Request) (*transport.Replies, *wire.Reply) {
	t.Helper()
	replies, err := o.Subscribe(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(replies.Close)
	first, err := replies.Next()
	if err != nil {
		t.Fatal(err)
	}
	return replies, first
}

// The parts of the relay fit: a host and a console that know nothing but a code meet through it, over real sockets.
func TestRelayBringsHostAndConsoleTogether(t *testing.T) {
	at, stop := runRelay(t)
	host, hostID := dial(t, at)
	console, consoleID := dial(t, at)

	hosting, opened := subscribe(t, host, &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{HostKey: hostID.Fingerprint[:]}}})
	in, err := console.Request(t.Context(), &wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: "eve@acme", Password: "correct horse"}}})
	if err != nil {
		t.Fatal(err)
	}
	joining, joined := subscribe(t, console, &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{
		Token: in.GetLoggedIn().Token, Code: opened.GetOpened().Code,
	}}})
	hosted, err := host.Open(opened.GetOpened().Channel)
	if err != nil {
		t.Fatal(err)
	}
	defer hosted.Close()
	listener, err := hosted.Listen(hostID)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	virtual, err := console.Open(joined.GetJoined().Channel)
	if err != nil {
		t.Fatal(err)
	}
	defer virtual.Close()
	link, err := virtual.Dial(t.Context(), 0, consoleID, func(f transport.Fingerprint) error {
		if f != transport.Fingerprint(joined.GetJoined().HostKey) {
			return errors.New("another host")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close(0, "")
	seen, err := listener.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claims, err := badge.Parse(opened.GetOpened().BadgeKey, joined.GetJoined().Badge, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	err = claims.Check([16]byte(opened.GetOpened().Session), hostID.Fingerprint, seen.PeerFingerprint())
	if err != nil || claims.Handle != "eve@acme" {
		t.Errorf("badge of %s: %v", claims.Handle, err)
	}

	if r, err := hosting.Next(); err != nil || r.GetIntroduced() == nil {
		t.Errorf("the host is told %v, %v", r, err)
	}
	stop()
	for _, r := range []*transport.Replies{hosting, joining} {
		_, err := r.Next()
		var p *transport.ProblemError
		if !errors.As(err, &p) || p.Code != wire.CodeDraining {
			t.Errorf("the last word is %v", err)
		}
	}
}
