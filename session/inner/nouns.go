package inner

import (
	"time"

	"assist/chat"
	"assist/session"
)

// NewRoster is the message of r.
func NewRoster(r session.Roster) *Roster {
	m := &Roster{
		Version: r.Version, Lead: uint32(r.Lead), Controlling: uint32(r.Controlling), Holder: uint32(r.Holder),
		Mode: uint32(r.Mode), Paused: r.Paused, WhyPaused: r.WhyPaused,
		Members: make([]*Member, len(r.Members)),
	}
	for i, x := range r.Members {
		m.Members[i] = &Member{
			Id: uint32(x.ID), Name: x.Name, Handle: x.Handle, Org: x.Org, Trust: uint32(x.Trust), Role: uint32(x.Role),
			Grants: uint32(x.Grants), Asked: uint32(x.Asked), State: uint32(x.Presence), SinceUnixMs: unixMS(x.Since),
			Consoles: uint32(x.Consoles), WordsChecked: x.WordsChecked,
		}
	}
	return m
}

// ParseRoster takes a roster from the other side. Texts are cleaned; grants that this build does not know are dropped and
// an unknown level of trust is the lowest, so that neither can claim more than is understood. A role, presence or mode
// that this build does not know, an id that comes twice and too many members are ErrMalformed.
func ParseRoster(m *Roster) (session.Roster, error) {
	if m == nil || len(m.Members) > MaxMembers {
		return session.Roster{}, malformed("roster of %d members", len(m.GetMembers()))
	}
	if m.Mode > uint32(session.Baton) {
		return session.Roster{}, malformed("control mode %d", m.Mode)
	}
	r := session.Roster{
		Version: m.Version, Lead: session.MemberID(m.Lead), Controlling: session.MemberID(m.Controlling), Holder: session.MemberID(m.Holder),
		Mode: session.ControlMode(m.Mode), Paused: m.Paused, WhyPaused: chat.Title(m.WhyPaused),
		Members: make([]session.Member, 0, len(m.Members)),
	}
	for _, x := range m.Members {
		member, err := parseMember(x)
		if err != nil {
			return session.Roster{}, err
		}
		if _, twice := r.Member(member.ID); twice {
			return session.Roster{}, malformed("member %d twice", member.ID)
		}
		r.Members = append(r.Members, member)
	}
	return r, nil
}

func parseMember(m *Member) (session.Member, error) {
	role, presence := session.Role(m.GetRole()), session.Presence(m.GetState())
	switch {
	case m.GetId() == 0:
		return session.Member{}, malformed("member without a number")
	case m.GetRole() < uint32(session.Agent) || m.GetRole() > uint32(session.Customer):
		return session.Member{}, malformed("role %d", m.GetRole())
	case m.GetState() < uint32(session.Knocking) || m.GetState() > uint32(session.Gone):
		return session.Member{}, malformed("presence %d", m.GetState())
	}
	trust := session.Trust(m.GetTrust())
	if m.GetTrust() > uint32(session.VerifiedOrg) {
		trust = session.UnknownOrg
	}
	return session.Member{
		ID: session.MemberID(m.GetId()), Name: chat.Name(m.GetName()), Handle: chat.Name(m.GetHandle()), Org: chat.Name(m.GetOrg()),
		Trust: trust, Role: role, Grants: ParseGrants(m.GetGrants()), Asked: ParseGrants(m.GetAsked()), Presence: presence,
		Since: fromUnixMS(m.GetSinceUnixMs()), Consoles: int(min(m.GetConsoles(), MaxMembers)), WordsChecked: m.GetWordsChecked(),
	}, nil
}

// ParseGrants drops what this build does not know: an unknown grant is none.
func ParseGrants(g uint32) session.Grants { return session.Grants(g) & session.AllGrants }

// ParseLane refuses a lane that this build does not know: words must not reach whom they are not meant for.
func ParseLane(l uint32) (chat.Lane, error) {
	if l != uint32(chat.Everyone) && l != uint32(chat.AgentsOnly) {
		return 0, malformed("lane %d", l)
	}
	return chat.Lane(l), nil
}

// NewEntry is the message of e.
func NewEntry(e chat.Entry) *Entry {
	return &Entry{
		Seq: uint64(e.Seq), UnixMs: unixMS(e.Time), From: e.From, Name: e.Name, Lane: uint32(e.Lane), Kind: uint32(e.Kind),
		Text: e.Text, About: e.About,
	}
}

// ParseEntry takes an entry from the other side and cleans its texts. An unknown kind or lane is ErrMalformed.
func ParseEntry(m *Entry) (chat.Entry, error) {
	lane, err := ParseLane(m.GetLane())
	if err != nil {
		return chat.Entry{}, err
	}
	if m.GetKind() < uint32(chat.Said) || m.GetKind() > uint32(chat.Declined) || m.GetSeq() == 0 {
		return chat.Entry{}, malformed("entry %d of kind %d", m.GetSeq(), m.GetKind())
	}
	e := chat.Entry{
		Seq: chat.Seq(m.GetSeq()), Time: fromUnixMS(m.GetUnixMs()), From: m.GetFrom(), Name: chat.Name(m.GetName()),
		Lane: lane, Kind: chat.Kind(m.GetKind()), About: m.GetAbout(),
	}
	if e.Kind == chat.Said {
		e.Text = chat.Body(m.GetText())
	} else {
		e.Text = chat.Line(m.GetText())
	}
	return e, nil
}

// ParseLog takes the history of a Welcome: at most MaxLog entries, numbers growing.
func ParseLog(log []*Entry) ([]chat.Entry, error) {
	if len(log) > MaxLog {
		return nil, malformed("history of %d entries", len(log))
	}
	out := make([]chat.Entry, 0, len(log))
	var newest chat.Seq
	for _, m := range log {
		e, err := ParseEntry(m)
		if err != nil {
			return nil, err
		}
		if e.Seq <= newest {
			return nil, malformed("entry %d after %d", e.Seq, newest)
		}
		newest = e.Seq
		out = append(out, e)
	}
	return out, nil
}

// ParseNonce takes the nonce of a Say; an empty one names nothing.
func ParseNonce(b []byte) (chat.Nonce, error) {
	var n chat.Nonce
	if len(b) != 0 && len(b) != len(n) {
		return n, malformed("nonce of %d bytes", len(b))
	}
	copy(n[:], b)
	return n, nil
}

// unixMS keeps the zero time zero.
func unixMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// maxUnixMS is the end of the year 9999: times after it do not print.
const maxUnixMS = 253402300799999

func fromUnixMS(ms int64) time.Time {
	if ms <= 0 || ms > maxUnixMS {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
