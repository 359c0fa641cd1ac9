package session

import (
	"crypto/hmac"
	"crypto/sha1" // RFC 6238 1.2: what every authenticator speaks
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// Parameters of one-time codes (RFC 6238 with the defaults of RFC 4226).
const (
	CodeStep   = 30 * time.Second
	CodeDigits = 6
	codeSpace  = 1_000_000
)

// OneTime checks one-time codes. A step is good once, and after it only later ones are.
type OneTime struct {
	Secret []byte
	Last   uint64 // the newest step that was used
}

// Check says whether code is that of now, or of the step before or after (clocks differ), and uses its step up.
func (o *OneTime) Check(code string, now time.Time) bool {
	step := uint64(now.Unix()) / uint64(CodeStep/time.Second)
	used := uint64(0)
	for s := step - 1; s <= step+1; s++ {
		same := subtle.ConstantTimeCompare([]byte(code), []byte(o.code(s))) == 1
		if same && s > o.Last && used == 0 {
			used = s
		}
	}
	if used == 0 || len(o.Secret) == 0 {
		return false
	}
	o.Last = used
	return true
}

// code is HOTP (RFC 4226, 5.3) of a step.
func (o *OneTime) code(step uint64) string {
	mac := hmac.New(sha1.New, o.Secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, step))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", CodeDigits, n%codeSpace)
}
