package sessiontest

import (
	"crypto/ed25519"
	"errors"
	"io"
	"testing"
	"time"

	"assist/session/agent"
	"assist/session/console"
	"assist/session/inner"
	"assist/session/inner/badge"
	"assist/transport"
	"assist/transport/wire"
)

// A man in the middle, as a false relay can put one there: the agent's console meets his host under the code that it was
// given, he meets the real host with an account of his own, and he passes on every message of the handshake.
func TestWordsBetrayTheManInTheMiddle(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		real := r.NewHost(nil)
		code, met := r.middle(t, r.NewAgent("eve@bolt"), real)

		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), code)))
		q := real.Customer.Asked("")
		st := c.Wait("the words", func(st console.State) bool { return len(st.Words) == 3 })
		if len(q.Words) != 3 || sameWords(st.Words, q.Words) {
			t.Errorf("console shows %v, the customer %v", st.Words, q.Words)
		}
		if st.Trusted {
			t.Error("trusted without a comparison")
		}
		if err := <-met; err != nil {
			t.Errorf("the man in the middle: %v", err)
		}

		// With the address of the real host he does not even get the handshake.
		cfg := r.Config(r.NewAgent("tim@acme"), code)
		cfg.HostPin = real.Pin()
		var wrong *agent.HostKeyError
		if err := Run(t, agent.Join(cfg)).Result(); !errors.As(err, &wrong) {
			t.Errorf("with the host's key known: %v", err)
		}
	})
}

// middle is a host that passes what one console says on to the victim, under a badge of its own.
func (r *Relay) middle(t *testing.T, eve Agent, victim *Host) (code string, met <-chan error) {
	t.Helper()
	own, err := transport.NewIdentity()
	must(t, err)
	o := r.Dial(own)
	t.Cleanup(o.Close)
	replies, err := o.Subscribe(t.Context(), &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{HostKey: own.Fingerprint[:]}}})
	must(t, err)
	reply, err := replies.Next()
	must(t, err)
	v, err := o.Open(reply.GetOpened().GetChannel())
	must(t, err)
	listener, err := v.Listen(own)
	must(t, err)
	up, badge := r.call(t, eve, victim)
	done := make(chan error, 1)
	go func() { done <- between(t, listener, up, badge) }()
	return reply.GetOpened().GetCode(), done
}

// between passes hello, answer and reveal on.
func between(t *testing.T, listener *transport.Listener, up *transport.Link, badge string) error {
	ctx := t.Context()
	down, err := listener.Accept(ctx)
	if err != nil {
		return err
	}
	_, console, err := down.AcceptStream(ctx)
	if err != nil {
		return err
	}
	host, err := up.OpenStream(ctx, wire.StreamControl)
	if err != nil {
		return err
	}
	for range 2 {
		var m inner.ToHost
		if err := wire.ReadMsg(console, wire.LimitPreAuth, &m); err != nil {
			return err
		}
		if hello := m.GetHello(); hello != nil {
			hello.Badge = badge
		}
		if err := wire.WriteMsg(host, &m); err != nil {
			return err
		}
		if m.GetHello() == nil {
			break
		}
		var answer inner.ToConsole
		if err := wire.ReadMsg(host, wire.LimitPreAuth, &answer); err != nil {
			return err
		}
		if err := wire.WriteMsg(console, &answer); err != nil {
			return err
		}
	}
	go io.Copy(console, host) // until either link is gone
	return nil
}

// refusal is what a host answers to a console that greets it so.
func refusal(t *testing.T, link *transport.Link, g inner.Greeting) uint32 {
	t.Helper()
	s, err := link.OpenStream(t.Context(), wire.StreamControl)
	must(t, err)
	if _, err = inner.Greet(s, link, g); err == nil {
		must(t, s.SetReadDeadline(time.Now().Add(patience)))
		var m *inner.ToConsole
		for m.GetRefused() == nil {
			if m, err = inner.ReadToConsole(s); err != nil {
				t.Fatalf("no refusal: %v", err)
			}
		}
		return m.GetRefused().GetCode()
	}
	var refused *inner.RefusedError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return refused.Code
}

func TestBadgesThatAreNotGood(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		eve, max := r.NewAgent("eve@bolt"), r.NewAgent("max@acme")
		h, other := r.NewHost(nil), r.NewHost(nil)
		_, good := r.call(t, max, h)
		claims, err := badge.Parse(r.Keys.Badge.Public().(ed25519.PublicKey), good, time.Now())
		must(t, err)
		signed := func(change func(*badge.Claims)) string {
			c := claims
			c.ID += "x"
			c.Device = eve.Identity.Fingerprint
			change(&c)
			return must1(badge.Sign(r.Keys.Badge, c))
		}
		_, strangerKey, err := ed25519.GenerateKey(nil)
		must(t, err)
		_, elsewhere := r.call(t, eve, other)
		for what, b := range map[string]string{
			"none":              "",
			"nonsense":          "v4.public.AAAA",
			"of another device": good, // stolen: the thief does not have the device key
			"expired": signed(func(c *badge.Claims) {
				c.Issued, c.Expires = c.Issued.Add(-10*time.Minute), c.Expires.Add(-10*time.Minute)
			}),
			"of another session":    signed(func(c *badge.Claims) { c.Session[0] ^= 1 }),
			"of another host":       signed(func(c *badge.Claims) { c.Host[0] ^= 1 }),
			"for the other session": elsewhere,
			"signed by a stranger":  must1(badge.Sign(strangerKey, claims)),
		} {
			link, _ := r.call(t, eve, h)
			if code := refusal(t, link, inner.Greeting{Badge: b, Want: everything}); code != inner.RefusedBadge {
				t.Errorf("badge %s: refused with %d", what, code)
			}
		}
		if v := h.Customer.View(); v.Question != nil {
			t.Errorf("the customer is asked: %+v", v.Question)
		}
	})
}

func TestBadgeIsForOneUse(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		h := r.NewHost(nil)
		first, b := r.call(t, max, h)
		s, err := first.OpenStream(t.Context(), wire.StreamControl)
		must(t, err)
		_, err = inner.Greet(s, first, inner.Greeting{Badge: b, Want: everything})
		must(t, err)
		h.Customer.Asked("max@acme")
		second, _ := r.call(t, max, h)
		if code := refusal(t, second, inner.Greeting{Badge: b, Want: everything}); code != inner.RefusedBadge {
			t.Errorf("refused with %d", code)
		}
	})
}

func TestOtherProtocolVersionsAreToldWhichSideIsOld(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		link, b := r.call(t, r.NewAgent("max@acme"), h)
		s, err := link.OpenStream(t.Context(), wire.StreamControl)
		must(t, err)
		hello := &inner.ConsoleHello{MinVersion: wire.MaxVersion + 1, MaxVersion: wire.MaxVersion + 3, Badge: b}
		must(t, wire.WriteMsg(s, &inner.ToHost{Kind: &inner.ToHost_Hello{Hello: hello}}))
		m, err := inner.ReadToConsole(s)
		must(t, err)
		if m.GetRefused().GetCode() != inner.RefusedTooNew {
			t.Errorf("host answered %v", m)
		}
	})
}

// A host of a later time: the console says that it is the one that is too old.
func TestConsoleSaysThatItIsTooOld(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		code := r.falseHost(t, func(s transport.Stream) error {
			var m inner.ToHost
			if err := wire.ReadMsg(s, wire.LimitPreAuth, &m); err != nil {
				return err
			}
			return inner.WriteRefused(s, inner.RefusedTooOld, "this host speaks 5 to 7\x1b[2J")
		})
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), code)))
		if err := c.Result(); !errors.Is(err, agent.ErrTooOld) {
			t.Errorf("%v", err)
		}
		for _, r := range c.State().Why {
			if r < 0x20 {
				t.Errorf("control character in %q", c.State().Why)
			}
		}
	})
}

// falseHost registers a host that does what serve does on the control stream of its first console.
func (r *Relay) falseHost(t *testing.T, serve func(transport.Stream) error) (code string) {
	t.Helper()
	own, err := transport.NewIdentity()
	must(t, err)
	o := r.Dial(own)
	t.Cleanup(o.Close)
	replies, err := o.Subscribe(t.Context(), &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{HostKey: own.Fingerprint[:]}}})
	must(t, err)
	reply, err := replies.Next()
	must(t, err)
	v, err := o.Open(reply.GetOpened().GetChannel())
	must(t, err)
	listener, err := v.Listen(own)
	must(t, err)
	go func() {
		link, err := listener.Accept(t.Context())
		if err != nil {
			return
		}
		if _, s, err := link.AcceptStream(t.Context()); err == nil {
			if err := serve(s); err != nil {
				t.Errorf("false host: %v", err)
			}
		}
		<-link.Done()
	}()
	return reply.GetOpened().GetCode()
}

func TestConsoleIsNotFooledByAHostThatLies(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		plate := inner.Doorplate{HostName: "pc"}
		for what, message := range map[string]*inner.ToConsole{
			"roster of an unknown role": {Kind: &inner.ToConsole_Welcome{Welcome: &inner.Welcome{Roster: &inner.Roster{Members: []*inner.Member{{Id: 1, Role: 9, State: 2}}}}}},
			"entry of an unknown kind":  {Kind: &inner.ToConsole_Entry{Entry: &inner.Entry{Seq: 1, Lane: 1, Kind: 99}}},
		} {
			code := r.falseHost(t, func(s transport.Stream) error {
				_, _, err := inner.Receive(s, nothing{}, plate)
				if err == nil {
					err = wire.WriteMsg(s, message)
				}
				return err
			})
			c := Run(t, agent.Join(r.Config(max, code)))
			c.Wait(what+" to be refused", func(st console.State) bool { return st.Phase == console.Lost || st.Phase == console.Over })
			if c.State().Roster.Members != nil || len(c.Log(0)) != 0 {
				t.Errorf("%s: taken in as %+v", what, c.State())
			}
			c.Close()
		}
	})
}

// nothing stands for an exporter whose bytes nobody looks at.
type nothing struct{}

func (nothing) Exporter(string, []byte, int) ([]byte, error) { return make([]byte, 32), nil }
