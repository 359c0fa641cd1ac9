package badge

import (
	"crypto/ed25519"
	"fmt"
	"time"
)

// Cert is what an organisation says of one device of one of its agents.
type Cert struct {
	Org     string   // ORG
	Handle  string   // NAME@ORG
	Device  [32]byte // KeyHash of the device
	Issued  time.Time
	Expires time.Time // at most CertLife after Issued
}

type certJSON struct {
	V       int       `json:"v"`
	Org     string    `json:"org"`
	Handle  string    `json:"handle"`
	Device  []byte    `json:"device"`
	Issued  time.Time `json:"iat"`
	Expires time.Time `json:"exp"`
}

// SignCert makes the device certificate of c under the organisation's key.
func SignCert(key ed25519.PrivateKey, c Cert) (string, error) {
	return sign(key, certContext, certJSON{
		V: badgeVersion, Org: c.Org, Handle: c.Handle, Device: c.Device[:], Issued: c.Issued.UTC(), Expires: c.Expires.UTC(),
	})
}

// ParseCert reads a device certificate that the organisation's key pub must have signed, with times as in Parse.
func ParseCert(pub ed25519.PublicKey, s string, now time.Time) (Cert, error) {
	var j certJSON
	if err := open(pub, certContext, s, limitCert, &j); err != nil {
		return Cert{}, fmt.Errorf("device certificate: %w", err)
	}
	c := Cert{Org: j.Org, Handle: j.Handle, Issued: j.Issued, Expires: j.Expires}
	if j.V != badgeVersion || len(j.Device) != len(c.Device) || j.Expires.Sub(j.Issued) > CertLife {
		return Cert{}, fmt.Errorf("device certificate: %w", ErrMalformed)
	}
	copy(c.Device[:], j.Device)
	if err := timely(j.Issued, j.Expires, now); err != nil {
		return Cert{}, fmt.Errorf("device certificate: %w", err)
	}
	return c, nil
}
