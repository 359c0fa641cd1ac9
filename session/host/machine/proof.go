package machine

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"

	"github.com/alexedwards/argon2id"

	"assist/session"
)

const (
	shortestPassword = 8    // characters are not counted, bytes are
	longestPassword  = 1024 // bytes
	oneTimeBytes     = 20   // of the secret, RFC 4226 4, R6
)

// hashing is OWASP's second choice for argon2id: 19 MiB, two passes, one lane.
var hashing = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// ErrPassword says that a password cannot be taken.
var ErrPassword = fmt.Errorf("a password of a machine has %d to %d bytes", shortestPassword, longestPassword)

// SetPassword keeps the hash of the machine's password.
func (f Folder) SetPassword(password string) error {
	if len(password) < shortestPassword || len(password) > longestPassword {
		return ErrPassword
	}
	hash, err := argon2id.CreateHash(password, hashing)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return f.write(passwordFile, []byte(hash))
}

// SetOneTime makes a new secret for one-time codes, and returns the address that authenticators read (otpauth, the key URI
// format of Google Authenticator).
func (f Folder) SetOneTime(name string) (string, error) {
	o := session.OneTime{Secret: make([]byte, oneTimeBytes)}
	rand.Read(o.Secret)
	if err := f.writeJSON(oneTimeFile, o); err != nil {
		return "", err
	}
	q := url.Values{
		"secret": {base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(o.Secret)}, "issuer": {"assist"},
		"digits": {strconv.Itoa(session.CodeDigits)}, "period": {strconv.Itoa(int(session.CodeStep.Seconds()))},
	}
	return "otpauth://totp/" + url.PathEscape("assist:"+name) + "?" + q.Encode(), nil
}

// canProve says which proof is wanted and was never set: then nobody is let in.
func (f Folder) canProve(p session.Proof) error {
	for what, name := range map[session.Proof]string{session.Password: passwordFile, session.OneTimeCode: oneTimeFile} {
		if _, err := os.Stat(f.path(name)); p.Has(what) && err != nil {
			return errors.New("this machine's policy wants a " + what.String() + ", and none is set there: nobody is let in")
		}
	}
	return nil
}
