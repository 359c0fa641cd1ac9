package sessiontest

import (
	"errors"
	"image"
	"slices"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const everything = session.View | session.Control | session.Chat

func TestAgentJoinsByCodeAndSeesTheDisplay(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	max := r.NewAgent("max@acme")
	h := r.NewHost(nil)
	h.Display.Paint(image.Rect(0, 0, 640, 480), func(x, y int) (byte, byte, byte) { return byte(x), byte(y), byte(x * y) })

	c := Run(t, agent.Join(r.Config(max, h.Code)))
	st := c.Phase(console.Knocking)
	q := h.Customer.Asked("max@acme")
	if q.Org != "Acme" || q.Trust != session.RelayOnly {
		t.Errorf("the customer is asked about %+v", q)
	}
	if len(st.Words) != 3 || !slices.Equal(st.Words, q.Words) || st.Trusted {
		t.Errorf("console shows %v (trusted %v), host shows %v", st.Words, st.Trusted, q.Words)
	}
	h.Customer.Allow("max@acme", everything)
	st = c.Phase(console.In)
	if st.Customer != "Ada" || st.Code != h.Code || st.Self == session.Nobody || st.Roster.Lead != st.Self {
		t.Errorf("%+v", st)
	}

	grid := image.Pt(64, 48)
	c.LookAll(grid)
	want := h.Display.Average(grid)
	c.Sees("the whole display", func(p *screen.Picture) bool { return slices.Equal(p.Pix, want) })
	old := c.Picture()
	h.Display.Fill(image.Rect(100, 100, 300, 200), 255, 0, 0)
	changed := h.Display.Average(grid)
	c.Sees("what changed", func(p *screen.Picture) bool { return slices.Equal(p.Pix, changed) })
	if !slices.Equal(old.Pix, want) {
		t.Error("a picture changed after it was handed out")
	}
	h.Display.MovePointer(image.Pt(77, 88))
	c.Wait("the pointer", func(st console.State) bool { return st.Pointer.At == image.Pt(77, 88) })

	small := image.Pt(32, 24)
	c.LookAll(small)
	wantSmall := h.Display.Average(small)
	c.Sees("the new viewport", func(p *screen.Picture) bool { return p.Viewport.Grid == small && slices.Equal(p.Pix, wantSmall) })
	c.Wait("a measured link", func(st console.State) bool { return st.Link.Path == "relay" && st.Link.RTT > 0 })

	c.Do(console.ConfirmWords{})
	c.Wait("words to be checked for all", func(st console.State) bool {
		m, _ := st.Roster.Member(st.Self)
		return m.WordsChecked && st.Trusted
	})
}

func TestAgentStartsAndCustomerAnswers(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		cfg := r.Config(max, "")
		c := Run(t, agent.Start(cfg))
		st := c.Phase(console.AwaitingHost)
		if len(st.Code) != inner.CodeDigits || st.URL == "" {
			t.Fatalf("%+v", st)
		}
		h := r.NewHost(func(c *host.Config) { c.Code = st.Code })
		h.Customer.Allow("max@acme", session.View)
		if st := c.Phase(console.In); st.Code != h.Code {
			t.Errorf("console is in %s, host is %s", st.Code, h.Code)
		}
	})
}

// A relay that is restarted while an agent waits for the customer costs the code, not the wait.
func TestWaitOutlivesTheRelay(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		c := Run(t, agent.Start(r.Config(r.NewAgent("max@acme"), "")))
		old := c.Phase(console.AwaitingHost).Code
		r.Stop()
		c.Wait("that it is noticed", func(st console.State) bool { return st.Phase == console.Connecting })
		time.Sleep(5 * time.Second)
		r.Restart()
		st := c.Wait("another code", func(st console.State) bool { return st.Phase == console.AwaitingHost && st.Code != old })
		h := r.NewHost(func(c *host.Config) { c.Code = st.Code })
		h.Customer.Allow("max@acme", session.View)
		c.Phase(console.In)
	})
}

func TestURLPinsTheHostAndShowsNoWords(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		h := r.NewHost(nil)
		invite, err := inner.ParseJoin(h.URL)
		must(t, err)
		if invite.Relay != r.Addr || invite.Code != h.Code {
			t.Fatalf("%s is %+v", h.URL, invite)
		}
		cfg := r.Config(max, invite.Code)
		cfg.HostPin = transport.Pin(invite.Pin)
		c := Run(t, agent.Join(cfg))
		q := h.Customer.Asked("max@acme")
		st := c.Phase(console.Knocking)
		if st.Words != nil || q.Words != nil || !st.Trusted || st.TrustedBy != "key from link" || st.URL != h.URL {
			t.Errorf("console %+v, question %+v", st, q)
		}
		h.Customer.Allow("max@acme", session.View)
		st = c.Phase(console.In)
		if m, _ := st.Roster.Member(st.Self); !m.WordsChecked {
			t.Errorf("%+v", m)
		}
	})
}

func TestVerifiedOrganisation(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		h := r.NewHost(func(c *host.Config) { c.TrustOrgs = map[string]transport.Pin{"acme": r.OrgPin("acme")} })
		Run(t, agent.Join(r.Config(max, h.Code)))
		if q := h.Customer.Asked("max@acme"); q.Trust != session.VerifiedOrg {
			t.Errorf("trust is %v", q.Trust)
		}
	})
}

func TestCustomerSaysNo(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		h.Customer.Answer(h.Customer.Asked("max@acme"), 0)
		var refused *inner.RefusedError
		if err := c.Result(); !errors.As(err, &refused) || refused.Code != inner.RefusedByCustomer {
			t.Errorf("%v", err)
		}
		if st := c.State(); st.Phase != console.Over || st.Err == nil || st.Why == "" {
			t.Errorf("%+v", st)
		}
	})
}

func TestTwoAgentsChatInOneOrder(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		a := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		a.Phase(console.In)
		b := Run(t, agent.Join(r.Config(r.NewAgent("eva@bolt"), h.Code)))
		b.Phase(console.In)
		granted := func(st console.State) bool {
			m, _ := st.Roster.Member(st.Self)
			return m.Grants.Has(session.Chat)
		}
		a.Wait("chat", granted)
		b.Wait("chat", granted)
		for _, text := range []string{"one", "two", "three"} {
			a.Do(console.Say{Lane: chat.Everyone, Text: "a " + text})
			b.Do(console.Say{Lane: chat.AgentsOnly, Text: "b " + text})
		}
		h.Customer.Do(host.Say{Text: "hello from Ada\x1b[2J"})
		for _, c := range []*Console{a, b} {
			c.Wait("seven messages", func(console.State) bool { return len(c.Said()) == 7 })
		}
		if !slices.Equal(a.Said(), b.Said()) {
			t.Errorf("%q and %q", a.Said(), b.Said())
		}
		for _, e := range h.Customer.View().Log {
			if e.Lane == chat.AgentsOnly {
				t.Errorf("the customer sees %+v", e)
			}
		}
		late := Run(t, agent.Join(r.Config(r.NewAgent("tim@acme"), h.Code)))
		late.Phase(console.In)
		if !slices.Equal(late.Said(), a.Said()) {
			t.Errorf("who came late has %q", late.Said())
		}
	})
}

func TestErrorsOnTheWayIn(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		max := r.NewAgent("max@acme")
		h := r.NewHost(nil)
		other := transport.Fingerprint{1}.Pin()
		var relayKey *transport.RelayKeyError
		var hostKey *agent.HostKeyError
		var unreachable *transport.RelayUnreachableError
		wrongCode := "00000000"
		if h.Code == wrongCode {
			wrongCode = "00000001"
		}
		for what, c := range map[string]struct {
			change func(*agent.Config)
			is     func(error) bool
		}{
			"unknown code":    {func(c *agent.Config) { c.Code = wrongCode }, func(err error) bool { return errors.Is(err, agent.ErrUnknownCode) }},
			"no login":        {func(c *agent.Config) { c.Token = "x" }, func(err error) bool { return errors.Is(err, agent.ErrLoginNeeded) }},
			"stolen token":    {func(c *agent.Config) { c.Identity = must1(transport.NewIdentity()) }, func(err error) bool { return errors.Is(err, agent.ErrLoginNeeded) }},
			"wrong relay key": {func(c *agent.Config) { c.Relay.Pin = other }, func(err error) bool { return errors.As(err, &relayKey) && relayKey.Want == other }},
			"wrong host key": {func(c *agent.Config) { c.HostPin = other }, func(err error) bool {
				return errors.As(err, &hostKey) && hostKey.Want == other && hostKey.Got == h.Pin()
			}},
			"no relay": {func(c *agent.Config) { c.Relay.Addr = "127.0.0.1:1" }, func(err error) bool { return errors.As(err, &unreachable) }},
		} {
			cfg := r.Config(max, h.Code)
			c.change(&cfg)
			con := Run(t, agent.Join(cfg))
			if err := con.Result(); !c.is(err) {
				t.Errorf("%s: %v", what, err)
			}
			if st := con.State(); st.Phase != console.Over || st.Err == nil {
				t.Errorf("%s: %+v", what, st)
			}
		}
		if v := h.Customer.View(); v.Question != nil || len(v.Roster.Members) > 1 {
			t.Errorf("the customer was bothered: %+v", v)
		}
	})
}

func TestTwoConsolesOfOneAgentAreOneMember(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		max := r.NewAgent("max@acme")
		c := Run(t, agent.Join(r.Config(max, h.Code)))
		h.allowOnly("max@acme", everything)
		c.Phase(console.In)
		second := Run(t, agent.Join(r.Config(max, h.Code)))
		st := second.Phase(console.In) // the same device: nobody is asked again
		if st.Self != c.State().Self {
			t.Errorf("members %d and %d", c.State().Self, st.Self)
		}
		c.Wait("both consoles", func(st console.State) bool {
			m, _ := st.Roster.Member(st.Self)
			return m.Consoles == 2
		})
		c.Close()
		second.Wait("the first to go", func(st console.State) bool {
			m, _ := st.Roster.Member(st.Self)
			return m.Consoles == 1 && m.Presence == session.Here
		})
	})
}
