package sessiontest

import (
	"fmt"
	"testing"
	"time"

	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport/transporttest"
)

// A bad line is no broken one: while nothing happens but heartbeats, neither end takes lost or late packets for lost contact. A
// line that breaks is seen to be broken within 3 s, however bad it was.
func TestBadLinesAreNotBroken(t *testing.T) {
	t.Parallel()
	delay := 50 * time.Millisecond
	for _, line := range []transporttest.Conditions{
		{Delay: delay, Jitter: 300 * time.Millisecond},
		{Delay: delay, Loss: 0.05},
		{Delay: delay, Loss: 0.20},
		{Delay: delay, Loss: 0.29},
		{Delay: 10 * time.Millisecond, Jitter: 100 * time.Millisecond, Loss: 0.20},
	} {
		t.Run(fmt.Sprintf("%v and %v, %.2f lost", line.Delay, line.Jitter, line.Loss), func(t *testing.T) {
			t.Parallel()
			Sim(t, 7, func(t *testing.T, r *Relay) {
				h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: everything} })
				conf, path := r.Behind(r.NewAgent("max@acme"), h.Code, transporttest.Conditions{Delay: line.Delay})
				c := Run(t, agent.Join(conf))
				c.Phase(console.In)
				path.Set(line)
				for range 2 * 60 * 10 {
					time.Sleep(100 * time.Millisecond)
					if st := c.State(); st.Phase != console.In {
						t.Fatalf("%v: %s", st.Phase, st.Why)
					}
					if v := h.Customer.View(); !v.Lost.IsZero() {
						t.Fatalf("the customer sees no contact since %v", time.Since(v.Lost))
					}
				}
				path.Set(down)
				broke := time.Now()
				c.Phase(console.Lost)
				h.Customer.Wait("no contact", func(v host.View) bool { return !v.Lost.IsZero() })
				if took := time.Since(broke); took > 3*time.Second+line.Delay+line.Jitter { // the last that were on their way come so late
					t.Errorf("seen after %v", took)
				}
			})
		})
	}
}
