package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // servers without zone files have time zones, too

	"github.com/pelletier/go-toml/v2"

	"assist/session"
	"assist/transport"
)

// maxPolicy is how long the text of a policy may be, in bytes.
const maxPolicy = 64 << 10

// policyFile is a policy as it is written. Lists that are not there say nothing; empty ones forbid everything.
type policyFile struct {
	Orgs   *[]string         `toml:"orgs"`
	Agents *[]string         `toml:"agents"`
	Grants *[]string         `toml:"grants"`
	Hours  *[]string         `toml:"hours"`
	Zone   string            `toml:"zone"`
	Proof  []string          `toml:"proof"`
	Notice string            `toml:"notice"`
	Keys   map[string]string `toml:"keys"`
}

// Policy is a machine's own policy.
type Policy struct {
	session.Policy
	Keys map[string]transport.Pin // organisations that the machine trusts, beside the one that it is enrolled in
}

// LoadPolicy reads the policy of a machine.
func LoadPolicy(path string) (Policy, error) {
	f, err := os.Open(path)
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPolicy+1))
	if err != nil {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	p, err := ParsePolicy(text)
	if err != nil {
		return Policy{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// ParsePolicy reads the text of a machine's own policy. What it does not know is an error: leaving it out could mean to allow
// more.
func ParsePolicy(text []byte) (Policy, error) {
	raw, err := decode(text)
	if err != nil {
		return Policy{}, err
	}
	if raw.Grants == nil {
		return Policy{}, errors.New("grants are missing: which of " + session.AllGrants.String() + "?")
	}
	p := Policy{Keys: map[string]transport.Pin{}}
	for org, key := range raw.Keys {
		if p.Keys[org], err = transport.ParsePin(key); err != nil {
			return Policy{}, fmt.Errorf("keys: %s: %w", org, err)
		}
	}
	p.Policy, err = raw.policy()
	return p, err
}

// ParseRestriction reads a policy from outside. The empty text forbids nothing; keys of organisations cannot be given.
func ParseRestriction(text string) (session.Policy, error) {
	raw, err := decode([]byte(text))
	if err != nil {
		return session.Policy{}, err
	}
	if raw.Keys != nil {
		return session.Policy{}, errors.New("keys can only be in the machine's own policy")
	}
	if raw.Grants == nil {
		p, err := raw.policy()
		p.Grants = session.AllGrants
		return p, err
	}
	return raw.policy()
}

func decode(text []byte) (raw policyFile, err error) {
	if len(text) > maxPolicy {
		return raw, fmt.Errorf("a policy has %d bytes at most", maxPolicy)
	}
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(&raw)
	var unknown *toml.StrictMissingError
	var bad *toml.DecodeError
	switch {
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		e := unknown.Errors[0]
		row, _ := e.Position()
		return raw, fmt.Errorf("line %d: %q is not known here: orgs, agents, grants, hours, zone, proof, notice and keys are", row, strings.Join(e.Key(), "."))
	case errors.As(err, &bad):
		row, col := bad.Position()
		return raw, fmt.Errorf("line %d, column %d: %s", row, col, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return raw, err
}

func (raw policyFile) policy() (p session.Policy, err error) {
	p.Orgs, p.Agents = list(raw.Orgs), list(raw.Agents)
	if raw.Grants != nil {
		if p.Grants, err = session.ParseGrants(*raw.Grants); err != nil {
			return p, fmt.Errorf("grants: %w", err)
		}
	}
	for _, a := range p.Agents {
		if !strings.Contains(a, "@") {
			return p, fmt.Errorf("agents: %q is not NAME@ORG", a)
		}
	}
	if p.Hours, err = raw.hours(); err != nil {
		return p, err
	}
	if p.Proof, err = proofs(raw.Proof); err != nil {
		return p, err
	}
	p.Notice, err = notice(raw.Notice)
	return p, err
}

// list tells a list that is not there from one that is empty.
func list(s *[]string) []string {
	if s == nil {
		return nil
	}
	return append([]string{}, *s...)
}

func (raw policyFile) hours() ([]session.Hours, error) {
	if raw.Hours == nil {
		if raw.Zone != "" {
			return nil, errors.New("zone: there are no hours that it would be for")
		}
		return nil, nil
	}
	zone := time.Local
	if raw.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(raw.Zone); err != nil {
			return nil, fmt.Errorf("zone: %q is no time zone, such as Europe/Berlin", raw.Zone)
		}
	}
	out := []session.Hours{}
	for _, s := range *raw.Hours {
		h, err := session.ParseHours(s, zone)
		if err != nil {
			return nil, fmt.Errorf("hours: %w", err)
		}
		out = append(out, h)
	}
	return out, nil
}

func proofs(names []string) (p session.Proof, err error) {
	for _, n := range names {
		switch n {
		case "password":
			p |= session.Password
		case "totp":
			p |= session.OneTimeCode
		default:
			return 0, fmt.Errorf("proof: %q is none of password, totp", n)
		}
	}
	return p, nil
}

func notice(s string) (session.Notice, error) {
	switch s {
	case "", "none":
		return session.NoNotice, nil
	case "tell":
		return session.Tell, nil
	case "ask":
		return session.AskFirst, nil
	}
	return 0, fmt.Errorf("notice: %q is none of none, tell, ask", s)
}

// FirstPolicy is the text of the policy that enrolling writes: it works, and says how to change it.
func FirstPolicy(org string) string {
	return fmt.Sprintf(`# Who may use this machine when nobody is there. assist reads this file again for each agent who comes and for each grant.
# What is not known here is an error, and with an error nobody is let in. From outside this can only be made tighter.

# Organisations, each by a key that this machine trusts: the one that it is enrolled in, and those under [keys].
orgs = [%q]

# Only these agents of them. Without this line: all.
# agents = ["eve@%s"]

# What they may do, of %s.
grants = ["view", "control", "chat", "diag"]

# When. Without this line: always.
# hours = ["Mon-Fri 08:00-18:00", "Sat 22:00-02:00"]
# zone = "Europe/Berlin"

# What they have to prove beside: "password" (assist host password), "totp" (assist host totp), or both.
# proof = ["totp"]

# What people who are logged in here hear of it: "none"; "tell": that somebody is there; "ask": they have 60 s to refuse.
notice = "tell"

# [keys]
# partner = "1.abcdefghijklmnopqrstuvwxyz234567"
`, org, org, session.AllGrants)
}
