// Package chat holds what was said: entries, the ordered log of a session, and the sanitiser that every text from outside
// passes before it can reach a terminal.
//
// It is vocabulary and pure rules: no goroutine, no clock, no socket.
package chat

import "time"

// Seq numbers entries of one session from 1, without gaps. The host gives it out.
type Seq uint64

// Lane is who an entry is for.
type Lane uint8

// The lanes. They are never mixed in one input line.
const (
	Everyone   Lane = iota + 1 // agents and the customer
	AgentsOnly                 // agents
)

// Kind is what an entry is. Only Said carries words typed by a member; no text can imitate the others, because they are
// drawn from their kind.
type Kind uint8

// The kinds of entries.
const (
	Said Kind = iota + 1
	Joined
	Left
	Dropped
	Removed
	Granted
	Revoked
	BecameLead
	HandedOver
	ControlTaken
	ModeChanged
	Pulled // diagnostics
	Note   // the host tells something in its own words
	Ended
	Declined // the lead, by the one it was offered to
)

// Entry is one line of the log.
type Entry struct {
	Seq   Seq
	Time  time.Time
	From  uint32 // session.MemberID; 0: the session itself
	Name  string // of From, when it was written
	Lane  Lane
	Kind  Kind
	Text  string // sanitised
	About uint32 // another member, 0: none
}
