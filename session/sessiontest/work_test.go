package sessiontest

import (
	"errors"
	"testing"

	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
)

func TestProgramsObtainGrants(t *testing.T) {
	r := NewRelay(t)
	anna := r.NewAgent("anna@acme")
	h := r.NewHost(nil)
	conf := r.Config(anna, h.Code)
	conf.Want = session.View | session.Run
	c := Run(t, agent.Join(conf))
	h.Customer.Allow("anna@acme", session.View|session.Run)
	if err := c.Obtain(t.Context(), session.Run); err != nil {
		t.Fatal(err)
	}
	if m, _ := c.State().Roster.Member(c.State().Self); m.Grants != session.View|session.Run {
		t.Errorf("asked for view and run, and has %v", m.Grants)
	}
	got := make(chan error, 1)
	go func() { got <- c.Obtain(t.Context(), session.File) }()
	q := h.Customer.Asked("anna@acme")
	if q.Grants != session.File {
		t.Errorf("the customer is asked for %v", q.Grants)
	}
	h.Customer.Answer(q, 0)
	if err := <-got; !errors.Is(err, console.ErrRefused) {
		t.Errorf("refused: %v", err)
	}
	if err := c.Obtain(t.Context(), session.File); !errors.Is(err, console.ErrRefused) { // the customer is not asked again at once
		t.Errorf("refused a moment ago: %v", err)
	}
	for _, allow := range []session.Grants{session.AllGrants, session.View | session.Chat} {
		h := r.NewHost(func(c *host.Config) { c.Answer = &host.AutoAnswer{Allow: allow} })
		c := Run(t, agent.Join(r.Config(anna, h.Code)))
		c.Phase(console.In)
		if err := c.Obtain(t.Context(), session.Run); errors.Is(err, console.ErrRefused) == allow.Has(session.Run) {
			t.Errorf("%v: %v", allow, err)
		}
	}
}

func TestProgramsPlayInput(t *testing.T) {
	r := NewRelay(t)
	anna := r.NewAgent("anna@acme")
	h := r.NewHost(func(c *host.Config) {
		c.Answer = &host.AutoAnswer{Allow: session.View | session.Control | session.Chat}
	})
	c := Run(t, agent.Join(r.Config(anna, h.Code)))
	c.Phase(console.In)
	if err := c.Obtain(t.Context(), session.View|session.Control); err != nil {
		t.Fatal(err)
	}
	if err := c.Play(t.Context(), []screen.Input{{Kind: screen.TypeText, Text: "hello"}, {Kind: screen.KeyTap, Key: screen.KeyEnter}}); err != nil {
		t.Fatal(err)
	}
	text, enter := "", false // all of it was played when Play returns
	for _, ev := range h.Recorder.Played() {
		text += ev.Text
		enter = enter || ev.Key == screen.KeyEnter
	}
	if text != "hello" || !enter {
		t.Errorf("played %q, enter %v", text, enter)
	}
	h.Customer.Do(host.Revoke{Member: session.Nobody, Grants: session.Control})
	c.Wait("control to be gone", func(st console.State) bool {
		m, _ := st.Roster.Member(st.Self)
		return !m.Grants.Has(session.Control)
	})
	if err := c.Play(t.Context(), []screen.Input{{Kind: screen.TypeText, Text: "x"}}); err == nil {
		t.Error("played without control")
	}
}
