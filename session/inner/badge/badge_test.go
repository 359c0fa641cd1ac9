package badge

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assist/session"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func key(t testing.TB, seed byte) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	k := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
	return k, k.Public().(ed25519.PublicKey)
}

func claims(t testing.TB) Claims {
	t.Helper()
	org, orgPub := key(t, 'o')
	_, device := key(t, 'd')
	_, host := key(t, 'h')
	cert, err := SignCert(org, Cert{Org: "acme", Handle: "eve@acme", Device: KeyHash(device), Issued: noon, Expires: noon.Add(CertLife)})
	if err != nil {
		t.Fatal(err)
	}
	return Claims{
		ID: "once", Session: [16]byte{1, 2, 3}, Host: KeyHash(host), Device: KeyHash(device),
		Agent: "a1", Name: "Eve", Handle: "eve@acme", Org: "acme", OrgTitle: "Acme Ltd", Ceiling: session.Lead,
		OrgKey: orgPub, OrgCert: cert, Issued: noon, Expires: noon.Add(Life),
	}
}

func TestBadgeSaysWhatWasSigned(t *testing.T) {
	broker, pub := key(t, 'b')
	want := claims(t)
	s, err := Sign(broker, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(pub, s, noon)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if err := got.Check(want.Session, want.Host, want.Device); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestBadgeIsRefused(t *testing.T) {
	broker, pub := key(t, 'b')
	_, other := key(t, 'x')
	for _, c := range []struct {
		name   string
		change func(*Claims)
		pub    ed25519.PublicKey
		at     time.Duration
		want   error
	}{
		{name: "59 s after its end", at: Life + Skew - time.Second},
		{name: "60 s after its end", at: Life + Skew},
		{name: "61 s after its end", at: Life + Skew + time.Second, want: ErrExpired},
		{name: "60 s before its time", at: -Skew},
		{name: "61 s before its time", at: -Skew - time.Second, want: ErrNotYet},
		{name: "signed by another key", pub: other, want: ErrForged},
		{name: "lives too long", change: func(c *Claims) { c.Expires = noon.Add(Life + time.Second) }, want: ErrMalformed},
		{name: "without an id", change: func(c *Claims) { c.ID = "" }, want: ErrMalformed},
		{name: "without times", change: func(c *Claims) { c.Issued, c.Expires = time.Time{}, time.Time{} }, want: ErrMalformed},
		{name: "claims to be the customer", change: func(c *Claims) { c.Ceiling = session.Customer }, want: ErrMalformed},
		{name: "no role", change: func(c *Claims) { c.Ceiling = 0 }, want: ErrMalformed},
		{name: "short organisation key", change: func(c *Claims) { c.OrgKey = c.OrgKey[:5] }, want: ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := claims(t)
			if c.change != nil {
				c.change(&cl)
			}
			if c.pub == nil {
				c.pub = pub
			}
			s, err := Sign(broker, cl)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Parse(c.pub, s, noon.Add(c.at)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestBadgeIsForOneSessionHostAndDevice(t *testing.T) {
	c := claims(t)
	for _, x := range []struct {
		change func(*Claims)
		want   error
	}{
		{func(c *Claims) { c.Session[15]++ }, ErrOtherSession},
		{func(c *Claims) { c.Host[31]++ }, ErrOtherHost},
		{func(c *Claims) { c.Device[0]++ }, ErrOtherDevice},
	} {
		got := c
		x.change(&got)
		if err := got.Check(c.Session, c.Host, c.Device); !errors.Is(err, x.want) {
			t.Errorf("got %v, want %v", err, x.want)
		}
	}
}

func TestTamperedBadges(t *testing.T) {
	broker, pub := key(t, 'b')
	s, err := Sign(broker, claims(t))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) string {
		b := []byte(s)
		if b[i] == 'A' {
			b[i] = 'B'
		} else {
			b[i] = 'A'
		}
		return string(b)
	}
	for _, bad := range []string{
		"", "v4.public.", s[:len(s)-2], flip(20), flip(len(s) - 10), s + ".Zm9v",
		"v3.public." + s[10:], "v4.local." + s[10:], strings.Repeat("A", 1<<20),
	} {
		if _, err := Parse(pub, bad, noon); err == nil {
			t.Errorf("accepted %.30q...", bad)
		}
	}
}

// A device certificate is signed by an organisation; if a broker's key were also an organisation's, one must not pass as the other.
func TestCertificateIsNoBadge(t *testing.T) {
	k, pub := key(t, 'b')
	cl := claims(t)
	badge, err := Sign(k, cl)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCert(pub, badge, noon); !errors.Is(err, ErrForged) && !errors.Is(err, ErrMalformed) {
		t.Errorf("a badge passes as a certificate: %v", err)
	}
	if _, err := Parse(cl.OrgKey, cl.OrgCert, noon); !errors.Is(err, ErrForged) {
		t.Errorf("a certificate passes as a badge: %v", err)
	}
}

func TestTrust(t *testing.T) {
	_, orgPub := key(t, 'o')
	pinned := func(org string, k ed25519.PublicKey) bool { return org == "acme" && k.Equal(orgPub) }
	evil, evilPub := key(t, 'e')
	forged, err := SignCert(evil, Cert{Org: "acme", Handle: "eve@acme", Device: claims(t).Device, Issued: noon, Expires: noon.Add(CertLife)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		change  func(*Claims)
		trusted func(string, ed25519.PublicKey) bool
		at      time.Time
		want    session.Trust
	}{
		{name: "pinned", trusted: pinned, want: session.VerifiedOrg},
		{name: "nothing pinned", want: session.RelayOnly},
		{name: "no certificate", trusted: pinned, change: func(c *Claims) { c.OrgCert = "" }, want: session.RelayOnly},
		{name: "relay brings its own key", trusted: pinned, change: func(c *Claims) { c.OrgKey, c.OrgCert = evilPub, forged }, want: session.RelayOnly},
		{name: "pinned key, other's certificate", trusted: pinned, change: func(c *Claims) { c.OrgCert = forged }, want: session.RelayOnly},
		{name: "certificate of another agent", trusted: pinned, change: func(c *Claims) { c.Handle = "bob@acme" }, want: session.RelayOnly},
		{name: "certificate of another organisation", trusted: func(string, ed25519.PublicKey) bool { return true }, change: func(c *Claims) { c.Org = "bank" }, want: session.RelayOnly},
		{name: "certificate of another device", trusted: pinned, change: func(c *Claims) { c.Device[0]++ }, want: session.RelayOnly},
		{name: "certificate expired", trusted: pinned, at: noon.Add(CertLife + 2*Skew), want: session.RelayOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := claims(t)
			if c.change != nil {
				c.change(&cl)
			}
			at := noon
			if !c.at.IsZero() {
				at = c.at
			}
			if got := cl.Trust(at, c.trusted); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	broker, pub := key(f, 'b')
	s, err := Sign(broker, claims(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s)
	f.Add("v4.public.AAAA")
	f.Fuzz(func(t *testing.T, in string) {
		if c, err := Parse(pub, in, noon); err == nil && in != s {
			t.Errorf("another text parses: %q -> %+v", in, c)
		}
	})
}
