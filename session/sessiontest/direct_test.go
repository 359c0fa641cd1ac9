package sessiontest

import (
	"errors"
	"testing"
	"time"

	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/transport"
	"assist/transport/transporttest"
)

// Who wants a direct path and nothing else gets one, or is told that there is none: whichever end pins it.
func TestPinnedToTheDirectPath(t *testing.T) {
	t.Parallel()
	for name, pinned := range map[string][2]transport.Path{
		"the console": {transport.PathAuto, transport.PathDirect},
		"the host":    {transport.PathDirect, transport.PathAuto},
		"both":        {transport.PathDirect, transport.PathDirect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Sim(t, 1, func(t *testing.T, r *Relay) {
				h := r.NewHost(func(c *host.Config) {
					c.Answer, c.Options.Path = &host.AutoAnswer{Allow: everything}, pinned[0]
				})
				max := r.NewAgent("max@acme")
				meet := func() *Console {
					conf, _ := r.Behind(max, h.Code, transporttest.Conditions{Delay: 20 * time.Millisecond})
					conf.Options.Path = pinned[1]
					c := Run(t, agent.Join(conf))
					c.Phase(console.In)
					return c
				}
				c := meet()
				c.Wait("the direct path", func(st console.State) bool { return st.Link.Path == string(transport.PathDirect) })
				time.Sleep(20 * time.Second)
				if st := c.State(); st.Phase != console.In || st.Link.Path != string(transport.PathDirect) {
					t.Errorf("%v over %s", st.Phase, st.Link.Path)
				}
				c.Do(console.Leave{})
				c.Phase(console.Over)

				r.net.mu.Lock()
				r.net.apart = true
				r.net.mu.Unlock()
				c = meet()
				began := time.Now()
				if err := c.Result(); !errors.Is(err, agent.ErrNoDirect) {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > 12*time.Second {
					t.Errorf("told after %v", took)
				}
				h.Customer.Wait("the agent to be gone", func(v host.View) bool { return v.Lost.IsZero() })
			})
		})
	}
}
