package sessiontest

import (
	"errors"
	"image"
	"slices"
	"testing"

	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport/transporttest"
)

// pair is an agent with the lead in a session of a customer who allowed those grants.
func pair(t *testing.T, r *Relay, allow session.Grants) (*Host, *Console) {
	t.Helper()
	h := r.NewHost(nil)
	c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
	h.allowOnly("max@acme", allow)
	c.Phase(console.In)
	c.Wait("the grants", func(st console.State) bool {
		m, _ := st.Roster.Member(st.Self)
		return m.Grants.Has(allow) && m.Asked == 0 && !st.Roster.Paused
	})
	return h, c
}

// allowOnly answers every question of an agent: yes to what is in allow, no to the rest.
func (h *Host) allowOnly(handle string, allow session.Grants) {
	h.t.Helper()
	Until(h.t, handle+" to have got its answers", h.Customer.changed, func() bool {
		v := h.Customer.View()
		if q := v.Question; q != nil && q.Handle == handle {
			h.Customer.Do(host.Answer{Serial: q.Serial, Allow: q.Grants & allow})
			return false
		}
		for _, m := range v.Roster.Members {
			if m.Handle == handle && m.Grants.Has(allow) && m.Asked == 0 {
				return true
			}
		}
		return false
	})
}

func control(t *testing.T, c *Console) {
	t.Helper()
	c.Do(console.TakeControl{})
	c.Wait("control", func(console.State) bool { return c.Input(screen.Input{Kind: screen.PointerMove, At: image.Pt(1, 1)}) })
}

func keys(evs []screen.Input) (out []screen.Key) {
	for _, ev := range evs {
		if ev.Kind == screen.KeyTap {
			out = append(out, ev.Key)
		}
	}
	return out
}

func TestInputArrivesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		control(t, c)
		var want []screen.Key
		for i := range 300 {
			k := screen.Key('a' + i%26)
			want = append(want, k)
			Until(t, "room for input", nil, func() bool { return c.Input(screen.Input{Kind: screen.KeyTap, Key: k}) })
		}
		got := h.Recorder.Wait(t, "300 keys", func(evs []screen.Input) bool { return len(keys(evs)) >= len(want) })
		if !slices.Equal(keys(got), want) {
			t.Errorf("%v", keys(got))
		}
		last := uint64(0)
		for _, ev := range got {
			if ev.Seq <= last && ev.Seq != 0 { // the host's own releases have no number
				t.Fatalf("number %d after %d", ev.Seq, last)
			}
			last = max(last, ev.Seq)
		}
	})
}

func TestInputNeedsTheGrant(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, session.View|session.Chat)
		c.Do(console.TakeControl{})
		if c.Input(screen.Input{Kind: screen.KeyTap, Key: 'x'}) {
			t.Error("the console took input without the grant")
		}
		// A console that ignores its own rules (threats A9).
		rogue := r.rogue(t, r.NewAgent("eve@bolt"), h)
		h.allowOnly("eve@bolt", session.View)
		rogue.welcome(t)
		rogue.input(t, screen.Input{Seq: 1, Kind: screen.KeyTap, Key: 'x'})
		rogue.echo(t) // what was sent before has been read
		if got := h.Recorder.Played(); len(got) != 0 {
			t.Errorf("played %v", got)
		}
	})
}

func TestRevokedControlStopsInputAtOnce(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		control(t, c)
		c.Input(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down('a') })
		h.Customer.Do(host.Revoke{Member: session.Nobody, Grants: session.Control})
		h.Recorder.Wait(t, "the key to go up", func([]screen.Input) bool { return !h.Recorder.Down('a') })
		c.Wait("the console to know", func(console.State) bool { return !c.Input(screen.Input{Kind: screen.KeyTap, Key: 'b'}) })
	})
}

func TestQuestionDropsInput(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		rogue := r.rogue(t, r.NewAgent("eve@bolt"), h)
		h.allowOnly("eve@bolt", everything)
		rogue.welcome(t)
		rogue.input(t, screen.Input{Seq: 1, Kind: screen.KeyTap, Key: 'r'})
		h.Recorder.Wait(t, "the rogue's key", func(evs []screen.Input) bool { return slices.Contains(keys(evs), 'r') })
		control(t, c)
		c.Input(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down('a') })

		Run(t, agent.Join(r.Config(r.NewAgent("eva@bolt"), h.Code)))
		q := h.Customer.Asked("eva@bolt")
		h.Recorder.Wait(t, "the key to go up", func([]screen.Input) bool { return !h.Recorder.Down('a') })
		c.Wait("the console to be told", func(st console.State) bool { return st.Roster.Paused && st.Roster.WhyPaused != "" })
		if c.Input(screen.Input{Kind: screen.KeyTap, Key: 'y'}) {
			t.Error("the console took input while a question was up")
		}
		// Even when the console sends it (threats A37, A38).
		before := len(h.Recorder.Played())
		rogue.input(t, screen.Input{Seq: 2, Kind: screen.KeyTap, Key: screen.KeyEnter})
		rogue.echo(t)
		if got := h.Recorder.Played(); len(got) != before {
			t.Errorf("played %v while a question was up", got[before:])
		}
		h.Customer.Answer(q, 0)
		c.Wait("input to go on", func(console.State) bool { return c.Input(screen.Input{Kind: screen.KeyTap, Key: 'z'}) })
		h.Recorder.Wait(t, "input to be played again", func(evs []screen.Input) bool { return slices.Contains(keys(evs), 'z') })
	})
}

func TestKilledConsoleLetsKeysGo(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c, line := r.behind(t, r.NewAgent("max@acme"), h, transporttest.Conditions{})
		h.allowOnly("max@acme", everything)
		c.Phase(console.In)
		control(t, c)
		c.Input(screen.Input{Kind: screen.KeyPress, Key: screen.KeyShift})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down(screen.KeyShift) })
		line.Set(transporttest.Conditions{Down: true}) // as kill -9: nothing more leaves it
		h.Recorder.Wait(t, "the key to go up", func([]screen.Input) bool { return !h.Recorder.Down(screen.KeyShift) })
		h.Customer.Wait("the seat to be held", func(v host.View) bool {
			m := v.Roster.Members[1]
			return m.Presence == session.Reconnecting
		})
	})
}

func TestClosedConsoleLetsKeysGoAndLeaves(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		control(t, c)
		c.Input(screen.Input{Kind: screen.KeyPress, Key: 'q'})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down('q') })
		c.Close()
		if err := c.Result(); err != nil {
			t.Error(err)
		}
		h.Recorder.Wait(t, "the key to go up", func([]screen.Input) bool { return !h.Recorder.Down('q') })
		h.Customer.Wait("the agent to have left", func(v host.View) bool { return v.Roster.Members[1].Presence == session.Gone })
	})
}

func TestStopEndsAll(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		other := Run(t, agent.Join(r.Config(r.NewAgent("eva@bolt"), h.Code)))
		h.allowOnly("eva@bolt", session.View)
		other.Phase(console.In)
		control(t, c)
		c.Input(screen.Input{Kind: screen.KeyPress, Key: 'a'})
		h.Recorder.Wait(t, "the key to go down", func([]screen.Input) bool { return h.Recorder.Down('a') })
		h.Customer.Do(host.Stop{})
		if h.Recorder.Down('a') {
			t.Error("a key is down after the stop")
		}
		if err := h.Result(); !errors.Is(err, host.ErrStopped) {
			t.Errorf("host: %v", err)
		}
		for _, c := range []*Console{c, other} {
			if err := c.Result(); err != nil {
				t.Errorf("console: %v", err)
			}
			if st := c.State(); st.Phase != console.Over || st.Why == "" || st.Err != nil {
				t.Errorf("%+v", st)
			}
		}
		late := Run(t, agent.Join(r.Config(r.SignIn("max@acme"), h.Code)))
		if err := late.Result(); err == nil {
			t.Error("joined after the stop")
		}
	})
}

func TestLeadEndsForAll(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		other := Run(t, agent.Join(r.Config(r.NewAgent("eva@bolt"), h.Code)))
		h.allowOnly("eva@bolt", session.View)
		other.Phase(console.In)
		other.Do(console.Leave{How: session.EndForAll})
		other.Wait("a no", func(st console.State) bool { return st.Outcome.Serial == 1 && st.Phase == console.In })
		c.Do(console.Leave{How: session.EndForAll})
		for _, c := range []*Console{c, other} {
			if err := c.Result(); err != nil {
				t.Error(err)
			}
		}
		if err := h.Result(); err != nil {
			t.Errorf("host: %v", err)
		}
	})
}

func TestRemovedAgentIsOutForGood(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, c := pair(t, r, everything)
		st := c.State()
		h.Customer.Do(host.Remove{Member: st.Self})
		var refused *inner.RefusedError
		if err := c.Result(); !errors.As(err, &refused) || refused.Code != inner.RefusedRemoved {
			t.Errorf("%v", err)
		}
		again := Run(t, agent.Join(r.Config(r.SignIn("max@acme"), h.Code)))
		if err := again.Result(); !errors.As(err, &refused) || refused.Code != inner.RefusedRemoved {
			t.Errorf("again: %v", err)
		}
		if v := h.Customer.View(); v.Question != nil {
			t.Errorf("the customer is asked again: %+v", v.Question)
		}
	})
}
