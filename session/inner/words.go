package inner

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// Three words show whether host and console are the two ends of one TLS connection (threats 2.5, after ZRTP): the console
// commits to its nonce, the host sends its own, the console reveals. Whoever sits in between has two connections with
// different exporters and must choose its nonces before it knows the others': one try, 1 in 2^33.
const (
	sasLabel  = "EXPORTER-assist-sas" // RFC 8446 7.5; the prefix is that of RFC 5705 section 4
	sasInfo   = "assist words 1"
	wordBits  = 11 // 2048 words of BIP 39
	wordCount = 3
)

// ErrReveal says that a revealed nonce is not the one that was committed to.
var ErrReveal = errors.New("the revealed nonce does not fit its commitment")

// Exporter gives keying material of a TLS connection (RFC 8446 7.5). A transport.Link is one.
type Exporter interface {
	Exporter(label string, context []byte, n int) ([]byte, error)
}

// NewNonce gives 32 random bytes.
func NewNonce() []byte {
	b := make([]byte, nonceLen)
	rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return b
}

// Commit is what a console sends before its nonce.
func Commit(nonce []byte) []byte {
	h := sha256.Sum256(nonce)
	return h[:]
}

// CheckReveal says whether nonce is the one that commit was made from.
func CheckReveal(commit, nonce []byte) error {
	if len(nonce) != nonceLen || subtle.ConstantTimeCompare(commit, Commit(nonce)) != 1 {
		return ErrReveal
	}
	return nil
}

// Words gives the three words of a connection: 33 bits of HKDF-SHA256 (RFC 5869) with the TLS exporter as secret and both
// nonces, the console's first, as salt.
func Words(e Exporter, console, host []byte) ([]string, error) {
	if len(console) != nonceLen || len(host) != nonceLen {
		return nil, malformed("nonces of %d and %d bytes", len(console), len(host))
	}
	secret, err := e.Exporter(sasLabel, nil, 32)
	if err != nil {
		return nil, fmt.Errorf("export keying material: %w", err)
	}
	salt := append(append(make([]byte, 0, 2*nonceLen), console...), host...)
	b, err := hkdf.Key(sha256.New, secret, salt, sasInfo, 5)
	if err != nil {
		return nil, fmt.Errorf("derive words: %w", err)
	}
	bits := uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
	bits >>= 40 - wordCount*wordBits
	words := make([]string, wordCount)
	for i := range words {
		words[i] = wordlists.English[bits>>(wordBits*(wordCount-1-i))&(1<<wordBits-1)]
	}
	return words, nil
}
