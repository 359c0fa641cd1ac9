package sessiontest

import (
	"testing"
	"time"

	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
)

// TestPeopleThereMayRefuseForAMinute is on virtual time: the minute takes none.
func TestPeopleThereMayRefuseForAMinute(t *testing.T) {
	Sim(t, 7, func(t *testing.T, r *Relay) {
		eve := r.NewAgent("eve@acme")
		m := r.Enroll("web-01@acme", "notice = \"ask\"\n"+anything)
		m.Gate.People = func() bool { return true }
		m.Customer = &Customer{t: t, changed: make(chan struct{}, 1)}
		m.Start()
		c := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
		began := time.Now()
		q := m.Customer.Asked("eve@acme")
		if q.Silence == 0 || q.Trust != session.VerifiedOrg || !q.Grants.Has(session.View|session.Control) {
			t.Errorf("people are asked about %+v", q)
		}
		c.Wait("word of the wait", func(st console.State) bool { return st.Phase == console.Knocking && st.Why != "" })
		time.Sleep(session.AnswerTime - time.Since(began) - time.Second)
		if st := c.State(); st.Phase != console.Knocking {
			t.Errorf("after %v: %v, %s", time.Since(began), st.Phase, st.Why)
		}
		c.Phase(console.In)
		c.Do(console.Leave{How: session.EndForAll})
		c.Phase(console.Over)

		m.Customer.Wait("the question to be gone", func(v host.View) bool { return v.Question == nil })
		second := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
		q = m.Customer.Asked("eve@acme")
		m.Customer.Do(host.Answer{Serial: q.Serial})
		second.Phase(console.Over)
		if no := second.State().Err; no == nil || !isRefused(no, inner.RefusedByCustomer) {
			t.Errorf("after a refusal: %v", no)
		}
	})
}

// TestHoursEndWhileAnAgentIsThere: who is in is held to the policy all the time.
func TestHoursEndWhileAnAgentIsThere(t *testing.T) {
	Sim(t, 8, func(t *testing.T, r *Relay) {
		eve := r.NewAgent("eve@acme")
		m := r.NewMachine("web-01@acme", "hours = [\"Mon-Fri 08:00-18:00\"]\nzone = \"UTC\"\n"+anything)
		closing := time.Now().Add(5 * time.Minute)
		m.Gate.Now = func() time.Time { return time.Date(2026, 5, 4, 18, 0, 0, 0, time.UTC).Add(time.Since(closing)) }
		c := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
		c.Phase(console.In)
		time.Sleep(4 * time.Minute)
		if st := c.State(); st.Phase != console.In {
			t.Fatalf("sent out before the hour: %s", st.Why)
		}
		time.Sleep(2 * time.Minute)
		c.Phase(console.Over)
	})
}
