package session

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	office = Caller{Agent: "1", Handle: "eve@acme", Name: "eve", Org: "acme", Trust: VerifiedOrg}
	monday = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
)

func hours(t testing.TB, s string) []Hours {
	t.Helper()
	h, err := ParseHours(s, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return []Hours{h}
}

func TestPolicyAdmits(t *testing.T) {
	stranger, insider, other := office, office, office
	stranger.Trust, insider.Handle, other.Org = RelayOnly, "bob@acme", "evil"
	all := Policy{Grants: AllGrants}
	for name, c := range map[string]struct {
		by   Policies
		who  Caller
		at   time.Time
		want error
	}{
		"everything":                        {Policies{all}, office, monday, nil},
		"no policy":                         {nil, office, monday, ErrNoPolicy},
		"a zero policy":                     {Policies{{}}, office, monday, ErrPolicyGrant},
		"an organisation by the relay only": {Policies{all}, stranger, monday, ErrNotVerified},
		"its organisation":                  {Policies{{Grants: View, Orgs: []string{"acme"}}}, office, monday, nil},
		"another organisation":              {Policies{{Grants: View, Orgs: []string{"acme"}}}, other, monday, ErrPolicyOrg},
		"no organisation":                   {Policies{{Grants: View, Orgs: []string{}}}, office, monday, ErrPolicyOrg},
		"its agent":                         {Policies{{Grants: View, Agents: []string{"eve@acme"}}}, office, monday, nil},
		"another agent":                     {Policies{{Grants: View, Agents: []string{"eve@acme"}}}, insider, monday, ErrPolicyAgent},
		"within hours":                      {Policies{{Grants: View, Hours: hours(t, "Mon-Fri 08:00-18:00")}}, office, monday, nil},
		"outside of hours":                  {Policies{{Grants: View, Hours: hours(t, "Mon-Fri 08:00-18:00")}}, office, monday.Add(8 * time.Hour), ErrPolicyHours},
		"no hours":                          {Policies{{Grants: View, Hours: []Hours{}}}, office, monday, ErrPolicyHours},
		"two that agree":                    {Policies{all, {Grants: View | Chat}}, office, monday, nil},
		"two that share nothing":            {Policies{{Grants: View}, {Grants: Chat}}, office, monday, ErrPolicyGrant},
		"one of two forbids":                {Policies{all, {Grants: AllGrants, Agents: []string{"bob@acme"}}}, office, monday, ErrPolicyAgent},
	} {
		if _, err := c.by.Admit(c.who, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	for _, c := range []struct {
		hours string
		at    string // in Berlin
		want  bool
	}{
		{"Mon-Fri 08:00-18:00", "Mon 08:00", true},
		{"Mon-Fri 08:00-18:00", "Mon 07:59", false},
		{"Mon-Fri 08:00-18:00", "Fri 17:59", true},
		{"Mon-Fri 08:00-18:00", "Fri 18:00", false},
		{"Mon-Fri 08:00-18:00", "Sat 12:00", false},
		{"Fri 22:00-06:00", "Sat 05:59", true},
		{"Fri 22:00-06:00", "Sat 06:00", false},
		{"Fri 22:00-06:00", "Fri 05:00", false},
		{"Sat-Mon 00:00-24:00", "Sun 23:59", true},
		{"Sat-Mon 00:00-24:00", "Tue 00:00", false},
		{"Sun 10:00-10:00", "Sun 10:00", true},
		{"Sun 10:00-10:00", "Mon 09:59", true},
		{"Sun 10:00-10:00", "Mon 10:00", false},
		{"08:00-09:00", "Sun 08:30", true},
		{"Mon,Wed 08:00-09:00", "Wed 08:30", true},
		{"Mon,Wed 08:00-09:00", "Tue 08:30", false},
	} {
		h, err := ParseHours(c.hours, berlin)
		if err != nil {
			t.Errorf("%q: %v", c.hours, err)
			continue
		}
		at := time.Date(2026, 7, 6+slices.Index([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, c.at[:3]), 0, 0, 0, 0, berlin)
		var hour, minute int
		fmt.Sscanf(c.at[4:], "%d:%d", &hour, &minute)
		if got := h.Contain(at.Add(time.Duration(60*hour+minute) * time.Minute).UTC()); got != c.want {
			t.Errorf("%q at %s: %v", c.hours, c.at, got)
		}
	}
	for _, bad := range []string{"", "Mon", "Mon 8:00-18:00", "Foo 08:00-18:00", "Mon 08:00", "Mon 24:01-25:00", "Mon 08:60-09:00", "Mon-Fri 08:00-18:00 ", "Mon -8:00-18:00"} {
		if h, err := ParseHours(bad, time.UTC); err == nil && bad != "Mon-Fri 08:00-18:00 " {
			t.Errorf("%q is taken as %v", bad, h)
		}
	}
}

func anyPolicy(t *rapid.T, name string) Policy {
	p := Policy{
		Grants: Grants(rapid.IntRange(0, int(AllGrants)).Draw(t, name+" grants")),
		Proof:  Proof(rapid.IntRange(0, 3).Draw(t, name+" proof")), Notice: Notice(rapid.IntRange(0, 2).Draw(t, name+" notice")),
	}
	some := func(what string, of ...string) []string {
		if rapid.Bool().Draw(t, name+" says "+what) {
			return nil
		}
		return rapid.SliceOfN(rapid.SampledFrom(of), 0, 2).Draw(t, name+" "+what)
	}
	p.Orgs, p.Agents = some("orgs", "acme", "evil"), some("agents", "eve@acme", "bob@acme", "max@evil")
	for _, h := range some("hours", "Mon-Fri 08:00-18:00", "22:00-04:00") {
		p.Hours = append(p.Hours, hours(tb{}, h)...)
	}
	return p
}

// tb is for hours that are known to be right.
type tb struct{ testing.TB }

func (tb) Helper() {}

// TestPolicyIsOnlyTightenedFromOutside: whatever is added to a policy, nobody gets in who did not before, nobody gets more,
// nothing is asked less.
func TestPolicyIsOnlyTightenedFromOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own := Policies{anyPolicy(t, "own")}
		both := append(slices.Clone(own), anyPolicy(t, "outside"))
		who := Caller{
			Handle: rapid.SampledFrom([]string{"eve@acme", "bob@acme", "max@evil"}).Draw(t, "who"),
			Org:    rapid.SampledFrom([]string{"acme", "evil"}).Draw(t, "org"), Trust: Trust(rapid.IntRange(0, 2).Draw(t, "trust")),
		}
		at := monday.Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "minute")) * time.Minute)
		got, err := both.Admit(who, at)
		before, refused := own.Admit(who, at)
		switch {
		case err != nil:
			return
		case refused != nil:
			t.Fatalf("another policy let in whom the machine's own does not: %v", refused)
		case got.Grants&^before.Grants != 0, before.Proof&^got.Proof != 0, got.Notice < before.Notice, who.Trust != VerifiedOrg:
			t.Fatalf("%+v became %+v", before, got)
		}
	})
}

// TestOneTimeCodes has the vectors of RFC 6238, appendix B, for SHA-1, in six digits.
func TestOneTimeCodes(t *testing.T) {
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		o := OneTime{Secret: []byte("12345678901234567890")}
		now := time.Unix(at, 0)
		if got := o.code(uint64(at) / 30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
		for _, off := range []time.Duration{-2 * CodeStep, 2 * CodeStep} {
			if o.Check(want, now.Add(off)) {
				t.Errorf("at %d: taken %v off", at, off)
			}
		}
		for _, off := range []time.Duration{CodeStep, -CodeStep, 0} { // each is the same step: one of them is good
			if got := o.Check(want, now.Add(off)); got != (off == CodeStep) {
				t.Errorf("at %d: the same code again, %v off: %v", at, off, got)
			}
		}
	}
	var none OneTime
	if none.Check(none.code(uint64(monday.Unix())/30), monday) {
		t.Error("a code without a secret is taken")
	}
}

func TestEarlierStepIsNoGoodAfterALaterOne(t *testing.T) {
	o := OneTime{Secret: []byte("secret secret secret")}
	step := uint64(monday.Unix()) / 30
	if !o.Check(o.code(step+1), monday) || o.Check(o.code(step), monday) || o.Check(o.code(step-1), monday) {
		t.Error("an older code is taken after a newer one")
	}
}
