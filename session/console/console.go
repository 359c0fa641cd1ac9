// Package console holds the words in which a console's session is told: the state of a session as one agent sees it, and
// the commands that an agent can give.
//
// It is vocabulary, shared by the two that must not know each other: session/agent keeps a State and obeys Commands, tui
// draws the one and gives the other. It holds no goroutine, clock or socket.
package console

import (
	"errors"
	"image"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
)

// Phase is where the console is on its way into and out of a session.
type Phase uint8

// The phases.
const (
	Connecting   Phase = iota // to relay or host
	AwaitingHost              // agent started, customer has not opened the code yet
	Knocking                  // the customer is being asked
	In                        // member of the session
	Lost                      // no contact since State.LostSince; it goes on trying
	Over                      // ended, refused or failed: State.Why says it, State.Err is set when it failed
)

var phaseNames = map[Phase]string{
	Connecting: "connecting", AwaitingHost: "waiting", Knocking: "knocking", In: "in", Lost: "lost", Over: "over",
}

func (p Phase) String() string { return phaseNames[p] }

// State is a snapshot of everything but pictures and the log.
type State struct {
	Phase     Phase
	Why       string // in words, for Waiting, Lost and Over
	Err       error
	Code      string
	URL       string
	Expires   time.Time // of the code; zero: it lasts as long as the session
	Machine   string    // NAME@ORG of the enrolled machine that this is on; empty: a customer shares
	HostName  string
	Customer  string
	HostOS    string
	Display   screen.Display // Size zero: none is shared
	Text      Text
	Pointer   screen.Pointer
	Quality   screen.Quality // how pictures are made now, and why; Shrink 0: not told yet
	Focus     screen.Focus
	Roster    session.Roster
	Self      session.MemberID
	Words     []string // three words to compare, nil when the key was known
	Trusted   bool     // the host's key is confirmed: by URL, by a pin, or the words were compared
	TrustedBy string   // "key from link", "words compared"
	Link      Link
	Started   time.Time
	LostSince time.Time
	Newest    chat.Seq
	Unsent    int     // messages of this agent that the host has not taken yet
	Outcome   Outcome // of the newest command that failed
	Offer     *Offer  // the lead is offered to this agent; nil: it is not
	Pointers  []MemberPointer
	Invites   []Invitation // open ones of this session, as far as this agent may see them
	Checkup   *Checkup     // of the customer's machine; nil: nothing was asked
}

// Text is what the host shares as text.
type Text struct {
	Offered bool
	Name    string // of the program, such as "bash"
	Fixed   bool   // its size does not follow this console
	Ended   bool   // the program is gone
}

// Offer is a hand-over that waits for this agent's answer.
type Offer struct {
	From session.MemberID
	Note string // what the lead typed, sanitised
	At   time.Time
}

// MemberPointer is where another agent's pointer is, in display pixels, while that agent points.
type MemberPointer struct {
	Member session.MemberID
	At     image.Point
}

// Invitation is a code made to bring one more agent in.
type Invitation struct {
	Code     string // 8 digits
	URL      string
	For      string // NAME@ORG, ORG, or empty for whoever has it
	ViewOnly bool
	Expires  time.Time
}

// Link is how packets travel now.
type Link struct {
	Path  string    // "relay", "direct", "tcp"
	Why   string    // packets travel that path, for people
	Since time.Time // of Path
	Fresh bool      // the path changed just now: Why is worth a look
	RTT   time.Duration
	Loss  float64 // fraction of packets, 0..1
	Rate  float64 // bytes a second received, over the last seconds
	Bytes uint64  // received on this link
	FPS   float64 // pictures a second received
}

// Outcome is the answer to a command that could not be done.
type Outcome struct {
	Serial uint64 // grows; 0: none yet
	Text   string
}

// ErrRefused is the customer's no, or silence, to something that was asked for.
var ErrRefused = errors.New("the customer said no")

// Command is something the agent wants done in the session.
type Command interface{ command() }

// The commands.
type (
	// Say adds words to the log.
	Say struct {
		Lane chat.Lane
		Text string
	}
	// TakeControl starts sending input; the host decides.
	TakeControl struct{}
	// GiveControl lets go, or hands the baton to a member.
	GiveControl struct{ To session.MemberID }
	// AskGrants asks the customer for more.
	AskGrants struct{ Grants session.Grants }
	// Leave goes, or ends for all.
	Leave struct{ How session.LeaveHow }
	// HandOver offers the lead.
	HandOver struct {
		To   session.MemberID
		Note string
	}
	// ConfirmWords says that the agent compared the three words.
	ConfirmWords struct{}
	// RemoveMember sends an agent out.
	RemoveMember struct{ Member session.MemberID }
	// AnswerHandOver accepts or declines the lead.
	AnswerHandOver struct{ Accept bool }
	// SetMember limits what a member may do; the lead's.
	SetMember struct {
		Member  session.MemberID
		Ceiling session.Grants
	}
	// SetMode chooses how agents share control; the lead's.
	SetMode struct{ Mode session.ControlMode }
	// Invite makes an invitation; it appears in State.Invites.
	Invite struct {
		For      string // NAME@ORG, ORG, or empty
		ViewOnly bool
		Life     time.Duration // 0: 15 minutes
	}
	// RevokeInvite closes one.
	RevokeInvite struct{ Code string }
	// PinQuality says how pictures are to be made.
	PinQuality struct{ Pin screen.Pin }
	// Drew tells how long the terminal took for a picture, so that the host sends no more than it takes.
	Drew struct{ Took time.Duration }
)

func (Say) command()            {}
func (TakeControl) command()    {}
func (GiveControl) command()    {}
func (AskGrants) command()      {}
func (Leave) command()          {}
func (HandOver) command()       {}
func (ConfirmWords) command()   {}
func (RemoveMember) command()   {}
func (AnswerHandOver) command() {}
func (SetMember) command()      {}
func (SetMode) command()        {}
func (Invite) command()         {}
func (RevokeInvite) command()   {}
func (PinQuality) command()     {}
func (Drew) command()           {}
