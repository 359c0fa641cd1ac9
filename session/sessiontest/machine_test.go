package sessiontest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/agent"
	"assist/session/console"
	"assist/session/host/machine"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// pins are the machines that one console knows.
type pins map[string]transport.Pin

func (p pins) MachinePin(handle string) (transport.Pin, error) { return p[handle], nil }
func (p pins) KeepMachine(handle string, pin transport.Pin) error {
	p[handle] = pin
	return nil
}

func TestAgentConnectsToAMachineAsItsLead(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", anything)
	known := pins{}
	c := Run(t, agent.Connect(r.connect(eve, "web-01", known)))
	st := c.Phase(console.In)
	if !st.Trusted || st.Words != nil || st.Machine != "web-01@acme" || st.Roster.Lead != st.Self {
		t.Errorf("%+v", st)
	}
	if known["web-01@acme"] != m.Key {
		t.Errorf("pinned: %v", known)
	}

	bob := r.NewAgent("bob@acme")
	second := Run(t, agent.Connect(r.connect(bob, "web-01@acme", pins{})))
	if st := second.Phase(console.In); st.Roster.Lead == st.Self || len(st.Roster.Members) != 3 {
		t.Errorf("the second agent: %+v", st.Roster)
	}
}

func TestConsoleRefusesAMachineWithAnotherKey(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	r.NewMachine("web-01@acme", anything)
	other := must1(transport.NewIdentity()).Fingerprint.Pin()
	err := agent.Connect(r.connect(eve, "web-01", pins{"web-01@acme": other})).Run(context.Background())
	var key *agent.HostKeyError
	if !errors.As(err, &key) || key.Machine != "web-01@acme" || key.Want != other {
		t.Errorf("got %v", err)
	}
}

func TestMachinesThatCannotBeHad(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve, max := r.NewAgent("eve@acme"), r.NewAgent("max@evil")
	r.NewMachine("web-01@acme", anything)
	for _, c := range []struct {
		who  Agent
		name string
		want error
	}{{eve, "nothing", agent.ErrNoMachine}, {max, "web-01@acme", agent.ErrNoMachine}, {max, "web-01", agent.ErrNoMachine}} {
		if err := agent.Connect(r.connect(c.who, c.name, nil)).Run(context.Background()); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v", c.who.Handle, c.name, err)
		}
	}
}

// refused is how a machine turns an agent away.
func refused(t *testing.T, cfg agent.Config) *inner.RefusedError {
	t.Helper()
	err := agent.Connect(cfg).Run(t.Context())
	var no *inner.RefusedError
	if !errors.As(err, &no) {
		t.Fatalf("not refused: %v", err)
	}
	return no
}

func isRefused(err error, code uint32) bool {
	var no *inner.RefusedError
	return errors.As(err, &no) && no.Code == code
}

func TestPolicyTurnsAway(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", anything)
	monday := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	m.Gate.Now = func() time.Time { return monday }
	for name, c := range map[string]struct{ policy, says string }{
		"another organisation": {"orgs = [\"evil\"]\n" + anything, session.ErrPolicyOrg.Error()},
		"another agent":        {"agents = [\"bob@acme\"]\n" + anything, session.ErrPolicyAgent.Error()},
		"outside of hours":     {"hours = [\"Tue 08:00-18:00\"]\nzone = \"UTC\"\n" + anything, "Tue 08:00-18:00 UTC"},
		"a word too many":      {"colour = \"red\"\n" + anything, "cannot be read"},
		"no seeing":            {"grants = [\"chat\"]", session.ErrPolicyGrant.Error()},
		"a proof never set":    {"proof = [\"totp\"]\n" + anything, "none is set"},
	} {
		m.Policy(c.policy)
		if no := refused(t, r.connect(eve, "web-01", nil)); no.Code != inner.RefusedPolicy || !strings.Contains(no.Text, c.says) {
			t.Errorf("%s: %+v", name, no)
		}
	}
}

// TestOrganisationThatOnlyTheRelayKnows: the relay signs every badge, but the device's certificate is of a key that the machine
// does not trust.
func TestOrganisationThatOnlyTheRelayKnows(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.Enroll("web-01@acme", anything)
	m.Enrolment.OrgKey = must1(transport.NewIdentity()).Fingerprint.Pin()
	m.Gate = machine.NewGate(m.Folder, m.Gate.Path, m.Enrolment)
	m.Start()
	if no := refused(t, r.connect(eve, "web-01", nil)); no.Code != inner.RefusedPolicy || no.Text != session.ErrNotVerified.Error() {
		t.Errorf("%+v", no)
	}
}

func TestPolicyBoundsTheGrantsAndIsHeldToWhileTheyAreThere(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", `grants = ["view", "chat"]`)
	c := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
	st := c.Phase(console.In)
	self := func(st console.State) session.Member { m, _ := st.Roster.Member(st.Self); return m }
	if g := self(st).Grants; g != session.View|session.Chat {
		t.Errorf("she has %v", g)
	}
	c.Do(console.AskGrants{Grants: session.Diag})
	c.Wait("a refusal", func(st console.State) bool { return st.Outcome.Text == session.ErrPolicyGrant.Error() })
	m.Policy(anything)
	c.Do(console.AskGrants{Grants: session.Diag})
	c.Wait("the grant that the owner allows now", func(st console.State) bool { return self(st).Grants.Has(session.Diag) })
	m.Policy("orgs = []\n" + anything)
	c.Do(console.AskGrants{Grants: session.File})
	if st := c.Phase(console.Over); st.Roster.Lead != session.Nobody && self(st).Grants.Has(session.File) {
		t.Errorf("she is still in: %+v", st)
	}
}

func TestPolicyFromOutsideOnlyForbids(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", `grants = ["view", "chat"]`)
	must(t, m.Gate.Restrict(anything))
	c := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
	st := c.Phase(console.In)
	if self, _ := st.Roster.Member(st.Self); self.Grants != session.View|session.Chat {
		t.Errorf("loosened from outside: %v", self.Grants)
	}
	c.Do(console.Leave{How: session.EndForAll})
	c.Phase(console.Over)
	for _, text := range []string{"agents = [\"bob@acme\"]", "orgs = []", "grants = [\"chat\"]", "notice = \"shout\"", "[keys]\nevil = \"1.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""} {
		_ = m.Gate.Restrict(text)
		if no := refused(t, r.connect(eve, "web-01", nil)); no.Code != inner.RefusedPolicy {
			t.Errorf("under %q: %+v", text, no)
		}
	}
}

func TestMachineWantsProofs(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", "proof = [\"password\", \"totp\"]\n"+anything)
	must(t, m.Folder.SetPassword("open sesame"))
	address, err := m.Folder.SetOneTime("web-01")
	must(t, err)
	secret := must1(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(must1(url.Parse(address)).Query().Get("secret")))
	now := time.Now()
	m.Gate.Now = func() time.Time { return now }
	cfg := r.connect(eve, "web-01", nil)
	asked := []session.Proof{}
	say := func(password, code string) agent.Prover {
		return func(_ context.Context, what session.Proof, _ int) (string, error) {
			asked = append(asked, what)
			if what == session.Password {
				return password, nil
			}
			return code, nil
		}
	}
	code := codeAt(secret, now)

	if err := agent.Connect(cfg).Run(t.Context()); !errors.Is(err, agent.ErrProof) {
		t.Errorf("without anybody to ask: %v", err)
	}
	cfg.Prove = say("open sesame", code)
	c := Run(t, agent.Connect(cfg))
	c.Phase(console.In)
	if len(asked) != 2 || asked[0] != session.Password || asked[1] != session.OneTimeCode {
		t.Errorf("asked for %v", asked)
	}
	c.Do(console.Leave{How: session.EndForAll})
	c.Phase(console.Over)

	asked = nil
	if no := refused(t, cfg); no.Code != inner.RefusedProof || len(asked) != 4 {
		t.Errorf("the same code once more: %+v after %v", no, asked)
	}
	now = now.Add(2 * session.CodeStep)
	cfg.Prove = say("wrong", codeAt(secret, now))
	if no := refused(t, cfg); no.Code != inner.RefusedProof {
		t.Errorf("a wrong password: %+v", no)
	}
	now = now.Add(2 * session.CodeStep)
	cfg.Prove = say("open sesame", codeAt(secret, now))
	if no := refused(t, cfg); !strings.Contains(no.Text, "too many") {
		t.Errorf("after five wrong ones the right one: %+v", no)
	}
}

// codeAt is the code of RFC 6238 for a time, as an authenticator makes it.
func codeAt(secret []byte, at time.Time) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

func TestSessionGoesOnWhenTheMachineIsBack(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve, bob := r.NewAgent("eve@acme"), r.NewAgent("bob@acme")
	m := r.NewMachine("web-01@acme", "proof = [\"password\"]\n"+anything)
	must(t, m.Folder.SetPassword("open sesame"))
	times := 0
	prove := func(context.Context, session.Proof, int) (string, error) { times++; return "open sesame", nil }
	ecfg, bcfg := r.connect(eve, "web-01", nil), r.connect(bob, "web-01", nil)
	ecfg.Prove, bcfg.Prove = prove, prove
	c := Run(t, agent.Connect(ecfg))
	c.Phase(console.In)
	b := Run(t, agent.Connect(bcfg))
	b.Phase(console.In)
	lead := c.State().Roster.Lead
	c.Do(console.Say{Lane: chat.Everyone, Text: "going down"})
	c.Do(console.Say{Lane: chat.AgentsOnly, Text: "between us"})
	c.Wait("what was said", func(console.State) bool { return len(c.Said()) == 2 })
	b.Wait("what was said", func(console.State) bool { return len(b.Said()) == 2 })

	m.Suspend("the machine is rebooting")
	if st := c.Phase(console.Lost); st.Why != "the machine is rebooting" {
		t.Errorf("the console says %q", st.Why)
	}
	b.Phase(console.Lost)
	m.Policy("proof = [\"password\"]\n" + `grants = ["view", "chat"]`)
	m.Start()
	st := c.Phase(console.In)
	b.Phase(console.In)
	if self, _ := st.Roster.Member(st.Self); st.Roster.Lead != lead || lead != st.Self || self.Grants != session.View|session.Chat {
		t.Errorf("afterwards: %+v", st.Roster)
	}
	if times != 2 {
		t.Errorf("proven %d times", times)
	}
	c.Do(console.Say{Lane: chat.Everyone, Text: "back"})
	for _, who := range []*Console{c, b} {
		who.Wait("chat goes on", func(console.State) bool { return strings.Join(who.Said(), "|") == "going down|between us|back" })
	}
}

func TestMachineSurvivesARestartOfTheRelay(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", anything)
	r.Stop()
	r.Restart()
	m.Await("attending")
	Run(t, agent.Connect(r.connect(eve, "web-01", nil))).Phase(console.In)
}

func TestRevokedMachineIsGone(t *testing.T) {
	t.Parallel()
	r := NewRelay(t)
	eve := r.NewAgent("eve@acme")
	m := r.NewMachine("web-01@acme", anything)
	c := Run(t, agent.Connect(r.connect(eve, "web-01", nil)))
	c.Phase(console.In)
	told, err := m.Folder.Revoke(t.Context(), r.options(nil))
	if told != nil || err != nil {
		t.Fatalf("%v, %v", told, err)
	}
	c.Phase(console.Over)
	if err := agent.Connect(r.connect(eve, "web-01", nil)).Run(t.Context()); !errors.Is(err, agent.ErrNoMachine) {
		t.Errorf("afterwards: %v", err)
	}
	if _, _, err := m.Folder.Load(); !errors.Is(err, machine.ErrNotEnrolled) {
		t.Errorf("its key is still there: %v", err)
	}
	var gone *transport.ProblemError
	if err := m.result(); !errors.As(err, &gone) || gone.Code != wire.CodeNoMachine {
		t.Errorf("the machine ends with %v", err)
	}
}
