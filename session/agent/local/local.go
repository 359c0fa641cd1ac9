// Package local lets other programs of the same user on the same machine speak to a running console: `assist roster`,
// `assist say`, `assist invite` and the like find the session here.
//
// A console has one Unix socket for its session, mode 0600 in a folder of mode 0700, named by the code. Whoever connects
// must be the same user, which the kernel says (threats A37); a peer of another user is not answered at all. One connection
// carries one request: one line of JSON up, one or more lines down; after "open" it is a stream to the host and carries bytes.
// The socket can ask for what the agent at the console could ask for, and no more: the host decides each as it always does.
// A program that has a session of its own speaks to it by the same verbs without a socket (Beside).
//
// Serve owns the socket and answers from snapshots of the Console; it keeps no state of its own. A program that reads its
// answer slowly is waited for writeTime and then dropped; a follower that falls behind misses nothing, because the log is
// read again from where it was. The console itself never waits for any of them.
package local

import (
	"context"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session/console"
)

// Console is a running console's session. *agent.Session is one.
type Console interface {
	State() console.State
	// Log returns the entries after seq that are kept, oldest first.
	Log(after chat.Seq) []chat.Entry
	// Ask gives a command and waits for the host's answer; the number is that of the entry that a Say became.
	Ask(ctx context.Context, c console.Command) (chat.Seq, error)
	// Invite makes an invitation to the session, Invites lists the open ones, RevokeInvite closes one; each asks the relay.
	Invite(ctx context.Context, c console.Invite) (console.Invitation, error)
	Invites(ctx context.Context) ([]console.Invitation, error)
	RevokeInvite(ctx context.Context, code string) error
	// Watch signals that State or Log is newer; at most one signal is pending. Stop ends it.
	Watch() (changed <-chan struct{}, stop func())
	Worker
}

// version of what is said on the socket. Fields are only added under one number.
const version = 1

// Limits of the socket.
const (
	maxRequest = 128 << 10        // bytes of a request line: a chat text of chat.MaxBodyBytes, every byte escaped, fits
	maxReply   = 4 << 20          // bytes of one reply line: 256 members with their longest names fit
	maxNote    = 4 << 10          // bytes of a hand-over note
	maxCalls   = 32               // connections at once
	maxListed  = 1024             // names read in the folder
	readTime   = 5 * time.Second  // for a request to arrive
	writeTime  = 10 * time.Second // for a reply to be taken
	sayTime    = 3 * time.Second  // for the host to number what was said; later it is reported as queued
	askTime    = 10 * time.Second // for the host to answer anything else
	lastTime   = time.Second      // for open connections, once the session is over
	dialTime   = 2 * time.Second  // to connect, and to describe a session
)

// request is the one line that a client says.
type request struct {
	Version int      `json:"v"`
	Verb    string   `json:"verb"`
	Lane    string   `json:"lane,omitempty"`   // say
	Text    string   `json:"text,omitempty"`   // say; the note of handover
	After   chat.Seq `json:"after,omitempty"`  // chat
	Follow  bool     `json:"follow,omitempty"` // chat
	Name    string   `json:"name,omitempty"`   // handover

	For      string `json:"for,omitempty"`       // invite; wait
	ViewOnly bool   `json:"view_only,omitempty"` // invite
	Life     int    `json:"life_s,omitempty"`    // invite; seconds
	Code     string `json:"code,omitempty"`      // revoke

	Grants []string       `json:"grants,omitempty"` // obtain
	Input  []screen.Input `json:"input,omitempty"`  // play
	Stream int            `json:"stream,omitempty"` // open; a wire.StreamKind
}

// reply is one line of the answer. The last has Done or Error.
type reply struct {
	Done    bool     `json:"done,omitempty"`
	Error   *Error   `json:"error,omitempty"`
	Why     string   `json:"why,omitempty"` // with Done: why there will be no more
	Roster  []Member `json:"roster,omitempty"`
	Entry   *Entry   `json:"entry,omitempty"`
	Said    *Said    `json:"said,omitempty"`
	Invite  *Invite  `json:"invite,omitempty"`
	Invites []Invite `json:"invites,omitempty"`
	Session *Session `json:"session,omitempty"`
	Screen  *Screen  `json:"screen,omitempty"`
	Line    *Line    `json:"line,omitempty"`    // of the screen before
	Offered *Member  `json:"offered,omitempty"` // handover: who is being asked now
}

// Error is an answer that says no. The code is the interface, the text may improve.
type Error struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (e *Error) Error() string { return e.Text }

// The codes of Error.
const (
	BadRequest = "bad_request"
	Busy       = "busy"       // too many connections
	NotIn      = "not_in"     // the console is not in the session yet, or not any more
	Refused    = "refused"    // the rules of the session do not allow it
	Declined   = "declined"   // a person said no, or nothing
	Denied     = "denied"     // the customer said no, or nothing
	NoContact  = "no_contact" // with the customer's host, just now
	NoMember   = "no_member"  // nobody in the session is called that
	Ambiguous  = "ambiguous"  // several are
	NoAnswer   = "no_answer"  // of the host, in time
)
