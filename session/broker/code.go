package broker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"
)

// The life of a code (design §6, threats 2.3).
const (
	codeDigits = 8
	codeLife   = 10 * time.Minute // until the first agent is in
	codeRest   = 24 * time.Hour   // after its end, before it can be given out again
)

var codeSpace = big.NewInt(100_000_000)

// newCode draws a code; rand.Int has no modulo bias.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, codeSpace)
	if err != nil {
		return "", fmt.Errorf("draw code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// codeMAC is what is kept of a code. A plain hash of 10^8 values is reversed in seconds; this needs the key too.
type codeMAC [sha256.Size]byte

// mac names a code. Anything that is no code has a name too, which no session has, so that the answer takes the same way.
func (b *Broker) mac(code string) codeMAC {
	h := hmac.New(sha256.New, b.keys.Code[:])
	h.Write([]byte(code))
	return codeMAC(h.Sum(nil))
}
