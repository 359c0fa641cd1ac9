// Package session holds what a support session is: its members, what each may do, and the rules by which that changes.
//
// It is vocabulary and pure rules: no goroutine, no clock, no socket. The host's session loop is the only writer of a
// Session; everyone else gets snapshots (Roster) and events.
package session

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MemberID numbers a member within one session, in order of first arrival; never reused. The customer is Customer.
type MemberID uint32

// Nobody stands for "no member"; the customer has the fixed id 1, agents count from 2.
const (
	Nobody     MemberID = 0
	CustomerID MemberID = 1
)

// Role is what a member is in the session.
type Role uint8

// The roles.
const (
	Agent Role = iota + 1
	Lead
	Customer
)

// Grants is a set of things that a member may do. Each is asked for and given by the customer.
type Grants uint32

// The grants.
const (
	View Grants = 1 << iota
	Control
	Chat
	Diag
	Clipboard
	File
	Run // commands and actions on the machine
)

// AllGrants is every grant there is.
const AllGrants = View | Control | Chat | Diag | Clipboard | File | Run

type grantName struct {
	g    Grants
	name string
}

var grantNames = []grantName{{View, "view"}, {Control, "control"}, {Chat, "chat"}, {Diag, "diag"}, {Clipboard, "clipboard"}, {File, "file"}, {Run, "run"}}

// Has says whether all of want are in g.
func (g Grants) Has(want Grants) bool { return g&want == want }

// Names lists the grants in their fixed order.
func (g Grants) Names() []string {
	var out []string
	for _, n := range grantNames {
		if g.Has(n.g) {
			out = append(out, n.name)
		}
	}
	return out
}

func (g Grants) String() string { return strings.Join(g.Names(), ",") }

// ParseGrants reads the names that Names gives.
func ParseGrants(names []string) (Grants, error) {
	var all Grants
	for _, name := range names {
		i := slices.IndexFunc(grantNames, func(n grantName) bool { return n.name == strings.TrimSpace(name) })
		if i < 0 {
			return 0, fmt.Errorf("%q is no grant", name)
		}
		all |= grantNames[i].g
	}
	return all, nil
}

// Trust is how the organisation of an agent is known to the host. It is always shown in words.
type Trust uint8

// The levels of trust, weakest first.
const (
	UnknownOrg  Trust = iota // nothing vouches for it
	RelayOnly                // this relay says so, nothing else does
	VerifiedOrg              // an organisation key that the host already trusted vouches for the agent's device
)

func (t Trust) String() string {
	switch t {
	case VerifiedOrg:
		return "verified"
	case RelayOnly:
		return "known to this relay only, not verified"
	}
	return "unknown, not verified"
}

// Presence is whether a member is here.
type Presence uint8

// The presences.
const (
	Knocking     Presence = iota + 1 // waits for the customer's answer
	Here                             // connected
	Reconnecting                     // the link dropped, the seat is held
	Away                             // connected, but not looking
	Gone                             // left, dropped for good, or removed
)

// ControlMode says how agents share control.
type ControlMode uint8

// The control modes.
const (
	Free  ControlMode = iota // every agent with the grant, all at once
	Ask                      // each asks the one who controls
	Baton                    // one at a time, handed on
)

// LeaveHow is the lead's answer to "end for all or go alone".
type LeaveHow uint8

// The ways to leave.
const (
	LeaveOnly LeaveHow = iota
	EndForAll
)

// Member is one line of the roster.
type Member struct {
	ID           MemberID
	Name         string // sanitised display name
	Handle       string // NAME@ORG, fixed
	Org          string // organisation as people read it, sanitised
	Trust        Trust
	Role         Role
	Grants       Grants // what it may do now
	Asked        Grants // what waits for the customer's answer
	Presence     Presence
	Since        time.Time // of this presence
	Consoles     int       // how many consoles of this agent are connected
	WordsChecked bool      // the agent confirmed the host's key (URL or words)
}

// Roster is a snapshot of who is in the session and what each may do. Members are in order of arrival.
type Roster struct {
	Version     uint64 // grows with every change
	Members     []Member
	Lead        MemberID
	Controlling MemberID // who used control within the last two seconds
	Holder      MemberID // who has control in Ask and Baton; Nobody in Free
	Mode        ControlMode
	Paused      bool   // remote input is dropped
	WhyPaused   string // in words for agents
}

// Member returns the line of id.
func (r Roster) Member(id MemberID) (Member, bool) {
	for _, m := range r.Members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}
