package session

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Proof is what a machine wants of an agent beside the badge: a set.
type Proof uint8

// The proofs.
const (
	Password    Proof = 1 << iota // of the machine
	OneTimeCode                   // of the machine, RFC 6238
)

// Has says whether all of want are in p.
func (p Proof) Has(want Proof) bool { return p&want == want }

func (p Proof) String() string {
	var names []string
	if p.Has(Password) {
		names = append(names, "password")
	}
	if p.Has(OneTimeCode) {
		names = append(names, "one-time code")
	}
	return strings.Join(names, " and ")
}

// Notice is what people who are logged in at a machine hear of an agent who comes, weakest first.
type Notice uint8

// The notices.
const (
	NoNotice Notice = iota // nothing
	Tell                   // that the agent is there
	AskFirst               // they have AnswerTime to refuse
)

// Caller is an agent who wants to use a machine where nobody has to answer.
type Caller struct {
	Agent  string // the account, as the badge names it
	Handle string // NAME@ORG
	Name   string // sanitised
	Org    string // ORG
	Trust  Trust
}

// Terms are on which a machine lets an agent in.
type Terms struct {
	Grants Grants // no more than these
	Proof  Proof  // all of these are wanted
	Notice Notice
}

// Policy says who may use a machine when nobody has to answer. The zero Policy allows nothing. A nil list says nothing; one
// that is empty but not nil forbids everything.
type Policy struct {
	Orgs   []string // ORG
	Agents []string // NAME@ORG
	Grants Grants
	Hours  []Hours
	Proof  Proof
	Notice Notice
}

// Policies hold all at once: another one can only forbid more. That is how a policy is tightened from outside.
type Policies []Policy

// Why a policy lets nobody in, in words for the agent.
var (
	ErrNoPolicy    = errors.New("this machine has no policy: nobody may use it unattended")
	ErrNotVerified = errors.New("this machine is used unattended only by organisations whose key it trusts, and no such key vouches for you")
	ErrPolicyOrg   = errors.New("this machine's policy does not allow your organisation")
	ErrPolicyAgent = errors.New("this machine's policy does not allow you")
	ErrPolicyGrant = errors.New("this machine's policy does not allow that")
	ErrPolicyHours = errors.New("this machine's policy does not allow it at this hour")
)

// Admit says on which terms c may come in at a time, or why not.
func (all Policies) Admit(c Caller, at time.Time) (Terms, error) {
	if len(all) == 0 {
		return Terms{}, ErrNoPolicy
	}
	if c.Trust != VerifiedOrg {
		return Terms{}, ErrNotVerified
	}
	t := Terms{Grants: AllGrants}
	for _, p := range all {
		if err := p.admit(c, at); err != nil {
			return Terms{}, err
		}
		t.Grants &= p.Grants
		t.Proof |= p.Proof
		t.Notice = max(t.Notice, p.Notice)
	}
	if !t.Grants.Has(View) {
		return Terms{}, ErrPolicyGrant
	}
	return t, nil
}

func (p Policy) admit(c Caller, at time.Time) error {
	switch {
	case p.Orgs != nil && !slices.Contains(p.Orgs, c.Org):
		return ErrPolicyOrg
	case p.Agents != nil && !slices.Contains(p.Agents, c.Handle):
		return ErrPolicyAgent
	case p.Hours != nil && !slices.ContainsFunc(p.Hours, func(h Hours) bool { return h.Contain(at) }):
		return fmt.Errorf("%w (%s)", ErrPolicyHours, hoursText(p.Hours))
	}
	return nil
}

// Hours are a part of the week in one time zone.
type Hours struct {
	Days     uint8 // a bit for each time.Weekday on which they begin
	From, To int   // minutes since midnight, 0 to 1440; To before From is on the next day, equal to it: a whole day
	Zone     *time.Location
}

// Contain says whether t is within the hours.
func (h Hours) Contain(t time.Time) bool {
	t = t.In(h.Zone)
	m, today := 60*t.Hour()+t.Minute(), t.Weekday()
	if h.From < h.To {
		return h.on(today) && m >= h.From && m < h.To
	}
	return h.on(today) && m >= h.From || h.on((today+6)%7) && m < h.To
}

func (h Hours) on(d time.Weekday) bool { return h.Days&(1<<d) != 0 }

func (h Hours) String() string {
	var days []string
	for d := range time.Weekday(7) {
		if day := (d + 1) % 7; h.on(day) { // Monday first
			days = append(days, day.String()[:3])
		}
	}
	return fmt.Sprintf("%s %02d:%02d-%02d:%02d %s", strings.Join(days, ","), h.From/60, h.From%60, h.To/60, h.To%60, h.Zone)
}

// ParseHours reads "Mon-Fri 08:00-18:00" or "Sat,Sun 22:00-06:00"; without days they are all meant.
func ParseHours(s string, zone *time.Location) (Hours, error) {
	h := Hours{Days: 1<<7 - 1, Zone: zone}
	days, span, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		days, span = "", days
	}
	if days != "" {
		h.Days = 0
		for part := range strings.SplitSeq(days, ",") {
			bits, err := parseDays(part)
			if err != nil {
				return Hours{}, err
			}
			h.Days |= bits
		}
	}
	from, to, _ := strings.Cut(strings.TrimSpace(span), "-")
	var err error
	if h.From, err = parseMinute(from); err == nil {
		h.To, err = parseMinute(to)
	}
	return h, err
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(s string) (bits uint8, err error) {
	from, to, ranged := strings.Cut(strings.ToLower(s), "-")
	if !ranged {
		to = from
	}
	a, b := slices.Index(dayNames, from), slices.Index(dayNames, to)
	if a < 0 || b < 0 {
		return 0, fmt.Errorf("%q is no day or range of days: Mon, Mon-Fri or Sat,Sun is wanted", s)
	}
	for d := a; ; d = (d + 1) % 7 {
		if bits |= 1 << d; d == b {
			return bits, nil
		}
	}
}

func parseMinute(s string) (int, error) {
	var h, m int
	if n, err := fmt.Sscanf(s, "%02d:%02d", &h, &m); n != 2 || err != nil || fmt.Sprintf("%02d:%02d", h, m) != s ||
		h < 0 || m < 0 || m > 59 || 60*h+m > 24*60 {
		return 0, fmt.Errorf("%q is no time of day: 08:00 is wanted", s)
	}
	return 60*h + m, nil
}

func hoursText(hours []Hours) string {
	if len(hours) == 0 {
		return "at no hour"
	}
	all := make([]string, len(hours))
	for i, h := range hours {
		all[i] = h.String()
	}
	return strings.Join(all, "; ")
}
