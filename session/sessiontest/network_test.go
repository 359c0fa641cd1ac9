package sessiontest

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

var down = transporttest.Conditions{Down: true}

// behind is a console whose packets pass a path of those conditions.
func (r *Relay) behind(t *testing.T, a Agent, h *Host, conditions transporttest.Conditions) (*Console, *Path) {
	t.Helper()
	conf, path := r.Behind(a, h.Code, conditions)
	return Run(t, agent.Join(conf)), path
}

func TestConsoleComesBackByItself(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c, path := r.behind(t, r.NewAgent("max@acme"), h, transporttest.Conditions{})
		h.allowOnly("max@acme", everything)
		c.Phase(console.In)
		words := c.State().Words
		self := c.State().Self
		grid := image.Pt(64, 48)
		c.LookAll(grid)
		c.Sees("the display", func(*screen.Picture) bool { return true })
		control(t, c)
		c.Do(console.Say{Lane: chat.Everyone, Text: "before"})
		c.Wait("the first words", func(console.State) bool { return len(c.Said()) == 1 })

		path.Set(down)
		st := c.Phase(console.Lost)
		if since := time.Since(st.LostSince); since < 2*time.Second || since > patience {
			t.Errorf("no contact since %v", since)
		}
		if c.Input(screen.Input{Kind: screen.KeyTap, Key: 'x'}) {
			t.Error("input was taken without contact")
		}
		c.Do(console.Say{Lane: chat.Everyone, Text: "meanwhile"})
		h.Customer.Do(host.Say{Text: "are you there?"})
		h.Display.Fill(image.Rect(0, 0, 320, 240), 0, 255, 0)
		h.Customer.Wait("the seat to be held", func(v host.View) bool { return v.Roster.Members[1].Presence == session.Reconnecting })

		path.Set(transporttest.Conditions{})
		st = c.Phase(console.In)
		if st.Self != self || !slices.Equal(st.Words, words) || !st.LostSince.IsZero() {
			t.Errorf("came back as %+v", st)
		}
		if q := h.Customer.View().Question; q != nil {
			t.Errorf("the customer was asked again: %+v", q)
		}
		c.Wait("all words", func(console.State) bool { return len(c.Said()) == 3 })
		if want := []string{"before", "are you there?", "meanwhile"}; !slices.Equal(c.Said(), want) {
			t.Errorf("said %q", c.Said())
		}
		want := h.Display.Average(grid)
		c.Sees("what changed meanwhile", func(p *screen.Picture) bool { return slices.Equal(p.Pix, want) })
		c.Wait("control to be back", func(console.State) bool { return c.Input(screen.Input{Kind: screen.KeyTap, Key: 'y'}) })
		h.Recorder.Wait(t, "input", func(evs []screen.Input) bool { return slices.Contains(keys(evs), 'y') })
		if slices.Contains(keys(h.Recorder.Played()), 'x') {
			t.Error("what was typed without contact was played later")
		}
	})
}

// Nothing acknowledged is lost, nothing is said twice, all have the same log: over a path that breaks again and again.
func TestChatIsSaidOnceOverBrokenLinks(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c, path := r.behind(t, r.NewAgent("max@acme"), h, transporttest.Conditions{Delay: 5 * time.Millisecond})
		h.allowOnly("max@acme", everything)
		c.Phase(console.In)
		other := Run(t, agent.Join(r.Config(r.NewAgent("eva@bolt"), h.Code)))
		h.allowOnly("eva@bolt", everything)
		other.Phase(console.In)

		dice := rand.New(rand.NewPCG(3, 4))
		var want []string
		for round := range 3 {
			for i := range 4 {
				text := fmt.Sprintf("round %d message %d", round, i)
				want = append(want, text)
				c.Do(console.Say{Lane: chat.Everyone, Text: text})
				time.Sleep(time.Duration(dice.IntN(12)) * time.Millisecond)
				if i == 1 {
					path.Set(down)
				}
			}
			c.Phase(console.Lost)
			path.Set(transporttest.Conditions{Delay: 5 * time.Millisecond})
			c.Phase(console.In)
		}
		for _, who := range []*Console{c, other} {
			who.Wait("all messages", func(console.State) bool { return len(who.Said()) >= len(want) })
			if !slices.Equal(who.Said(), want) {
				t.Errorf("%q", who.Said())
			}
		}
		log := c.Log(0)
		for i, e := range log {
			if e.Seq != chat.Seq(i+1) {
				t.Fatalf("entry %d has number %d", i, e.Seq)
			}
		}
		if !slices.Equal(log, other.Log(0)) {
			t.Error("the logs differ")
		}
	})
}

func TestEverythingArrivesOverABadPath(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		bad := transporttest.Conditions{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.05}
		c, _ := r.behind(t, r.NewAgent("max@acme"), h, bad)
		c.Phase(console.In)
		c.Wait("control to be granted", func(st console.State) bool {
			m, _ := st.Roster.Member(st.Self)
			return m.Grants.Has(everything)
		})
		control(t, c)
		grid := image.Pt(160, 120)
		c.LookAll(grid)
		var want []screen.Key
		for i := range 100 {
			h.Display.Fill(image.Rect(i, i, i+200, i+200), byte(i), byte(2*i), byte(255-i))
			k := screen.Key('a' + i%26)
			want = append(want, k)
			Until(t, "room for input", nil, func() bool { return c.Input(screen.Input{Kind: screen.KeyTap, Key: k}) })
			time.Sleep(2 * time.Millisecond)
		}
		average := h.Display.Average(grid)
		c.Sees("the last picture", func(p *screen.Picture) bool { return slices.Equal(p.Pix, average) })
		got := h.Recorder.Wait(t, "all keys", func(evs []screen.Input) bool { return len(keys(evs)) >= len(want) })
		if !slices.Equal(keys(got), want) {
			t.Errorf("%v", keys(got))
		}
		if st := c.State(); st.Phase != console.In || st.Link.RTT < 40*time.Millisecond {
			t.Errorf("%+v", st.Link)
		}
	})
}

func TestSessionThatEndedMeanwhileIsOver(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		c, path := r.behind(t, r.NewAgent("max@acme"), h, transporttest.Conditions{})
		c.Phase(console.In)
		path.Set(down)
		c.Phase(console.Lost)
		h.Customer.Do(host.Stop{})
		_ = h.Result()
		path.Set(transporttest.Conditions{})
		if err := c.Result(); err != nil {
			t.Errorf("%v", err)
		}
		if st := c.State(); st.Phase != console.Over || st.Why == "" {
			t.Errorf("%+v", st)
		}
	})
}

func TestRelayRestartIsSurvived(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		c.Phase(console.In)
		r.Stop()
		c.Phase(console.Lost)
		c.Do(console.Say{Lane: chat.Everyone, Text: "still here"})
		r.Restart()
		c.Phase(console.In)
		c.Wait("what was said meanwhile", func(console.State) bool { return slices.Equal(c.Said(), []string{"still here"}) })
		if v := h.Customer.View(); v.Ended {
			t.Errorf("%+v", v)
		}
	})
}

// The link itself lives on: nobody sees more than a gap, and what was typed and said in it arrives.
func TestKilledRelayIsAGapOnly(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		path := transporttest.Conditions{Delay: 20 * time.Millisecond}
		c, _ := r.behind(t, r.NewAgent("max@acme"), h, path)
		c.Phase(console.In)
		control(t, c)
		lost := make(chan struct{})
		go func() {
			defer close(lost)
			for c.State().Phase != console.Over {
				if c.State().Phase == console.Lost {
					t.Error("the console lost contact")
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}()
		for round := range 3 {
			key := screen.Key('a' + round)
			text := string(rune(key))
			r.Kill()
			time.Sleep(300 * time.Millisecond)
			c.Do(console.Say{Lane: chat.Everyone, Text: text})
			if !c.Input(screen.Input{Kind: screen.KeyTap, Key: key}) {
				t.Error("input was refused")
			}
			time.Sleep(700 * time.Millisecond)
			r.Restart()
			began := time.Now()
			h.Recorder.Wait(t, "the key", func(evs []screen.Input) bool { return slices.Contains(keys(evs), key) })
			c.Wait("the answer", func(console.State) bool { return slices.Contains(c.Said(), text) })
			if took := time.Since(began); took > time.Second {
				t.Errorf("traffic %v after the relay is back", took)
			}
			time.Sleep(5 * time.Second)
		}
		if said := c.Said(); len(said) != 3 {
			t.Errorf("%q", said)
		}
		c.Close()
		<-lost
	})
}

// A session in which nobody has done anything for a while notices the relay's death as soon as somebody does, whenever in the
// rhythm of its heartbeats that is.
func TestKilledRelayOfAnIdleSession(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		c, _ := r.behind(t, r.NewAgent("max@acme"), h, transporttest.Conditions{Delay: 20 * time.Millisecond})
		c.Phase(console.In)
		control(t, c)
		var took []time.Duration
		const rounds = 20
		for round := range rounds {
			time.Sleep(30*time.Second + time.Duration(round)*107*time.Millisecond)
			r.Kill()
			time.Sleep(time.Second)
			r.Restart()
			began, key := time.Now(), screen.Key('a'+round)
			for played := len(h.Recorder.Played()); !slices.Contains(keys(h.Recorder.Played()[played:]), key); time.Sleep(20 * time.Millisecond) {
				c.Input(screen.Input{Kind: screen.KeyTap, Key: key}) // refused while there is no contact
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("the first key after the relay listens: p50 %v, worst %v", took[rounds/2], took[rounds-1])
		if p95 := took[rounds*95/100-1]; p95 > time.Second {
			t.Errorf("p95 %v", p95)
		}
		if v := h.Customer.View(); v.Question != nil {
			t.Errorf("asked again: %+v", v.Question)
		}
	})
}

// A host whose network was away shows since when, and is found again by everybody without a question.
func TestHostComesBackByItself(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		line := transporttest.Conditions{Delay: 10 * time.Millisecond}
		path := r.net.newPath(line)
		h := r.NewHost(func(c *host.Config) { c.Options = r.options(path) })
		max := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		h.allowOnly("max@acme", everything)
		max.Phase(console.In)
		control(t, max)
		for _, away := range []time.Duration{5 * time.Second, 7 * time.Second, 9 * time.Second, 20 * time.Second, 22 * time.Second, time.Minute, 10 * time.Minute} {
			path.Set(down)
			began := time.Now()
			v := h.Customer.Wait("no contact", func(v host.View) bool { return !v.Lost.IsZero() })
			if took := time.Since(began); took > 2600*time.Millisecond || v.Lost.Before(began.Add(-time.Second)) {
				t.Errorf("after %v without contact the customer sees %v", took, v.Lost)
			}
			max.Phase(console.Lost)
			if took := time.Since(began); took > 2800*time.Millisecond {
				t.Errorf("the console sees it after %v", took)
			}
			h.Customer.Do(host.Say{Text: "from the customer " + away.String()})
			max.Do(console.Say{Lane: chat.Everyone, Text: "from the agent " + away.String()})
			time.Sleep(away)
			path.Set(line)
			began = time.Now()
			max.Phase(console.In)
			t.Logf("away for %v: back after %v", away, time.Since(began))
			time.Sleep(3 * time.Second) // a link that was made in the middle of a break is as quick to see the next one
			max.Wait("both", func(console.State) bool {
				return slices.Contains(max.Said(), "from the customer "+away.String()) && slices.Contains(max.Said(), "from the agent "+away.String())
			})
			if v := h.Customer.Wait("contact", func(v host.View) bool { return v.Lost.IsZero() }); v.Question != nil {
				t.Errorf("asked again: %+v", v.Question)
			}
		}
	})
}

// A host process that was killed and started again is another host: it cannot have the session of the one before, and its
// customer is asked as if for the first time.
func TestHostThatWasKilledAsksAgain(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		path := r.net.newPath(transporttest.Conditions{})
		h := r.NewHost(func(c *host.Config) { c.Options = r.options(path) })
		max := r.NewAgent("max@acme")
		before := Run(t, agent.Join(r.Config(max, h.Code)))
		h.allowOnly("max@acme", everything)
		before.Phase(console.In)
		path.Set(down) // as kill -9: nothing more leaves it
		before.Phase(console.Lost)

		claim, err := host.New(host.Config{Relay: r.Relay, Options: r.options(nil), Code: h.Code, Source: NewDisplay(64, 48), Customer: "Ada"})
		must(t, err)
		if err := claim.Run(t.Context()); !host.Refused(err, wire.CodeUnknownCode) {
			t.Errorf("the session of the host before: %v", err)
		}
		again := r.NewHost(nil)
		after := Run(t, agent.Join(r.Config(max, again.Code)))
		if q := again.Customer.Asked("max@acme"); !q.Join {
			t.Errorf("%+v", q)
		}
		if st := after.State(); st.Phase == console.In || !st.LostSince.IsZero() {
			t.Errorf("in without a yes: %+v", st)
		}
		path.Set(transporttest.Conditions{}) // so that the first host can say goodbye
	})
}
