package account

import (
	"context"
	"fmt"

	"assist/transport/wire"
)

// maxMachines is the longest list of machines that is taken from a relay.
const maxMachines = 100_000

// Machines lists the machines of the agent's organisation; with tag only those that have it.
func (v *Visit) Machines(ctx context.Context, tag string) ([]*wire.Machine, error) {
	l, err := v.book.Login(v.relay.Addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, askWithin, fmt.Errorf("relay %s: no answer for %v", v.relay.Addr, askWithin))
	defer cancel()
	ask := &wire.ListMachines{Token: l.Token, Tag: tag}
	replies, err := v.outer.Subscribe(ctx, &wire.Request{Kind: &wire.Request_ListMachines{ListMachines: ask}})
	if err != nil {
		return nil, err
	}
	defer replies.Close()
	var out []*wire.Machine
	for {
		reply, err := replies.Next()
		if err != nil {
			return nil, err
		}
		page := reply.GetMachines()
		if page == nil || len(out)+len(page.All) > maxMachines {
			return nil, errAnswer
		}
		out = append(out, page.All...)
		if !page.More {
			return out, nil
		}
	}
}

// MintEnrolment makes a token by which one machine can be enrolled.
func (v *Visit) MintEnrolment(ctx context.Context, m *wire.MintEnrolment) (*wire.Enrolment, error) {
	l, err := v.book.Login(v.relay.Addr)
	if err != nil {
		return nil, err
	}
	m.Token = l.Token
	reply, err := v.ask(ctx, &wire.Request{Kind: &wire.Request_MintEnrolment{MintEnrolment: m}})
	if err != nil {
		return nil, err
	}
	e := reply.GetEnrolment()
	if e.GetSecret() == "" || len(e.OrgKey) != 32 {
		return nil, errAnswer
	}
	return e, nil
}

// ChangeMachine removes, renames, tags or restricts a machine.
func (v *Visit) ChangeMachine(ctx context.Context, c *wire.ChangeMachine) error {
	l, err := v.book.Login(v.relay.Addr)
	if err != nil {
		return err
	}
	c.Token = l.Token
	_, err = v.ask(ctx, &wire.Request{Kind: &wire.Request_ChangeMachine{ChangeMachine: c}})
	return err
}
