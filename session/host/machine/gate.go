package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"assist/session"
	"assist/session/host"
	"assist/transport"
)

// Limits of proofs.
const (
	wrongProofs = 5 // of one agent within proofWindow
	proofWindow = 10 * time.Minute
	maxProvers  = 1024 // agents that are remembered; more than that share
)

// Gate is the policy of a machine: its own, and what is forbidden from outside. It is a host.Gate.
type Gate struct {
	Folder Folder
	Path   string                   // of the policy
	Now    func() time.Time         // set once
	People func() bool              // whether somebody is logged in who could see a notice; nil: nobody is
	own    map[string]transport.Pin // the organisation that the machine is enrolled in

	mu       sync.Mutex
	policy   Policy
	bad      error // why the policy cannot be read
	read     fileMark
	outside  session.Policy
	outsideE error // why what is forbidden from outside cannot be read: then nobody is let in
	wrong    map[string][]time.Time
	hashing  sync.Mutex // one password at a time
}

// fileMark says whether a file has changed.
type fileMark struct {
	at   time.Time
	size int64
}

// NewGate is the gate of the machine in a folder, with its policy in a file of its own.
func NewGate(f Folder, path string, e Enrolment) *Gate {
	return &Gate{
		Folder: f, Path: path, Now: time.Now, own: map[string]transport.Pin{e.Org: e.OrgKey},
		outside: session.Policy{Grants: session.AllGrants}, wrong: map[string][]time.Time{},
	}
}

// Check says why nobody could be let in; nil: somebody can.
func (g *Gate) Check() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, err := g.policies()
	return err
}

// Restrict takes what is forbidden from outside. A text that cannot be read forbids everything.
func (g *Gate) Restrict(text string) error {
	p, err := ParseRestriction(text)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outside, g.outsideE = p, err
	return err
}

// policies is what has to hold now; it needs mu.
func (g *Gate) policies() (session.Policies, error) {
	st, err := os.Stat(g.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, session.ErrNoPolicy
	}
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if mark := (fileMark{st.ModTime(), st.Size()}); mark != g.read {
		g.policy, g.bad = LoadPolicy(g.Path)
		g.read = mark
	}
	switch {
	case g.bad != nil:
		return nil, g.bad
	case g.outsideE != nil:
		return nil, fmt.Errorf("what is forbidden from outside cannot be read: %w", g.outsideE)
	}
	return session.Policies{g.policy.Policy, g.outside}, nil
}

// errPolicy is all that an agent hears of a policy that cannot be read; the machine's log says more.
var errPolicy = errors.New("this machine's policy cannot be read: nobody is let in")

// Judge implements host.Gate.
func (g *Gate) Judge(c session.Caller) (session.Terms, error) {
	g.mu.Lock()
	all, err := g.policies()
	g.mu.Unlock()
	if err != nil {
		if !errors.Is(err, session.ErrNoPolicy) {
			err = errPolicy
		}
		return session.Terms{}, err
	}
	t, err := all.Admit(c, g.Now())
	if err != nil {
		return session.Terms{}, err
	}
	if err := g.Folder.canProve(t.Proof); err != nil {
		return session.Terms{}, err
	}
	if t.Notice != session.NoNotice && (g.People == nil || !g.People()) {
		t.Notice = session.NoNotice // nobody is there to see it
	}
	return t, nil
}

// trusted are the organisations whose keys the machine trusts.
func (g *Gate) trusted() map[string]transport.Pin {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = g.policies() // one that cannot be read lets nobody in, whomever it trusts
	out := maps.Clone(g.policy.Keys)
	if out == nil {
		out = map[string]transport.Pin{}
	}
	maps.Copy(out, g.own)
	return out
}

// Prove implements host.Gate.
func (g *Gate) Prove(c session.Caller, what session.Proof, secret string) error {
	if !g.mayTry(c.Agent) {
		return host.ErrProofs
	}
	right, err := false, error(nil)
	if what == session.Password {
		right, err = g.password(secret)
	} else {
		right, err = g.oneTime(secret)
	}
	if err != nil {
		return err
	}
	if right {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.wrong, c.Agent)
		return nil
	}
	return errors.New("wrong " + what.String())
}

// mayTry counts a try as wrong until it is known, so that many at once gain nothing.
func (g *Gate) mayTry(agent string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	if _, known := g.wrong[agent]; !known && len(g.wrong) >= maxProvers {
		agent = ""
	}
	var recent []time.Time
	for _, t := range g.wrong[agent] {
		if now.Sub(t) < proofWindow {
			recent = append(recent, t)
		}
	}
	if len(recent) >= wrongProofs {
		g.wrong[agent] = recent
		return false
	}
	g.wrong[agent] = append(recent, now)
	return true
}

func (g *Gate) password(secret string) (bool, error) {
	hash, err := g.Folder.read(passwordFile)
	if err != nil {
		return false, err
	}
	g.hashing.Lock()
	defer g.hashing.Unlock()
	return argon2id.ComparePasswordAndHash(secret, string(hash))
}

// oneTime checks a code. Its step is on disk before it counts: a restart does not make it good again.
func (g *Gate) oneTime(code string) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var o session.OneTime
	if err := g.Folder.readJSON(oneTimeFile, &o); err != nil {
		return false, err
	}
	if !o.Check(code, g.Now()) {
		return false, nil
	}
	return true, g.Folder.writeJSON(oneTimeFile, o)
}
