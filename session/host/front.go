package host

import (
	"context"
	"time"

	"assist/chat"
	"assist/session"
)

// Front is where the customer sees and answers: a terminal, a window. Run returns when ctx is done. Views come newest first
// and only the newest; act never waits.
type Front interface {
	Run(ctx context.Context, views <-chan View, act func(Act)) error
}

// View is everything that a front shows. It never changes after it was handed out.
type View struct {
	Code     string
	URL      string
	Relay    string
	Expires  time.Time // of the code while nobody is in
	Started  time.Time
	Question *Question // nil: none is up
	Roster   session.Roster
	Words    map[session.MemberID][]string // to read out to that member
	Log      []chat.Entry                  // the newest for everyone, at most viewLog
	Alone    time.Time                     // no agent is here: when it ends by itself
	Lost     time.Time                     // since when nothing was heard of any agent that is in; zero: there is contact
	NoRelay  time.Time                     // since when the relay does not answer; zero: it does
	Ended    bool
	Why      string
}

// viewLog is how many entries a view carries.
const viewLog = 200

// Question is what the customer is asked.
type Question struct {
	Serial   uint64
	Member   session.MemberID
	Name     string
	Handle   string
	Org      string
	Trust    session.Trust
	Join     bool           // asks to come in; otherwise a member asks for more
	Again    bool           // has controlled for session.ConfirmTime: may it go on?
	Grants   session.Grants // what a yes allows
	Later    session.Grants // what is asked after a yes
	Words    []string       // nil: the agent's console knows this host's key
	Silence  session.Grants // what no answer allows: nothing, but on machines where nobody has to answer
	Deadline time.Time
	Stranger bool   // of another organisation than the lead
	What     string // a request for one thing once, after "wants to"; empty: it is about grants
	Detail   string // more about What, several lines
	Terminal bool   // a terminal is all that is shared
}

// Act is something the customer did.
type Act interface{ act() }

// The acts.
type (
	// Answer answers the question with that serial number.
	Answer struct {
		Serial uint64
		Allow  session.Grants
	}
	// Stop ends for all.
	Stop struct{}
	// Revoke takes grants back; of everyone where Member is session.Nobody.
	Revoke struct {
		Member session.MemberID
		Grants session.Grants
	}
	// Say adds words for everyone.
	Say struct{ Text string }
	// Remove sends an agent out.
	Remove struct{ Member session.MemberID }
	// LocalInput is the customer's own keyboard or mouse.
	LocalInput struct{}
)

func (Answer) act()     {}
func (Stop) act()       {}
func (Revoke) act()     {}
func (Say) act()        {}
func (Remove) act()     {}
func (LocalInput) act() {}

// Event is one line of `assist host --json`.
type Event struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"` // code, called, refused, member_joined, member_left, consent_asked, consent_answered, control, chat, command, command_over, file, ended
	Code   string    `json:"code,omitempty"`
	URL    string    `json:"url,omitempty"`
	Member uint32    `json:"member,omitempty"`
	Name   string    `json:"name,omitempty"`
	Handle string    `json:"handle,omitempty"`
	Org    string    `json:"org,omitempty"`
	Trust  string    `json:"trust,omitempty"`
	Grants []string  `json:"grants,omitempty"`
	Answer string    `json:"answer,omitempty"` // yes, no, silence
	Text   string    `json:"text,omitempty"`
	Why    string    `json:"why,omitempty"`
}
