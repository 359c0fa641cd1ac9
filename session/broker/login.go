package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"

	"assist/chat"
	"assist/session/broker/store"
	"assist/session/inner/badge"
	"assist/transport/wire"
)

const (
	tokenLife    = 30 * day
	maxDevice    = 64 // bytes of a device's name
	hashesAtOnce = 2  // each takes 19 MiB and a core for some 30 ms
	hashesQueued = 32
)

// hasher checks passwords, a bounded number at a time.
type hasher struct {
	running chan struct{}
	waiting chan struct{}
	decoy   string // compared for accounts that do not exist, so that they take as long
}

func newHasher() (*hasher, error) {
	decoy, err := argon2id.CreateHash("nobody has this password", hashing)
	if err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return &hasher{make(chan struct{}, hashesAtOnce), make(chan struct{}, hashesAtOnce+hashesQueued), decoy}, nil
}

// check compares a password with the hash of an account, or with the decoy when there is none (empty).
func (h *hasher) check(ctx context.Context, password, hash string) (bool, error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return false, &refusal{code: wire.CodeFull, text: "too many logins at once", after: 2 * time.Second}
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := hash != ""
	if !known {
		hash = h.decoy
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	return same && known, err
}

// login answers a right password with a token that is worth something from this device only.
func (b *Broker) login(ctx context.Context, x *exchange, r *wire.Login) error {
	if len(r.Password) > maxPassword || len(r.Account) > 2*maxTitleBytes {
		return refuseRequest
	}
	account, who, err := b.candidate(ctx, x, r.Account)
	if err != nil {
		return err
	}
	if err := b.fleet.hear(ctx); err != nil {
		return err
	}
	now := time.Now()
	t, wait := b.logins.begin(who, x.addr.Addr(), now)
	if wait > 0 {
		return slowDown(wait)
	}
	hash := account.Password
	if !account.Active() {
		hash = ""
	}
	right, err := b.hashes.check(ctx, r.Password, hash)
	if err != nil {
		t.right() // it was not looked at
		return err
	}
	if !right {
		b.note(x.event("login", who, "wrong"))
		b.fleet.tellWrong(ctx, kindLogin, who, x.addr.Addr())
		if t.wrong(time.Now()) {
			b.tell("login.locked", "account "+who+" is locked for a while after wrong passwords")
		}
		x.evenOut(ctx)
		return no(wire.CodeBadLogin, "wrong account or password")
	}
	t.right()
	return b.loggedIn(ctx, x, account, chat.Name(chat.Clip(r.Device, maxDevice)))
}

// candidate finds the account that is tried. An unknown one is a zero Agent; who names what the tries are counted on. A device
// that the account has logged in from before has a count of its own, so that strangers cannot lock its owner out.
func (b *Broker) candidate(ctx context.Context, x *exchange, handle string) (a store.Agent, who string, err error) {
	name, org, err := ParseHandle(handle)
	if err != nil {
		return store.Agent{}, "nobody", nil
	}
	who = name + "@" + org
	a, err = b.store.Agent(ctx, name, org)
	if errors.Is(err, store.ErrNotFound) {
		return store.Agent{}, who, nil
	}
	if err != nil {
		return store.Agent{}, "", err
	}
	known, err := b.store.KnowsDevice(ctx, a.ID, x.key)
	if known {
		who += fmt.Sprintf(" on %x", x.key[:8])
	}
	return a, who, err
}

func (b *Broker) loggedIn(ctx context.Context, x *exchange, a store.Agent, device string) error {
	var secret [32]byte
	rand.Read(secret[:])
	token := tokenText.EncodeToString(secret[:])
	now := time.Now()
	l := store.Login{
		Agent: a.ID, Device: x.key, Name: device, Cert: b.certify(a, x.key, now),
		Token: tokenHash(token), Created: now, Expires: now.Add(tokenLife),
	}
	if err := b.store.AddLogin(ctx, l, x.event("login", a.Handle(), "ok")); err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_LoggedIn{LoggedIn: &wire.LoggedIn{
		Token: token, Account: accountOf(a), ExpiresUnix: l.Expires.Unix(),
	}}})
}

// certify lets the organisation's key vouch for a device, where that key is here.
func (b *Broker) certify(a store.Agent, device [32]byte, now time.Time) string {
	key, err := b.conf.OrgKey(a.Org.Handle)
	if err != nil {
		b.log.Info("no device certificate", "org", a.Org.Handle, "err", err)
		return ""
	}
	cert, err := badge.SignCert(key, badge.Cert{
		Org: a.Org.Handle, Handle: a.Handle(), Device: device, Issued: now, Expires: now.Add(badge.CertLife),
	})
	if err != nil {
		b.log.Error("sign device certificate", "err", err)
	}
	return cert
}

func tokenHash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

func accountOf(a store.Agent) *wire.Account {
	return &wire.Account{Id: a.ID, Name: a.Name, Org: a.Org.Handle, OrgTitle: a.Org.Title, Admin: a.Admin}
}

// who finds the agent of a token that this device presents.
func (b *Broker) who(ctx context.Context, x *exchange, token string) (a store.Agent, cert string, err error) {
	if token == "" {
		return store.Agent{}, "", refuseLogin
	}
	a, cert, err = b.store.LoggedIn(ctx, tokenHash(token), x.key, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return store.Agent{}, "", refuseLogin
	}
	return a, cert, err
}

func (b *Broker) whoami(ctx context.Context, x *exchange, r *wire.Whoami) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Account{Account: accountOf(a)}})
}

func (b *Broker) logout(ctx context.Context, x *exchange, r *wire.Logout) error {
	a, _, err := b.who(ctx, x, r.Token)
	if err != nil {
		return err
	}
	if err := b.store.EndLogin(ctx, tokenHash(r.Token), x.key, x.event("logout", a.Handle(), "ok")); err != nil {
		return err
	}
	return x.done()
}

func (x *exchange) done() error {
	return x.reply(&wire.Reply{Kind: &wire.Reply_Done{Done: &wire.Done{}}})
}
