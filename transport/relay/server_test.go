package relay_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

// handler is a function as a Handler.
type handler func(ctx context.Context, c *relay.Conn)

func (h handler) ServeOuter(ctx context.Context, c *relay.Conn) { h(ctx, c) }

func TestHandlerSeesWhoConnects(t *testing.T) {
	type visit struct {
		key    [32]byte
		ok     bool
		remote netip.AddrPort
	}
	seen := make(chan visit, 1)
	stand := &transporttest.Broker{}
	r := transporttest.NewRelay(t, relay.Config{Handler: handler(func(ctx context.Context, c *relay.Conn) {
		key, ok := c.Key()
		seen <- visit{key, ok, c.Remote()}
		stand.ServeOuter(ctx, c)
	})})
	id := transporttest.NewIdentity(t)
	o := transporttest.Dial(t, r.Addr(), id, transport.Options{})
	v := <-seen
	if !v.ok || transport.Fingerprint(v.key) != id.Fingerprint {
		t.Errorf("key %v %x, the console's is %x", v.ok, v.key, id.Fingerprint)
	}
	if v.remote != o.Observed() || !v.remote.Addr().IsLoopback() {
		t.Errorf("comes from %v, is told %v", v.remote, o.Observed())
	}
}

func TestClosingAStreamGivesUpBothDirections(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{Handler: handler(func(ctx context.Context, c *relay.Conn) {
		for {
			s, err := c.Accept(ctx)
			if err != nil {
				return
			}
			var h wire.Hello
			_ = wire.ReadMsg(s, wire.LimitPreAuth, &h)
			_ = wire.WriteMsg(s, &wire.HelloReply{Version: 1})
			s.Close()
		}
	})})
	o := transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	for range 40 { // more than the streams that may be open at once
		replies, err := o.Subscribe(t.Context(), &wire.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = replies.Next()
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		replies.Close()
	}
}

func TestConnectionsOverTheLimitAreRefused(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{MaxConns: 2})
	for range 2 {
		transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	}
	o, err := transport.DialRelay(t.Context(), r.Addr(), transporttest.NewIdentity(t), transport.Options{})
	if err == nil {
		o.Close()
	}
	var p *transport.ProblemError
	if !errors.As(err, &p) || p.Code != wire.CodeFull {
		t.Errorf("got %v", err)
	}
}

func TestManyHandshakesAtOnceAllSucceed(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	const n = 80 // above what is let in without a Retry
	done := make(chan error, n)
	id := transporttest.NewIdentity(t)
	for range n {
		go func() {
			o, err := transport.DialRelay(t.Context(), r.Addr(), id, transport.Options{})
			if err == nil {
				o.Close()
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
