package transport_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDialKnowsTheRelayByItsKey(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	id := transporttest.NewIdentity(t)
	other := transporttest.NewIdentity(t).Fingerprint.Pin()

	var wrong *transport.RelayKeyError
	_, err := transport.DialRelay(t.Context(), transport.Relay{Addr: r.Addr().Addr, Pin: other}, id, transport.Options{})
	if !errors.As(err, &wrong) || wrong.Want != other || wrong.Got != r.Pin {
		t.Errorf("another pin: %v", err)
	}
	_, err = transport.DialRelay(t.Context(), transport.Relay{Addr: r.Addr().Addr}, id, transport.Options{})
	if !errors.As(err, &wrong) || wrong.Want != "" || wrong.Got != r.Pin || wrong.Err == nil {
		t.Errorf("self-signed and no pin: %v", err)
	}
}

func TestDialSaysWhenNobodyAnswers(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for _, addr := range []string{silent.LocalAddr().String(), "no port", "127.0.0.1:nothing"} {
		_, err := transport.DialRelay(ctx, transport.Relay{Addr: addr, Pin: "1.x"}, transporttest.NewIdentity(t), transport.Options{})
		var unreachable *transport.RelayUnreachableError
		if !errors.As(err, &unreachable) || unreachable.Addr != addr {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestDialSaysWhichSideIsOld(t *testing.T) {
	for _, c := range []struct {
		speaks uint32
		code   uint32
	}{{wire.MaxVersion + 1, wire.CodeTooOld}, {wire.MinVersion - 1, wire.CodeTooNew}} {
		b := &transporttest.Broker{Versions: &[2]uint32{c.speaks, c.speaks}}
		r := transporttest.NewRelay(t, relay.Config{Handler: b})
		wantProblem(t, r.Addr(), c.code)
	}
}

func wantProblem(t *testing.T, r transport.Relay, code uint32) {
	t.Helper()
	o, err := transport.DialRelay(t.Context(), r, transporttest.NewIdentity(t), transport.Options{})
	if err == nil {
		o.Close()
	}
	var p *transport.ProblemError
	if !errors.As(err, &p) || p.Code != code || p.Text == "" {
		t.Errorf("got %v, want problem %d", err, code)
	}
}

func TestDialIsToldThatTheRelayIsGoingDown(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	o := transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := r.Server.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain with a connection open: %v", err)
	}
	wantProblem(t, r.Addr(), wire.CodeDraining)
	o.Close()
	if err := r.Server.Drain(t.Context()); err != nil {
		t.Errorf("drain when all are gone: %v", err)
	}
}

func TestOuterConnectionEndsWithTheRelay(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	o := transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	if err := o.Err(); err != nil {
		t.Errorf("while it lives: %v", err)
	}
	r.Stop()
	<-o.Done()
	var closed *transport.ClosedError
	if err := o.Err(); !errors.As(err, &closed) || !closed.Remote || closed.Code != wire.CodeDraining {
		t.Errorf("got %v", err)
	}
}

func TestRequests(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	o := transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	reply, err := o.Request(t.Context(), &wire.Request{Kind: &wire.Request_Logout{Logout: &wire.Logout{}}})
	if err != nil || reply.GetDone() == nil {
		t.Errorf("got %v, %v", reply, err)
	}
	_, err = o.Request(t.Context(), &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Code: "00000000"}}})
	var p *transport.ProblemError
	if !errors.As(err, &p) || p.Code != wire.CodeUnknownCode {
		t.Errorf("unknown code: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	replies, err := o.Subscribe(ctx, &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer replies.Close()
	if _, err := replies.Next(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := replies.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	if d := o.ServerOffset(); d < -time.Second || d > time.Second {
		t.Errorf("the same clock is off by %v", d)
	}
	if o.Observed().Addr().String() != "127.0.0.1" {
		t.Errorf("observed as %v", o.Observed())
	}
}

func TestPins(t *testing.T) {
	id := transporttest.NewIdentity(t)
	pin := id.Fingerprint.Pin()
	got, err := transport.ParsePin(" " + strings.ToUpper(string(pin)) + "\n")
	if err != nil || got != pin || !got.Match(id.Fingerprint) {
		t.Errorf("%s is read as %s, %v", pin, got, err)
	}
	if got.Match(transporttest.NewIdentity(t).Fingerprint) || transport.Pin("").Match(id.Fingerprint) {
		t.Error("a pin matches another key")
	}
	again, err := transport.IdentityFromKey(id.Key)
	if err != nil || again.Fingerprint != id.Fingerprint {
		t.Errorf("the same key has another fingerprint: %v", err)
	}
	for _, s := range []string{"", "1.", string(pin)[1:], "2" + string(pin)[1:], string(pin) + "a", strings.Replace(string(pin), ".", ".0", 1)[:len(pin)]} {
		if _, err := transport.ParsePin(s); !errors.Is(err, transport.ErrPin) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
