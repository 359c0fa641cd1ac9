package machine

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"assist/session"
	"assist/transport"
)

const pin = transport.Pin("1.abcdefghijklmnopqrstuvwxyz234567")

var eve = session.Caller{Agent: "1", Handle: "eve@acme", Name: "eve", Org: "acme", Trust: session.VerifiedOrg}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPolicyFiles(t *testing.T) {
	p, err := ParsePolicy([]byte(FirstPolicy("acme")))
	if err != nil || p.Grants != session.View|session.Control|session.Chat|session.Diag || p.Notice != session.Tell || p.Orgs[0] != "acme" || p.Agents != nil {
		t.Errorf("the one that enrolling writes: %+v %v", p, err)
	}
	p, err = ParsePolicy([]byte("grants = [\"view\"]\nagents = []\nhours = [\"Mon-Fri 08:00-18:00\"]\nzone = \"Europe/Berlin\"\nproof = [\"totp\", \"password\"]\nnotice = \"ask\"\n[keys]\npartner = \"" + string(pin) + "\""))
	if err != nil || p.Agents == nil || len(p.Agents) != 0 || p.Hours[0].Zone.String() != "Europe/Berlin" || p.Proof != session.Password|session.OneTimeCode || p.Notice != session.AskFirst || p.Keys["partner"] != pin {
		t.Errorf("%+v %v", p, err)
	}
	for text, says := range map[string]string{
		"":                                     "grants are missing",
		"orgs = [\"acme\"]":                    "grants are missing",
		"grants = [\"view\"]\ngrant = [\"x\"]": "line 2",
		"grants = [\"fly\"]":                   "fly",
		"grants = \"view\"":                    "line 1",
		"grants = [\"view\"]\nhours = [\"Mon 8-18\"]":                             "no time of day",
		"grants = [\"view\"]\nhours = [\"08:00-18:00\"]\nzone = \"Mars/Olympus\"": "Mars",
		"grants = [\"view\"]\nzone = \"UTC\"":                                     "no hours",
		"grants = [\"view\"]\nproof = [\"face\"]":                                 "face",
		"grants = [\"view\"]\nnotice = \"loud\"":                                  "loud",
		"grants = [\"view\"]\nagents = [\"eve\"]":                                 "NAME@ORG",
		"grants = [\"view\"]\n[keys]\nacme = \"short\"":                           "acme",
		"grants = [\"view\"]\n[hours]\nfrom = 1":                                  "line",
		"grants = [\"view\"":                                                      "line 1",
		strings.Repeat("#", maxPolicy+1):                                          "at most",
	} {
		if p, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %+v, %v", text, p, err)
		}
	}
	if p, err := ParseRestriction(""); err != nil || p.Grants != session.AllGrants {
		t.Errorf("nothing forbidden: %+v %v", p, err)
	}
}

// FuzzPolicy: whatever is written there, what comes from outside never allows more than the machine's own.
func FuzzPolicy(f *testing.F) {
	f.Add(FirstPolicy("acme"), "grants = [\"view\"]\nagents = [\"eve@acme\"]")
	f.Add("grants = [\"view\"]", "hours = []")
	f.Fuzz(func(t *testing.T, own, outside string) {
		p, err := ParsePolicy([]byte(own))
		if err != nil {
			return
		}
		q, err := ParseRestriction(outside)
		if err != nil {
			return
		}
		at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
		both, refused := session.Policies{p.Policy, q}.Admit(eve, at)
		alone, without := session.Policies{p.Policy}.Admit(eve, at)
		if refused == nil && (without != nil || both.Grants&^alone.Grants != 0 || alone.Proof&^both.Proof != 0 || both.Notice < alone.Notice) {
			t.Fatalf("%+v %v became %+v", alone, without, both)
		}
	})
}

func TestTokens(t *testing.T) {
	token := Token{Secret: "abcdefghijklmnop", OrgKey: pin}
	if got, err := ParseToken(" " + token.String() + "\n"); got != token || err != nil {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"", "abc", "abcdefghijklmnop", "abcdefghijklmnop.", "short." + string(pin[2:]), "abcdefghijklmnop." + string(pin), strings.Repeat("a", 200) + "." + string(pin[2:])} {
		if got, err := ParseToken(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %+v %v", bad, got, err)
		}
	}
}

func TestSuggestedNames(t *testing.T) {
	for host, want := range map[string]string{
		"web-01": "web-01", "WEB-01.example.com": "web-01", "_x": "x", "": "machine", "---": "machine", "büro": "b-ro", strings.Repeat("a", 40): strings.Repeat("a", 32),
	} {
		if got := Suggest(host); got != want {
			t.Errorf("%q: %q", host, got)
		}
	}
}

func gate(t *testing.T, policy string) *Gate {
	t.Helper()
	f := Folder{Dir: t.TempDir()}
	g := NewGate(f, f.path("policy.toml"), Enrolment{Org: "acme", OrgKey: pin})
	if policy != "" {
		must(t, os.WriteFile(g.Path, []byte(policy), 0o600))
	}
	return g
}

func TestGateReadsThePolicyAgainWhenItHasChanged(t *testing.T) {
	g := gate(t, "")
	if _, err := g.Judge(eve); !errors.Is(err, session.ErrNoPolicy) || !errors.Is(g.Check(), session.ErrNoPolicy) {
		t.Errorf("without a policy: %v", err)
	}
	must(t, os.WriteFile(g.Path, []byte("grants = [\"view\"]"), 0o600))
	if _, err := g.Judge(eve); err != nil || g.Check() != nil {
		t.Errorf("with one: %v", err)
	}
	must(t, os.WriteFile(g.Path, []byte("grants = [\"view\"]\nnonsense"), 0o600))
	if _, err := g.Judge(eve); !errors.Is(err, errPolicy) || g.Check() == nil {
		t.Errorf("one that cannot be read: %v", err)
	}
	must(t, os.Remove(g.Path))
	if _, err := g.Judge(eve); !errors.Is(err, session.ErrNoPolicy) {
		t.Errorf("one that was taken away: %v", err)
	}
}

func TestNoticeNeedsSomebodyToSeeIt(t *testing.T) {
	g := gate(t, "grants = [\"view\"]\nnotice = \"ask\"")
	if terms, err := g.Judge(eve); err != nil || terms.Notice != session.NoNotice {
		t.Errorf("nobody is logged in: %+v %v", terms, err)
	}
	g.People = func() bool { return true }
	if terms, err := g.Judge(eve); err != nil || terms.Notice != session.AskFirst {
		t.Errorf("somebody is: %+v %v", terms, err)
	}
}

func TestFilesOfAMachineArePrivate(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	id, err := f.makeIdentity()
	must(t, err)
	must(t, f.writeJSON(enrolFile, Enrolment{ID: "x", Name: "web-01"}))
	must(t, f.SetPassword("open sesame"))
	for _, name := range []string{keyFile, enrolFile, passwordFile} {
		st, err := os.Stat(f.path(name))
		must(t, err)
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, st.Mode())
		}
	}
	if e, got, err := f.Load(); err != nil || e.Name != "web-01" || got.Fingerprint != id.Fingerprint {
		t.Errorf("%+v %v", e, err)
	}
	must(t, os.Chmod(f.path(keyFile), 0o644))
	if _, _, err := f.Load(); err == nil {
		t.Error("a key that others can read is used")
	}
	if err := f.SetPassword("short"); !errors.Is(err, ErrPassword) {
		t.Errorf("a short password: %v", err)
	}
}

func TestOneTimeCodeIsUsedUpOnDisk(t *testing.T) {
	g := gate(t, "grants = [\"view\"]\nproof = [\"totp\"]")
	if _, err := g.Judge(eve); err == nil {
		t.Error("a proof that was never set")
	}
	o := session.OneTime{Secret: []byte("12345678901234567890")}
	must(t, g.Folder.writeJSON(oneTimeFile, o))
	g.Now = func() time.Time { return time.Unix(59, 0) }
	must(t, g.Prove(eve, session.OneTimeCode, "287082")) // RFC 6238, appendix B
	again := NewGate(g.Folder, g.Path, Enrolment{Org: "acme", OrgKey: pin})
	again.Now = g.Now
	if err := again.Prove(eve, session.OneTimeCode, "287082"); err == nil {
		t.Error("a restart makes a code good again")
	}
}
