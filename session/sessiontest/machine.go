package sessiontest

import (
	"context"
	"strings"

	"assist/session"
	"assist/session/agent"
	"assist/session/host"
	"assist/transport"
	"assist/transport/wire"
)

// Machine is an enrolled machine that answers the first call.
type Machine struct {
	ID       string
	Identity transport.Identity
}

// NewMachine enrols NAME@ORG, whose organisation must be there, and lets it wait for agents.
func (r *Relay) NewMachine(handle string) *Machine {
	t := r.t
	t.Helper()
	name, org, _ := strings.Cut(handle, "@")
	token, err := r.admin.MintEnrolment(t.Context(), org, name, nil, 0)
	must(t, err)
	m := &Machine{Identity: must1(transport.NewIdentity())}
	o := r.Dial(m.Identity)
	reply, err := o.Request(t.Context(), &wire.Request{Kind: &wire.Request_Enroll{Enroll: &wire.Enroll{Secret: token.Secret}}})
	must(t, err)
	m.ID = reply.GetEnrolled().GetId()
	replies, err := o.Subscribe(t.Context(), &wire.Request{Kind: &wire.Request_Attend{Attend: &wire.Attend{Id: m.ID}}})
	must(t, err)
	_, err = replies.Next()
	must(t, err)
	t.Cleanup(run(t, "machine", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, o.Close)()
		reply, err := replies.Next()
		if err != nil {
			return ctx.Err()
		}
		h, err := host.New(host.Config{
			Relay: r.Relay, Options: r.options(nil), Identity: m.Identity, Session: reply.GetCalled().GetSession(),
			Source: NewDisplay(640, 480), Injector: NewRecorder(), Answer: &host.AutoAnswer{Allow: session.AllGrants}, Software: "assist test",
		})
		if err != nil {
			return err
		}
		return h.Run(ctx)
	}))
	return m
}

// connect is what the console of a begins with on a machine.
func (r *Relay) connect(a Agent, machine string, known agent.Pins) agent.Config {
	conf := r.Config(a, "")
	conf.Machine, conf.Machines = machine, known
	return conf
}
