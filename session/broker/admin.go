package broker

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"

	"assist/session/broker/store"
)

// Admin is what only the relay's owner does, on the relay's machine, also while the relay serves. Nothing of it can be asked
// for over the network.
type Admin struct {
	Store *store.Store
	Dir   string // the relay's data folder
}

// ErrPassword says that a password cannot be taken.
var ErrPassword = errors.New("a password has 1 to 1024 bytes")

// byConsole is who the audit log says it was.
const byConsole = "console"

func consoleEvent(kind, detail string) store.Event {
	return store.Event{At: time.Now(), Kind: kind, Actor: byConsole, Outcome: "ok", Detail: detail}
}

// newID is 16 random bytes in base32.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return tokenText.EncodeToString(b)
}

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// AddOrg adds an organisation with a new signing key, which is kept in Dir. An empty title is the handle.
func (a Admin) AddOrg(ctx context.Context, handle, title string) (store.Org, error) {
	if err := CheckName(handle); err != nil {
		return store.Org{}, err
	}
	if title == "" {
		title = handle
	}
	title, err := CheckTitle(title)
	if err != nil {
		return store.Org{}, err
	}
	if _, err := a.Store.Org(ctx, handle); err == nil {
		return store.Org{}, fmt.Errorf("organisation %s: %w", handle, store.ErrExists)
	}
	key, err := newOrgKey(a.Dir, handle)
	if err != nil {
		return store.Org{}, err
	}
	o := store.Org{
		ID: newID(), Handle: handle, Skeleton: skeleton(handle), Title: title,
		Key: key.Public().(ed25519.PublicKey), Created: time.Now(),
	}
	return o, a.Store.AddOrg(ctx, o, consoleEvent("org.add", handle))
}

// SetOrgDisabled stops or allows logins of an organisation; stopping ends those that there are.
func (a Admin) SetOrgDisabled(ctx context.Context, handle string, disabled bool) error {
	kind, since := sinceNow("org", disabled)
	return a.Store.SetOrgDisabled(ctx, handle, since, consoleEvent(kind, handle))
}

// AddAgent adds the agent NAME@ORG.
func (a Admin) AddAgent(ctx context.Context, handle, password string, admin bool) (store.Agent, error) {
	name, org, err := ParseHandle(handle)
	if err != nil {
		return store.Agent{}, err
	}
	o, err := a.Store.Org(ctx, org)
	if err != nil {
		return store.Agent{}, fmt.Errorf("organisation %s: %w", org, err)
	}
	hash, err := hashPassword(password)
	if err != nil {
		return store.Agent{}, err
	}
	g := store.Agent{ID: newID(), Org: o, Name: name, Skeleton: skeleton(name), Password: hash, Admin: admin, Created: time.Now()}
	return g, a.Store.AddAgent(ctx, g, consoleEvent("agent.add", handle))
}

// SetPassword changes the password of NAME@ORG and ends its logins.
func (a Admin) SetPassword(ctx context.Context, handle, password string) error {
	g, err := a.agent(ctx, handle)
	if err != nil {
		return err
	}
	hash, err := hashPassword(password)
	if err != nil {
		return err
	}
	return a.Store.SetPassword(ctx, g.ID, hash, consoleEvent("agent.password", handle))
}

// SetAgentDisabled stops or allows logins of NAME@ORG; stopping ends those that there are.
func (a Admin) SetAgentDisabled(ctx context.Context, handle string, disabled bool) error {
	g, err := a.agent(ctx, handle)
	if err != nil {
		return err
	}
	kind, since := sinceNow("agent", disabled)
	return a.Store.SetDisabled(ctx, g.ID, since, consoleEvent(kind, handle))
}

func sinceNow(what string, disabled bool) (kind string, since time.Time) {
	if disabled {
		return what + ".disable", time.Now()
	}
	return what + ".enable", time.Time{}
}

func (a Admin) agent(ctx context.Context, handle string) (store.Agent, error) {
	name, org, err := ParseHandle(handle)
	if err != nil {
		return store.Agent{}, err
	}
	return a.Store.Agent(ctx, name, org)
}

// hashing is OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
var hashing = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

func hashPassword(password string) (string, error) {
	if password == "" || len(password) > maxPassword {
		return "", ErrPassword
	}
	return argon2id.CreateHash(password, hashing)
}
