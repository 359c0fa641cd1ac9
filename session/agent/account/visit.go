package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assist/transport"
	"assist/transport/wire"
)

const askWithin = 15 * time.Second

// Visit is a connection to a relay's broker with this user's device key for it.
type Visit struct {
	book     *Book
	outer    *transport.Outer
	relay    transport.Relay // that was asked for; another one of its fleet may answer
	relays   *transport.Relays
	id       transport.Identity
	software string
}

// Dial connects to the relay at addr. With a pin that is what it must match; without, the pin from known_relays, else the
// system's certificates. Nothing is kept yet. Errors are those of transport.DialRelay.
func (b *Book) Dial(ctx context.Context, addr string, pin transport.Pin, software string) (*Visit, error) {
	known, err := b.Pin(addr)
	if err != nil {
		return nil, err
	}
	if pin == "" {
		pin = known
	}
	id, err := b.Device(addr)
	if err != nil {
		return nil, err
	}
	v := &Visit{book: b, relay: transport.Relay{Addr: addr, Pin: pin}, id: id, software: software}
	login, err := b.Login(addr)
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	v.relays = transport.NewRelays(v.relay, login.Fleet...)
	return v, v.dial(ctx)
}

func (v *Visit) dial(ctx context.Context) (err error) {
	v.outer, err = v.relays.Dial(ctx, v.id, transport.Options{Software: v.software})
	return err
}

// Close ends the connection.
func (v *Visit) Close() {
	if v.outer != nil {
		v.outer.Close()
	}
}

// Login logs in, keeps the login, and makes this relay the default. device is a name that a person recognises.
func (v *Visit) Login(ctx context.Context, user, password, device string) (*wire.Account, error) {
	reply, err := v.ask(ctx, &wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: user, Password: password, Device: device}}})
	if err != nil {
		return nil, err
	}
	in := reply.GetLoggedIn()
	if in.GetToken() == "" || in.GetAccount() == nil {
		return nil, errAnswer
	}
	return in.Account, v.book.Keep(Login{
		Relay: v.relay, User: Handle(in.Account), Token: in.Token, Expires: time.Unix(in.ExpiresUnix, 0).UTC(), Identity: v.id, Fleet: v.outer.Fleet(),
	})
}

// Whoami asks the relay whom it takes the kept login for.
func (v *Visit) Whoami(ctx context.Context) (*wire.Account, error) {
	l, err := v.book.Login(v.relay.Addr)
	if err != nil {
		return nil, err
	}
	reply, err := v.ask(ctx, &wire.Request{Kind: &wire.Request_Whoami{Whoami: &wire.Whoami{Token: l.Token}}})
	if err != nil {
		return nil, err
	}
	if reply.GetAccount() == nil {
		return nil, errAnswer
	}
	return reply.GetAccount(), nil
}

// Logout ends the kept login at the relay. Forget drops it here.
func (v *Visit) Logout(ctx context.Context) error {
	l, err := v.book.Login(v.relay.Addr)
	if err != nil {
		return err
	}
	_, err = v.ask(ctx, &wire.Request{Kind: &wire.Request_Logout{Logout: &wire.Logout{Token: l.Token}}})
	return err
}

// errAnswer says that a relay answered something else than it was asked.
var errAnswer = errors.New("the relay's answer makes no sense")

func (v *Visit) ask(ctx context.Context, r *wire.Request) (reply *wire.Reply, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, askWithin, fmt.Errorf("relay %s: no answer for %v", v.relay.Addr, askWithin))
	defer cancel()
	moved := false
	err = v.relays.Follow(func() (err error) {
		if moved {
			v.Close()
			if err = v.dial(ctx); err != nil {
				return err
			}
		}
		moved = true
		reply, err = v.outer.Request(ctx, r)
		return err
	})
	return reply, err
}

// Handle is NAME@ORG.
func Handle(a *wire.Account) string { return a.GetName() + "@" + a.GetOrg() }
