package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assist/chat"
	"assist/session/broker/store"
	"assist/transport/wire"
)

// Limits of enrolments and machines.
const (
	enrolLife        = time.Hour // when none is asked for
	enrolMaxLife     = 30 * day
	maxTags          = 16
	maxLimits        = 2 << 10 // bytes of the policy from outside
	mintsPerMinute   = 30      // enrolment tokens, of one account
	machinesInAReply = 16
)

// ErrEnrolment says that an enrolment token cannot be made as asked.
var ErrEnrolment = errors.New("an enrolment token lives from a second to 30 days")

// EnrolmentToken is a fresh token: what a machine needs to be enrolled once.
type EnrolmentToken struct {
	Secret  string
	Org     store.Org
	Expires time.Time
}

// MintEnrolment makes a token for one machine of an organisation. The zero life is an hour.
func (a Admin) MintEnrolment(ctx context.Context, org, name string, tags []string, life time.Duration) (EnrolmentToken, error) {
	o, err := a.Store.Org(ctx, org)
	if err != nil {
		return EnrolmentToken{}, fmt.Errorf("organisation %s: %w", org, err)
	}
	return mintEnrolment(ctx, a.Store, o, byConsole, name, tags, life, consoleEvent("machine.token", ""))
}

func mintEnrolment(ctx context.Context, s *store.Store, o store.Org, by, name string, tags []string, life time.Duration, ev store.Event) (EnrolmentToken, error) {
	tags, err := checkTags(tags)
	if err != nil {
		return EnrolmentToken{}, err
	}
	if name != "" {
		if err := CheckName(name); err != nil {
			return EnrolmentToken{}, err
		}
	}
	if life == 0 {
		life = enrolLife
	}
	if life < time.Second || life > enrolMaxLife {
		return EnrolmentToken{}, ErrEnrolment
	}
	b := make([]byte, 20)
	rand.Read(b)
	now := time.Now()
	t := EnrolmentToken{Secret: tokenText.EncodeToString(b), Org: o, Expires: now.Add(life)}
	ev.Detail = fmt.Sprintf("for %s, until %s", strings.TrimPrefix(name+"@"+o.Handle, "@"), t.Expires.UTC().Format(time.RFC3339))
	return t, s.AddEnrolment(ctx, store.Enrolment{
		Hash: tokenHash(t.Secret), Org: o, Name: name, Tags: tags, By: by, Made: now, Expires: t.Expires,
	}, ev)
}

// checkTags returns them sorted, each once.
func checkTags(tags []string) ([]string, error) {
	if len(tags) > maxTags {
		return nil, fmt.Errorf("tags: %w: %d at most", ErrName, maxTags)
	}
	out := slices.Clone(tags)
	for _, t := range out {
		if err := CheckName(t); err != nil {
			return nil, fmt.Errorf("tag: %w", err)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// administrator is the agent of a token, who must be an administrator of an organisation.
func (b *Broker) administrator(ctx context.Context, x *exchange, token, org string) (store.Agent, error) {
	a, _, err := b.who(ctx, x, token)
	if err != nil {
		return a, err
	}
	if !a.Admin || a.Org.Handle != org {
		return a, no(wire.CodeForbidden, "only an administrator of "+org+" can do that")
	}
	return a, nil
}

func (b *Broker) mintEnrolment(ctx context.Context, x *exchange, r *wire.MintEnrolment) error {
	if CheckName(r.Org) != nil {
		return refuseRequest
	}
	a, err := b.administrator(ctx, x, r.Token, r.Org)
	if err != nil {
		return err
	}
	if wait := b.invites.take(a.ID, time.Now()); wait > 0 {
		return slowDown(wait)
	}
	t, err := mintEnrolment(ctx, b.store, a.Org, a.Handle(), r.Name, r.Tags, time.Duration(r.LifeS)*time.Second, x.event("machine.token", a.Handle(), "ok"))
	if errors.Is(err, ErrName) || errors.Is(err, ErrEnrolment) {
		return no(wire.CodeBadRequest, err.Error())
	}
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Enrolment{Enrolment: &wire.Enrolment{
		Secret: t.Secret, OrgKey: t.Org.Key, ExpiresUnix: t.Expires.Unix(),
	}}})
}

// enroll makes a machine of whoever has a token. A wrong one counts like a wrong code.
func (b *Broker) enroll(ctx context.Context, x *exchange, r *wire.Enroll) error {
	t, wait := b.codes.begin("", x.addr.Addr(), time.Now())
	if wait > 0 {
		return slowDown(wait)
	}
	m, err := b.store.Enroll(ctx, tokenHash(r.Secret), time.Now(), func(e store.Enrolment) (store.Machine, store.Event, error) {
		name, err := nameOfMachine(e, r)
		if err != nil {
			return store.Machine{}, store.Event{}, err
		}
		m := store.Machine{
			ID: newID(), Org: e.Org, Name: name, Skeleton: skeleton(name), Key: x.key, OS: chat.Name(chat.Clip(r.Os, maxSystem)),
			Tags: e.Tags, Enrolled: time.Now(), By: e.By,
		}
		ev := x.event("machine.enrol", m.Handle(), "ok")
		ev.Detail = "by a token of " + e.By
		return m, ev, nil
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		t.wrong(time.Now())
		b.note(x.event("machine.enrol", "", "wrong token"))
		x.evenOut(ctx)
		return no(wire.CodeToken, "this enrolment token is unknown, used or expired")
	case errors.Is(err, store.ErrExists):
		t.right()
		return no(wire.CodeMachineKey, "a machine of this name, or one that looks like it, is enrolled with another key: an administrator has to remove it first")
	}
	t.right()
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Enrolled{Enrolled: &wire.Enrolled{
		Id: m.ID, Name: m.Name, Org: m.Org.Handle, OrgTitle: m.Org.Title, OrgKey: m.Org.Key,
	}}})
}

// nameOfMachine is what the token says, else what the machine asks for, else what it suggests.
func nameOfMachine(e store.Enrolment, r *wire.Enroll) (string, error) {
	name := e.Name
	switch {
	case name != "" && r.Name != "" && r.Name != name:
		return "", no(wire.CodeBadRequest, "the token is for a machine of another name")
	case name == "" && r.Name != "":
		name = r.Name
	case name == "":
		name = r.Suggested
	}
	if err := CheckName(name); err != nil {
		return "", no(wire.CodeBadRequest, err.Error())
	}
	return name, nil
}
