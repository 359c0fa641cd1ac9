package transport

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// maxCertificate is the largest certificate in bytes that is looked at: parsing is not linear in its length.
const maxCertificate = 16 << 10

// Fingerprint names a public key: the SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1).
type Fingerprint [32]byte

// Pin is the short form of a Fingerprint that people and URLs carry: "1." and the first 20 bytes in lower-case base32
// (RFC 4648) without padding. 160 bits are more than can be searched offline.
type Pin string

const pinBytes = 20

var pinEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ErrPin says that a text is not a pin.
var ErrPin = errors.New("not a key fingerprint (1. and 32 letters and digits)")

// FingerprintOf is the fingerprint of a certificate's key.
func FingerprintOf(cert *x509.Certificate) Fingerprint {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// Pin is the short form of f.
func (f Fingerprint) Pin() Pin { return Pin("1." + pinEncoding.EncodeToString(f[:pinBytes])) }

func (f Fingerprint) String() string { return string(f.Pin()) }

// ParsePin reads a pin; capitals and space around it do not matter.
func ParsePin(s string) (Pin, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	rest, ok := strings.CutPrefix(s, "1.")
	if !ok || len(rest) != pinEncoding.EncodedLen(pinBytes) {
		return "", ErrPin
	}
	if _, err := pinEncoding.DecodeString(rest); err != nil {
		return "", ErrPin
	}
	return Pin(s), nil
}

// Match says whether p is the pin of f; an empty pin matches nothing.
func (p Pin) Match(f Fingerprint) bool {
	return subtle.ConstantTimeCompare([]byte(p), []byte(f.Pin())) == 1
}

// Identity is an Ed25519 key and a self-signed certificate for it: who an end is on both layers.
type Identity struct {
	Key         ed25519.PrivateKey
	Cert        tls.Certificate
	Fingerprint Fingerprint
}

// NewIdentity makes a fresh key.
func NewIdentity() (Identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("make key: %w", err)
	}
	return IdentityFromKey(key)
}

// IdentityFromKey makes a certificate for key. The certificate says nothing but the key and never ends (RFC 5280, 4.1.2.5:
// 99991231235959Z): who trusts it pins the key.
func IdentityFromKey(key ed25519.PrivateKey) (Identity, error) {
	if len(key) != ed25519.PrivateKeySize {
		return Identity{}, fmt.Errorf("make certificate: key of %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, key.Public(), key)
	if err != nil {
		return Identity{}, fmt.Errorf("make certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return Identity{}, fmt.Errorf("make certificate: %w", err)
	}
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return Identity{Key: key, Cert: cert, Fingerprint: FingerprintOf(leaf)}, nil
}

// leafOf is the certificate that the other side showed, if its size is reasonable.
func leafOf(cs tls.ConnectionState) (*x509.Certificate, error) {
	if len(cs.PeerCertificates) == 0 {
		return nil, errors.New("no certificate shown")
	}
	leaf := cs.PeerCertificates[0]
	if len(leaf.Raw) > maxCertificate {
		return nil, fmt.Errorf("certificate of %d bytes, %d allowed", len(leaf.Raw), maxCertificate)
	}
	return leaf, nil
}
