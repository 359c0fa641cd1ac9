package sessiontest

import (
	"image"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// Nothing happens: no more than a heartbeat travels between console and host, and both still know that the other is there.
func TestIdleIsFree(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
		conf, path := r.Behind(r.NewAgent("max@acme"), h.Code, transporttest.Conditions{Delay: 20 * time.Millisecond})
		c := Run(t, agent.Join(conf))
		c.Phase(console.In)
		c.LookAll(image.Pt(160, 120))
		c.Sees("the display", func(*screen.Picture) bool { return true })
		time.Sleep(30 * time.Second)

		const minute = 60
		out, in := path.Carried()
		time.Sleep(minute * time.Second)
		outAfter, inAfter := path.Carried()
		up, down := sub(outAfter, out), sub(inAfter, in)
		t.Logf("a second: up %d B in %.2f packets, down %d B in %.2f packets, with 11 B of the relay's header each; for the relay itself up %d B, down %d B",
			up.Link/minute, float64(up.Packets)/minute, down.Link/minute, float64(down.Packets)/minute, up.Relay/minute, down.Relay/minute)
		for way, bytes := range map[string]int{"up": up.Link, "down": down.Link} {
			if bytes > 20*minute {
				t.Errorf("%d bytes %s in a minute", bytes, way)
			}
		}
		if st := c.State(); st.Phase != console.In || st.Link.Rate != 0 || st.Link.FPS != 0 {
			t.Errorf("%v, %+v", st.Phase, st.Link)
		}
		if v := h.Customer.View(); len(v.Roster.Members) != 2 || v.Roster.Members[1].Presence != session.Here {
			t.Errorf("%+v", v.Roster.Members)
		}
		c.Do(console.Say{Lane: chat.Everyone, Text: "still there?"})
		c.Wait("the words", func(console.State) bool { return len(c.Said()) == 1 })

		// A break that begins at any time is seen within 2.5 s.
		path.Set(transporttest.Conditions{Down: true})
		broke := time.Now()
		c.Phase(console.Lost)
		if took := time.Since(broke); took > 2600*time.Millisecond {
			t.Errorf("lost contact is seen after %v", took)
		}
		if since := c.State().LostSince; broke.Sub(since) > 3*time.Second || since.After(broke.Add(time.Second)) {
			t.Errorf("lost since %v, it broke at %v", since, broke)
		}
	})
}

func sub(a, b Carried) Carried {
	return Carried{a.Link - b.Link, a.Relay - b.Relay, a.Packets - b.Packets}
}
