package sessiontest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"assist/chat"
	"assist/diag"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/work"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport/wire"
)

// hand writes down what it was to do.
type hand struct {
	mu   sync.Mutex
	did  []diag.Deed
	fail error
}

func (h *hand) Prepare(_ context.Context, d diag.Deed) (string, func(context.Context) error, error) {
	if err := d.Check(); err != nil {
		return "", nil, err
	}
	return "It runs: x\x1b[31m", func(context.Context) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.did = append(h.did, d)
		return h.fail
	}, nil
}

func TestDeedsAreAskedForEachAndWrittenDown(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		doer := &hand{}
		h := r.NewHost(func(conf *host.Config) { conf.Doer = doer })
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		h.Customer.Allow("max@acme", session.View)
		c.Phase(console.In)
		do := func(d diag.Deed) chan error {
			s, err := c.Open(t.Context(), wire.StreamRun)
			must(t, err)
			done := make(chan error, 1)
			go func() { done <- work.Do(t.Context(), s, d) }()
			return done
		}
		refused := func(err error, code uint32) {
			t.Helper()
			var no *inner.RunRefusedError
			if !errors.As(err, &no) || no.Code != code {
				t.Errorf("%v, want code %d", err, code)
			}
		}
		refused(<-do(diag.Deed{Reboot: true}), inner.RunNotGiven)
		given := make(chan error, 1)
		go func() { given <- c.Obtain(t.Context(), session.Run) }()
		h.Customer.Allow("max@acme", session.Run)
		must(t, <-given)
		refused(<-do(diag.Deed{Restart: "a b"}), inner.RunMalformed)

		looks := func(yes bool) {
			t.Helper()
			v := h.Customer.Wait("the question", func(v host.View) bool { return v.Question != nil && v.Question.What != "" })
			if q := v.Question; q.What != "restart cups.service on this computer" || q.Detail != "It runs: x␛[31m" {
				t.Errorf("asked %q: %q", q.What, q.Detail)
			}
			h.Customer.Answer(*v.Question, map[bool]session.Grants{true: v.Question.Grants}[yes])
		}
		done := do(diag.Deed{Restart: "cups.service"})
		looks(true)
		must(t, <-done)
		c.Wait("the log to tell", func(console.State) bool {
			for _, e := range c.Log(0) {
				if e.Kind == chat.Note && strings.Contains(e.Text, "does: restart cups.service on this computer") {
					return true
				}
			}
			return false
		})
		doer.fail = errors.New("no such unit")
		done = do(diag.Deed{Restart: "cups.service"})
		looks(true)
		refused(<-done, inner.RunFailed)
		done = do(diag.Deed{Restart: "cups.service"})
		looks(false)
		refused(<-done, inner.RunSaidNo)
		if len(doer.did) != 2 {
			t.Errorf("did %+v", doer.did)
		}
	})
}
