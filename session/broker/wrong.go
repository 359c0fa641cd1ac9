package broker

import (
	"context"
	"net/netip"
	"time"

	"assist/session/broker/store"
)

// The kinds of wrong tries, as the relays tell each other.
const (
	kindCode  = "code"
	kindLogin = "login"

	hearWithin = 2 * time.Second
)

// hear counts the wrong tries of the other relays.
func (f *fleet) hear(ctx context.Context) error {
	if f == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hearWithin)
	defer cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	tries, err := f.b.store.WrongTries(ctx, f.heard, f.ID)
	if err != nil {
		return err
	}
	for _, w := range tries {
		f.heard = w.ID
		l := map[string]*limits{kindCode: f.b.codes, kindLogin: f.b.logins}[w.Kind]
		if addr, err := netip.ParseAddr(w.Address); err == nil && l != nil {
			l.told(w.Account, addr, w.At)
		}
	}
	return nil
}

// tellWrong lets the other relays count a wrong try of here.
func (f *fleet) tellWrong(ctx context.Context, kind, account string, addr netip.Addr) {
	if f == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hearWithin)
	defer cancel()
	w := store.WrongTry{Relay: f.ID, Kind: kind, Account: account, Address: addr.Unmap().WithZone("").String(), At: time.Now()}
	if err := f.b.store.TellWrong(ctx, w); err != nil {
		f.b.log.Error("tell the other relays of a wrong try", "err", err)
	}
}
