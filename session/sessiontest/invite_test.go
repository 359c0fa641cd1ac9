package sessiontest

import (
	"errors"
	"testing"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport"
)

// invited makes an invitation at a console.
func (c *Console) invited(i console.Invite) console.Invitation {
	c.t.Helper()
	n := len(c.State().Invites)
	c.Do(i)
	st := c.Wait("the invitation", func(st console.State) bool { return len(st.Invites) > n })
	return st.Invites[len(st.Invites)-1]
}

// by is the console of an agent who got an address.
func (r *Relay) by(a Agent, url string) agent.Config {
	r.t.Helper()
	i, err := inner.ParseJoin(url)
	must(r.t, err)
	conf := r.Config(a, i.Code)
	conf.HostPin = transport.Pin(i.Pin)
	return conf
}

func TestInvitationBringsAnAgentOfAnotherOrganisation(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, lead := pair(t, r, everything)
		eve := r.NewAgent("eve@bolt")
		before := lead.invited(console.Invite{})
		if u, err := inner.ParseJoin(before.URL); err != nil || u.Pin != "" {
			t.Errorf("the address vouches for a key that nobody has confirmed: %s", before.URL)
		}
		lead.Do(console.ConfirmWords{})
		i := lead.invited(console.Invite{For: "eve@bolt", Life: time.Hour})
		if i.Code == h.Code || i.For != "eve@bolt" || i.ViewOnly || time.Until(i.Expires) > time.Hour || time.Until(i.Expires) < 59*time.Minute {
			t.Errorf("%+v", i)
		}
		stranger := Run(t, agent.Join(r.by(r.NewAgent("bob@bolt"), i.URL)))
		if err := stranger.Result(); !errors.Is(err, agent.ErrUnknownCode) {
			t.Errorf("somebody else came by it: %v", err)
		}
		c := Run(t, agent.Join(r.by(eve, i.URL)))
		if q := h.Customer.Asked("eve@bolt"); q.Org != "Bolt" || !q.Stranger || q.Words != nil {
			t.Errorf("the customer is asked %+v", q)
		}
		h.allowOnly("eve@bolt", everything)
		if st := c.granted(everything); !st.Trusted {
			t.Error("the address did not carry the host's key")
		}
		c.Wait("the invitations", func(st console.State) bool { return len(st.Invites) == 2 }) // who is in sees them
		time.Sleep(time.Hour)
		lead.Wait("the invitations to end", func(st console.State) bool { return len(st.Invites) == 0 })
	})
}

func TestViewOnlyInvitationGetsNoControl(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h, lead := pair(t, r, everything)
		i := lead.invited(console.Invite{ViewOnly: true})
		c := Run(t, agent.Join(r.by(r.NewAgent("eve@bolt"), i.URL)))
		if q := h.Customer.Asked("eve@bolt"); (q.Grants | q.Later).Has(session.Control) {
			t.Errorf("the customer is asked for control: %+v", q)
		}
		h.allowOnly("eve@bolt", session.View|session.Chat)
		c.granted(session.View | session.Chat)
		c.Do(console.TakeControl{})
		st := c.Wait("a refusal", func(st console.State) bool { return st.Outcome.Serial > 0 })
		if st.Outcome.Text != session.ErrInvited.Error() || c.Input(screen.Input{Kind: screen.KeyTap, Key: 'x'}) {
			t.Errorf("outcome %+v", st.Outcome)
		}
		// Without manners, and by the code of the session that it has heard of meanwhile.
		rogue := r.rogue(t, r.SignIn("eve@bolt"), h)
		h.Customer.Answer(h.Customer.Asked("eve@bolt"), session.AllGrants)
		rogue.welcome(t)
		rogue.input(t, screen.Input{Seq: 1, Kind: screen.KeyTap, Key: 'x'})
		rogue.echo(t)
		if got := keys(h.Recorder.Played()); len(got) != 0 {
			t.Errorf("played %v", got)
		}
	})
}

func TestRevokedInvitationIsAnUnknownCode(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		_, lead := pair(t, r, everything)
		i := lead.invited(console.Invite{})
		lead.Do(console.RevokeInvite{Code: i.Code})
		lead.Wait("it to go", func(st console.State) bool { return len(st.Invites) == 0 })
		c := Run(t, agent.Join(r.by(r.NewAgent("eve@bolt"), i.URL)))
		if err := c.Result(); !errors.Is(err, agent.ErrUnknownCode) {
			t.Errorf("%v", err)
		}
		lead.Do(console.RevokeInvite{Code: i.Code})
		lead.Wait("a refusal", func(st console.State) bool { return st.Outcome.Serial == 1 && st.Outcome.Text != "" })
	})
}

func TestInvitationNeedsASession(t *testing.T) {
	t.Parallel()
	Sim(t, 1, func(t *testing.T, r *Relay) {
		h := r.NewHost(nil)
		c := Run(t, agent.Join(r.Config(r.NewAgent("max@acme"), h.Code)))
		c.Phase(console.Knocking)
		if _, err := c.Ask(t.Context(), console.Invite{}); err == nil {
			t.Error("who waits at the door invites others")
		}
		h.Customer.Answer(h.Customer.Asked("max@acme"), session.View)
		c.Phase(console.In)
		var no *agent.NoError
		if _, err := c.Ask(t.Context(), console.Invite{For: "no such name"}); !errors.As(err, &no) {
			t.Errorf("%v", err)
		}
		if _, err := c.Ask(t.Context(), console.Invite{Life: 25 * time.Hour}); !errors.As(err, &no) {
			t.Errorf("%v", err)
		}
		starter := Run(t, agent.Start(r.Config(r.NewAgent("eve@bolt"), "")))
		starter.Phase(console.AwaitingHost)
		i, err := starter.Invite(t.Context(), console.Invite{})
		must(t, err)
		other := r.NewHost(func(c *host.Config) { c.Code = starter.State().Code })
		other.Customer.Allow("eve@bolt", session.View)
		starter.Phase(console.In)
		Run(t, agent.Join(r.by(r.NewAgent("bob@bolt"), i.URL)))
		if q := other.Customer.Asked("bob@bolt"); q.Stranger {
			t.Errorf("%+v is of the lead's organisation", q)
		}
	})
}
