package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func newPair(t *testing.T) *transporttest.Pair {
	t.Helper()
	r := transporttest.NewRelay(t, relay.Config{})
	return transporttest.NewPair(t, r.Addr(), r.Addr(), transport.Options{})
}

func TestBothEndsKnowEachOther(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
	code, host := transporttest.Host(t, transporttest.Dial(t, r.Addr(), hostID, transport.Options{}))
	console := transporttest.Console(t, transporttest.Dial(t, r.Addr(), consoleID, transport.Options{}), code)
	ln, err := host.Listen(hostID)
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("not this key")
	if _, err := console.Dial(t.Context(), 0, consoleID, func(transport.Fingerprint) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("refused key: %v", err)
	}
	up, err := console.Dial(t.Context(), 0, consoleID, func(f transport.Fingerprint) error {
		if f != hostID.Fingerprint {
			t.Errorf("asked about %v, the host is %v", f, hostID.Fingerprint)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	down, err := ln.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if down.PeerFingerprint() != consoleID.Fingerprint || down.Peer() != 1 || !down.PeerKey().Equal(consoleID.Key.Public()) {
		t.Errorf("the host sees peer %d, key %v", down.Peer(), down.PeerFingerprint())
	}
	if up.PeerFingerprint() != hostID.Fingerprint || up.Peer() != 0 || !up.PeerKey().Equal(hostID.Key.Public()) {
		t.Errorf("the console sees peer %d, key %v", up.Peer(), up.PeerFingerprint())
	}
	a, errA := up.Exporter("label", []byte("context"), 32)
	b, errB := down.Exporter("label", []byte("context"), 32)
	if errA != nil || errB != nil || !bytes.Equal(a, b) || len(a) != 32 {
		t.Errorf("exported %x and %x (%v, %v)", a, b, errA, errB)
	}
	if c, _ := up.Exporter("label", []byte("other"), 32); bytes.Equal(a, c) {
		t.Error("another context exports the same bytes")
	}
}

func TestClosingSaysWhy(t *testing.T) {
	p := newPair(t)
	if p.HostLink.Err() != nil {
		t.Errorf("while it lives: %v", p.HostLink.Err())
	}
	p.ConsoleLink.Close(42, "seen enough")
	<-p.HostLink.Done()
	for _, c := range []struct {
		link   *transport.Link
		remote bool
	}{{p.HostLink, true}, {p.ConsoleLink, false}} {
		var closed *transport.ClosedError
		if err := c.link.Err(); !errors.As(err, &closed) || *closed != (transport.ClosedError{Code: 42, Reason: "seen enough", Remote: c.remote}) {
			t.Errorf("got %v", err)
		}
	}
}

func TestClosingTheOuterConnectionTellsTheOtherEnd(t *testing.T) {
	p := newPair(t)
	p.Console.Close()
	<-p.HostLink.Done()
	var closed *transport.ClosedError
	if err := p.HostLink.Err(); !errors.As(err, &closed) || !closed.Remote {
		t.Errorf("got %v", err)
	}
	if _, err := p.Console.Dial(t.Context(), 0, transporttest.NewIdentity(t), nil); err == nil {
		t.Error("dialled over a closed connection")
	}
}

func TestUnknownKindsOfStreamsAreReset(t *testing.T) {
	p := newPair(t)
	odd, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamKind(0xee))
	if err != nil {
		t.Fatal(err)
	}
	swapped, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamPicture) // one-way only
	if err != nil {
		t.Fatal(err)
	}
	good, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamReport)
	if err != nil {
		t.Fatal(err)
	}
	kind, s, err := p.HostLink.AcceptStream(t.Context())
	if err != nil || kind != wire.StreamReport {
		t.Fatalf("accepted kind %d, %v", kind, err)
	}
	for _, refused := range []transport.Stream{odd, swapped} {
		var reset *transport.ResetError
		if _, err := refused.Read(make([]byte, 1)); !errors.As(err, &reset) || !reset.Remote {
			t.Errorf("got %v", err)
		}
	}
	if _, err := good.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	good.Close()
	if got, err := io.ReadAll(s); err != nil || string(got) != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStatsCountWhatTravelled(t *testing.T) {
	p := newPair(t)
	echo(t, p, 64<<10)
	s := p.ConsoleLink.Stats()
	if s.Path != "relay" || s.RTT <= 0 || s.MinRTT <= 0 || s.MinRTT > s.RTT*10 {
		t.Errorf("path %q, RTT %v, at least %v", s.Path, s.RTT, s.MinRTT)
	}
	if s.BytesIn < 64<<10 || s.BytesOut < 64<<10 || s.LastHeard.IsZero() || s.Loss != 0 {
		t.Errorf("%d bytes in, %d out, heard at %v, loss %v", s.BytesIn, s.BytesOut, s.LastHeard, s.Loss)
	}
}

// echo sends n bytes to the host and back.
func echo(t *testing.T, p *transporttest.Pair, n int) {
	t.Helper()
	s, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamControl)
	if err != nil {
		t.Fatal(err)
	}
	sent := bytes.Repeat([]byte("echo"), n/4)
	go func() {
		_, _ = s.Write(sent) // the reading below sees what is missing
		s.Close()
	}()
	_, back, err := p.HostLink.AcceptStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(back, back)
		back.Close()
	}()
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
}

// failing is a socket on which sends fail for a while.
type failing struct {
	net.PacketConn
	left chan struct{} // a token for each send that fails
}

func (f failing) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-f.left:
		return 0, &net.OpError{Op: "write", Net: "udp", Err: syscall.ENETUNREACH}
	default:
		return f.PacketConn.WriteTo(b, to)
	}
}

func TestFailedSendsDoNotEndALink(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := failing{c, make(chan struct{}, 10)}
	hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
	code, host := transporttest.Host(t, transporttest.Dial(t, r.Addr(), hostID, transport.Options{}))
	o := transporttest.Dial(t, r.Addr(), consoleID, transport.Options{Open: func() (net.PacketConn, error) { return f, nil }})
	console := transporttest.Console(t, o, code)
	p := transporttest.Join(t, host, hostID, console, consoleID)
	for range cap(f.left) {
		f.left <- struct{}{}
	}
	echo(t, p, 64<<10)
	if len(f.left) != 0 {
		t.Errorf("%d sends have not failed", len(f.left))
	}
	if _, err := o.Request(t.Context(), &wire.Request{Kind: &wire.Request_Logout{Logout: &wire.Logout{}}}); err != nil {
		t.Errorf("outer connection: %v", err)
	}
}
