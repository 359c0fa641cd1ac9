package sessiontest

import (
	"context"
	"errors"
	"testing"

	"assist/session/agent"
	"assist/session/console"
	"assist/transport"
)

// pins are the machines that one console knows.
type pins map[string]transport.Pin

func (p pins) MachinePin(handle string) (transport.Pin, error) { return p[handle], nil }
func (p pins) KeepMachine(handle string, pin transport.Pin) error {
	p[handle] = pin
	return nil
}

func TestAgentConnectsToAMachineAsItsLead(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme")
	known := pins{}
	c := Run(t, agent.Connect(r.connect(eve, "web-01", known)))
	st := c.Phase(console.In)
	if !st.Trusted || st.Words != nil || st.Machine != "web-01@acme" || st.Roster.Lead != st.Self {
		t.Errorf("%+v", st)
	}
	if known["web-01@acme"] != m.Identity.Fingerprint.Pin() {
		t.Errorf("pinned: %v", known)
	}

	bob := r.NewAgent("bob@acme")
	second := Run(t, agent.Connect(r.connect(bob, "web-01@acme", pins{})))
	if st := second.Phase(console.In); st.Roster.Lead == st.Self || len(st.Roster.Members) != 3 {
		t.Errorf("the second agent: %+v", st.Roster)
	}
}

func TestConsoleRefusesAMachineWithAnotherKey(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	r.NewMachine("web-01@acme")
	other := must1(transport.NewIdentity()).Fingerprint.Pin()
	err := agent.Connect(r.connect(eve, "web-01", pins{"web-01@acme": other})).Run(context.Background())
	var key *agent.HostKeyError
	if !errors.As(err, &key) || key.Machine != "web-01@acme" || key.Want != other {
		t.Errorf("got %v", err)
	}
}

func TestMachinesThatCannotBeHad(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve, max := r.NewAgent("eve@acme"), r.NewAgent("max@evil")
	r.NewMachine("web-01@acme")
	for _, c := range []struct {
		who  Agent
		name string
		want error
	}{{eve, "nothing", agent.ErrNoMachine}, {max, "web-01@acme", agent.ErrNoMachine}, {max, "web-01", agent.ErrNoMachine}} {
		if err := agent.Connect(r.connect(c.who, c.name, nil)).Run(context.Background()); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v", c.who.Handle, c.name, err)
		}
	}
}
