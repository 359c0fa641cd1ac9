package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"assist/session/inner/badge"
	"assist/transport"
	"assist/transport/wire"
)

// Token is what an administrator gives to the owner of a machine: the secret, and the key of the organisation that the machine
// is to trust. As a text it is SECRET.KEY.
type Token struct {
	Secret string
	OrgKey transport.Pin // empty: the relay's word is taken
}

func (t Token) String() string {
	return t.Secret + "." + strings.TrimPrefix(string(t.OrgKey), "1.")
}

// ErrToken says that a text is no enrolment token.
var ErrToken = errors.New("this is no enrolment token")

// ParseToken reads the text of a token.
func ParseToken(s string) (Token, error) {
	secret, key, ok := strings.Cut(strings.TrimSpace(s), ".")
	if !ok || len(secret) < 16 || len(secret) > 128 {
		return Token{}, ErrToken
	}
	pin, err := transport.ParsePin("1." + key)
	if err != nil {
		return Token{}, ErrToken
	}
	return Token{Secret: secret, OrgKey: pin}, nil
}

// OrgKeyError says that the relay names another key of the organisation than the token.
type OrgKeyError struct{ Want, Got transport.Pin }

func (e *OrgKeyError) Error() string {
	return fmt.Sprintf("the relay says that the organisation's key is %s, the token says %s", e.Got, e.Want)
}

// Wish is how a machine is to be enrolled.
type Wish struct {
	Relay    transport.Relay
	Options  transport.Options
	Token    Token
	Name     string // empty: what the token says, else the host's name
	HostName string
	System   string
}

// Enroll binds this machine's key to a name at the relay, and keeps what was agreed on. The key is made if there is none. The
// organisation's key is the one that the token names: a relay that says another is refused.
func (f Folder) Enroll(ctx context.Context, w Wish) (Enrolment, error) {
	id, err := f.makeIdentity()
	if err != nil {
		return Enrolment{}, err
	}
	reply, err := request(ctx, w.Relay, id, w.Options, &wire.Request{Kind: &wire.Request_Enroll{Enroll: &wire.Enroll{
		Secret: w.Token.Secret, Name: w.Name, Os: w.System, Suggested: Suggest(w.HostName),
	}}})
	if err != nil {
		return Enrolment{}, err
	}
	in := reply.GetEnrolled()
	if in.GetId() == "" || len(in.OrgKey) != 32 {
		return Enrolment{}, errors.New("the relay's answer makes no sense")
	}
	e := Enrolment{
		Relay: w.Relay.Addr, RelayKey: w.Relay.Pin, ID: in.Id, Name: printable(in.Name), Org: printable(in.Org),
		OrgTitle: printable(in.OrgTitle), OrgKey: transport.Fingerprint(badge.KeyHash(in.OrgKey)).Pin(), Enrolled: time.Now().UTC().Truncate(time.Second),
	}
	if e.OrgKey != w.Token.OrgKey {
		return Enrolment{}, &OrgKeyError{Want: w.Token.OrgKey, Got: e.OrgKey}
	}
	return e, f.writeJSON(enrolFile, e)
}

// Suggest makes a machine's name of a host's: small letters, digits and what is allowed between, up to the first dot.
func Suggest(host string) string {
	host, _, _ = strings.Cut(strings.ToLower(host), ".")
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, host)
	name = strings.TrimLeft(name, "-_")
	if len(name) > 32 {
		name = name[:32]
	}
	if name == "" {
		return "machine"
	}
	return name
}

// Revoke turns unattended access off: the relay forgets the machine if it can be told, and the keys are gone in any case. told
// is why the relay could not be told.
func (f Folder) Revoke(ctx context.Context, opt transport.Options) (told, err error) {
	e, id, err := f.Load()
	if err == nil {
		told = ask(ctx, e.relay(), id, opt, &wire.Request{Kind: &wire.Request_Retire{Retire: &wire.Retire{Id: e.ID}}})
		if final(told) { // it had forgotten the machine already
			told = nil
		}
	}
	if _, there := os.Stat(f.Dir); there != nil {
		return told, ErrNotEnrolled
	}
	if errors.Is(err, ErrNotEnrolled) {
		return nil, errors.Join(err, f.clear())
	}
	return told, f.clear()
}
