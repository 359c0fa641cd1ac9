package account

import (
	"time"

	"github.com/zalando/go-keyring"
)

// Keeps says where secrets are kept: in the system's keyring, or in the file of that name.
func (b *Book) Keeps() (file string, ring bool) {
	_ = b.secrets.try(func() error { // it finds nothing, which tells that the keyring answers
		_, err := keyring.Get(service, "nothing"+b.secrets.mark)
		return err
	})
	return b.secrets.path, b.secrets.ring
}

// ServerOffset is the relay's clock minus this one's.
func (v *Visit) ServerOffset() time.Duration { return v.outer.ServerOffset() }
