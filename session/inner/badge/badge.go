// Package badge holds the two things that say who an agent is: the badge, which the broker signs for one session, one host
// and one device key and which lives for a minute; and the device certificate, by which an organisation's own key vouches
// for an agent's device for a month.
//
// Both are PASETO v4.public tokens (Ed25519, no algorithm field), told apart by their implicit assertion, so that neither
// can stand for the other. The broker signs, the host parses and checks. The package keeps nothing: that an ID is used
// only once is for the host to remember until the badge has expired. It starts no goroutine and reads no clock.
package badge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidanwoods.dev/go-paseto"

	"assist/session"
)

// Times that both sides keep to.
const (
	Life     = time.Minute         // of a badge, from Issued to Expires
	CertLife = 30 * 24 * time.Hour // of a device certificate
	Skew     = time.Minute         // how far two clocks may differ (threats A43)
)

// Limits in bytes, checked before anything is decoded.
const (
	limitBadge = 8 << 10
	limitCert  = 2 << 10
)

const (
	badgeVersion = 1
	badgeContext = "assist badge 1"
	certContext  = "assist device certificate 1"
)

// What is wrong with a badge or a certificate. Parse and Check wrap these.
var (
	ErrForged       = errors.New("not signed by the expected key")
	ErrMalformed    = errors.New("malformed")
	ErrExpired      = errors.New("expired")
	ErrNotYet       = errors.New("from the future")
	ErrOtherSession = errors.New("made for another session")
	ErrOtherHost    = errors.New("made for another host")
	ErrOtherDevice  = errors.New("made for another device")
)

// Claims is what a badge says.
type Claims struct {
	ID       string         // random, for one use
	Session  [16]byte       // the session it is for
	Host     [32]byte       // KeyHash of the host it is for
	Device   [32]byte       // KeyHash of the agent's device: the client certificate of the end-to-end connection must have it
	Agent    string         // the broker's id of the agent
	Name     string         // display name
	Handle   string         // NAME@ORG
	Org      string         // ORG
	OrgTitle string         // as people read it
	Ceiling  session.Role   // at most this role; what the agent becomes is for the host to decide
	Most     session.Grants // at most these grants; 0: no bound. The host asks for no more and gives no more
	OrgKey   ed25519.PublicKey
	OrgCert  string // device certificate signed by OrgKey; empty when there is none
	Issued   time.Time
	Expires  time.Time
}

type badgeJSON struct {
	V        int       `json:"v"`
	ID       string    `json:"jti"`
	Session  []byte    `json:"session"`
	Host     []byte    `json:"host"`
	Device   []byte    `json:"device"`
	Agent    string    `json:"agent"`
	Name     string    `json:"name"`
	Handle   string    `json:"handle"`
	Org      string    `json:"org"`
	OrgTitle string    `json:"org_title"`
	Ceiling  uint8     `json:"ceiling"`
	Most     uint32    `json:"most,omitempty"`
	OrgKey   []byte    `json:"org_key,omitempty"`
	OrgCert  string    `json:"org_cert,omitempty"`
	Issued   time.Time `json:"iat"`
	Expires  time.Time `json:"exp"`
}

// KeyHash names a public key: SHA-256 of its SubjectPublicKeyInfo (RFC 5280 4.1), as transport.Fingerprint does.
func KeyHash(key ed25519.PublicKey) [32]byte {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err) // only for key types that x509 does not know
	}
	return sha256.Sum256(der)
}

// Sign makes the badge of c under the broker's key.
func Sign(key ed25519.PrivateKey, c Claims) (string, error) {
	return sign(key, badgeContext, badgeJSON{
		V: badgeVersion, ID: c.ID, Session: c.Session[:], Host: c.Host[:], Device: c.Device[:],
		Agent: c.Agent, Name: c.Name, Handle: c.Handle, Org: c.Org, OrgTitle: c.OrgTitle, Ceiling: uint8(c.Ceiling), Most: uint32(c.Most),
		OrgKey: c.OrgKey, OrgCert: c.OrgCert, Issued: c.Issued.UTC(), Expires: c.Expires.UTC(),
	})
}

// Parse reads a badge that the broker's key pub must have signed, and checks its times against now within Skew. Whom the
// badge is for is checked by Claims.Check. Errors wrap ErrForged, ErrMalformed, ErrExpired or ErrNotYet.
func Parse(pub ed25519.PublicKey, s string, now time.Time) (Claims, error) {
	var j badgeJSON
	if err := open(pub, badgeContext, s, limitBadge, &j); err != nil {
		return Claims{}, fmt.Errorf("badge: %w", err)
	}
	c := Claims{
		ID: j.ID, Agent: j.Agent, Name: j.Name, Handle: j.Handle, Org: j.Org, OrgTitle: j.OrgTitle,
		Ceiling: session.Role(j.Ceiling), Most: session.Grants(j.Most), OrgKey: j.OrgKey, OrgCert: j.OrgCert, Issued: j.Issued, Expires: j.Expires,
	}
	whole := j.V == badgeVersion && j.ID != "" && copy(c.Session[:], j.Session) == 16 && copy(c.Host[:], j.Host) == 32 &&
		copy(c.Device[:], j.Device) == 32 && len(j.Session) == 16 && len(j.Host) == 32 && len(j.Device) == 32 &&
		(len(j.OrgKey) == 0 || len(j.OrgKey) == ed25519.PublicKeySize)
	if !whole || j.Expires.Sub(j.Issued) > Life || (c.Ceiling != session.Agent && c.Ceiling != session.Lead) {
		return Claims{}, fmt.Errorf("badge: %w", ErrMalformed)
	}
	if err := timely(j.Issued, j.Expires, now); err != nil {
		return Claims{}, fmt.Errorf("badge: %w", err)
	}
	return c, nil
}

// Check says whether the badge is for this session, this host and the device at the other end of the link (KeyHash of its
// client certificate's key). Errors are ErrOtherSession, ErrOtherHost and ErrOtherDevice.
func (c Claims) Check(sess [16]byte, host, device [32]byte) error {
	switch {
	case c.Session != sess:
		return ErrOtherSession
	case c.Host != host:
		return ErrOtherHost
	case c.Device != device:
		return ErrOtherDevice
	}
	return nil
}

// Trust is how far the host may trust the organisation of a parsed badge: session.VerifiedOrg when trusted accepts the
// organisation's key and that key vouches for the device; otherwise session.RelayOnly, because the broker signed the badge.
func (c Claims) Trust(now time.Time, trusted func(org string, key ed25519.PublicKey) bool) session.Trust {
	if trusted == nil || c.OrgCert == "" || len(c.OrgKey) != ed25519.PublicKeySize || !trusted(c.Org, c.OrgKey) {
		return session.RelayOnly
	}
	cert, err := ParseCert(c.OrgKey, c.OrgCert, now)
	if err != nil || cert.Org != c.Org || cert.Handle != c.Handle || cert.Device != c.Device {
		return session.RelayOnly
	}
	return session.VerifiedOrg
}

func sign(key ed25519.PrivateKey, context string, claims any) (string, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	token, err := paseto.NewTokenFromClaimsJSON(body, nil)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	secret, err := paseto.NewV4AsymmetricSecretKeyFromEd25519(key)
	if err != nil {
		return "", fmt.Errorf("signing key: %w", err)
	}
	return token.V4Sign(secret, []byte(context)), nil
}

func open(pub ed25519.PublicKey, context, s string, limit int, into any) error {
	const header = "v4.public."
	if len(s) > limit || len(s) < len(header) || s[:len(header)] != header {
		return ErrMalformed
	}
	// One text a badge: no footer, no other spelling of the same bytes.
	if _, err := base64.RawURLEncoding.Strict().DecodeString(s[len(header):]); err != nil || strings.ContainsAny(s, "\r\n") {
		return ErrMalformed
	}
	key, err := paseto.NewV4AsymmetricPublicKeyFromEd25519(pub)
	if err != nil {
		return fmt.Errorf("verification key: %w", err)
	}
	token, err := paseto.MakeParser(nil).ParseV4Public(key, s, []byte(context))
	if err != nil {
		return ErrForged
	}
	if err := json.Unmarshal(token.ClaimsJSON(), into); err != nil {
		return ErrMalformed
	}
	return nil
}

// timely allows now to be Skew outside of issued and expires.
func timely(issued, expires, now time.Time) error {
	switch {
	case issued.IsZero() || expires.IsZero():
		return ErrMalformed
	case now.Add(Skew).Before(issued):
		return ErrNotYet
	case now.Add(-Skew).After(expires):
		return ErrExpired
	}
	return nil
}
