package local

import (
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/console"
)

// Member is one line of `assist roster --json`.
type Member struct {
	ID       session.MemberID `json:"id"`
	Name     string           `json:"name"`
	Org      string           `json:"org"`
	Verified bool             `json:"verified"` // an organisation key that the host trusts vouches for the agent's device
	Role     string           `json:"role"`     // lead, agent, customer
	Grants   []string         `json:"grants"`
	State    string           `json:"state"` // knocking, here, reconnecting, away
	Consoles int              `json:"consoles"`
}

var roleNames = map[session.Role]string{session.Agent: "agent", session.Lead: "lead", session.Customer: "customer"}

var presenceNames = map[session.Presence]string{
	session.Knocking: "knocking", session.Here: "here", session.Reconnecting: "reconnecting", session.Away: "away", session.Gone: "gone",
}

func newMember(m session.Member) Member {
	grants := m.Grants.Names()
	if grants == nil {
		grants = []string{}
	}
	return Member{
		ID: m.ID, Name: m.Name, Org: m.Org, Verified: m.Trust == session.VerifiedOrg, Role: roleNames[m.Role],
		Grants: grants, State: presenceNames[m.Presence], Consoles: m.Consoles,
	}
}

// newRoster leaves out those who are gone.
func newRoster(r session.Roster) []Member {
	out := []Member{}
	for _, m := range r.Members {
		if m.Presence != session.Gone {
			out = append(out, newMember(m))
		}
	}
	return out
}

// Entry is one line of `assist chat --json`.
type Entry struct {
	Seq   chat.Seq  `json:"seq"`
	Time  time.Time `json:"time"`
	From  string    `json:"from"`            // a member's name; empty: the session itself
	About string    `json:"about,omitempty"` // the other member whom it is about
	Lane  string    `json:"lane"`            // all, agents
	Kind  string    `json:"kind"`            // said, or one of kindNames
	Text  string    `json:"text"`
}

// The lanes as they are written.
const (
	LaneAll    = "all"
	LaneAgents = "agents"
)

var kindNames = map[chat.Kind]string{
	chat.Said: "said", chat.Joined: "joined", chat.Left: "left", chat.Dropped: "dropped", chat.Removed: "removed",
	chat.Granted: "granted", chat.Revoked: "revoked", chat.BecameLead: "lead", chat.HandedOver: "handed_over",
	chat.ControlTaken: "control", chat.ModeChanged: "mode", chat.Pulled: "diagnostics", chat.Note: "note", chat.Ended: "ended",
	chat.Declined: "declined",
}

func newEntry(e chat.Entry, names session.Roster) *Entry {
	about := ""
	if e.About != e.From {
		m, _ := names.Member(session.MemberID(e.About))
		about = m.Name
	}
	lane := LaneAll
	if e.Lane == chat.AgentsOnly {
		lane = LaneAgents
	}
	kind, known := kindNames[e.Kind]
	if !known {
		kind = kindNames[chat.Note]
	}
	return &Entry{Seq: e.Seq, Time: e.Time.UTC(), From: e.Name, About: about, Lane: lane, Kind: kind, Text: e.Text}
}

// ParseLane takes a lane as it is written; nothing means everyone.
func ParseLane(s string) (chat.Lane, error) {
	switch s {
	case LaneAll, "":
		return chat.Everyone, nil
	case LaneAgents:
		return chat.AgentsOnly, nil
	}
	return 0, &Error{Code: BadRequest, Text: "a lane is all or agents"}
}

// Said is what became of a text.
type Said struct {
	Seq    chat.Seq `json:"seq"`              // of its entry; 0 while it is queued
	Queued bool     `json:"queued,omitempty"` // the host has not answered yet: it is sent when it is reached again
}

// Session is one line of `assist sessions --json`.
type Session struct {
	Code     string `json:"code"`
	Customer string `json:"customer"`
	Host     string `json:"host"`
	Machine  string `json:"machine,omitempty"` // NAME@ORG
	State    string `json:"state"`             // connecting, waiting, knocking, in, lost
	Started  string `json:"started"`           // RFC 3339; empty: not yet
	Agents   int    `json:"agents"`            // in it now
	Link     *Link  `json:"link,omitempty"`    // to the host; absent while there is none
}

// Link is how packets travel to the host.
type Link struct {
	Path  string    `json:"path"` // direct, relay, tcp
	Why   string    `json:"why"`  // that path
	Since time.Time `json:"since"`
	RTTMs int64     `json:"rtt_ms"`
	Loss  float64   `json:"loss"` // share of packets of the last seconds, 0 to 1
}

func newSession(st console.State) *Session {
	s := &Session{Code: st.Code, Customer: st.Customer, Host: st.HostName, Machine: st.Machine, State: st.Phase.String()}
	if !st.Started.IsZero() {
		s.Started = st.Started.UTC().Format(time.RFC3339)
	}
	if l := st.Link; l.Path != "" && st.Phase != console.Lost {
		s.Link = &Link{Path: l.Path, Why: l.Why, Since: l.Since.UTC(), RTTMs: l.RTT.Milliseconds(), Loss: l.Loss}
	}
	for _, m := range st.Roster.Members {
		if m.Role != session.Customer && (m.Presence == session.Here || m.Presence == session.Away) {
			s.Agents++
		}
	}
	return s
}
