package session

import "errors"

// ConsoleID names one console's link to the host; the host gives it out, from 1. An agent with two consoles is one member.
type ConsoleID uint64

// Device is the fingerprint of the key that a console authenticated with.
type Device [32]byte

// Command is something that happened or that somebody wants. Commands of agents carry who in By; the host fills it in from
// the link the command came by, never from the message.
type Command interface{ command() }

// Commands of links.
type (
	// Knock is a console at the door, its badge already checked. A device that the customer has let in before, and whose
	// seat is still held, is not asked about again.
	Knock struct {
		Console ConsoleID
		Agent   string // the account, as the badge names it
		Device  Device
		Name    string // sanitised
		Handle  string // NAME@ORG, sanitised
		Org     string // sanitised
		Trust   Trust
		Want    Grants
		Most    Grants // the badge allows no more; 0: everything
		Checked bool   // the host's key is known to the console from a URL or a pin
		Policy  *Terms // those of a machine where nobody has to answer; nil: the customer is asked
	}
	// Judge says what the machine's policy allows a member from now on.
	Judge struct {
		Member MemberID
		Terms  Terms
	}
	// Drop is a link that broke or fell silent.
	Drop struct{ Console ConsoleID }
)

// Commands of agents.
type (
	// Leave takes one console out, or ends for all.
	Leave struct {
		By      MemberID
		Console ConsoleID
		How     LeaveHow
	}
	// AskGrants asks the customer for more.
	AskGrants struct {
		By     MemberID
		Grants Grants
	}
	// TakeControl asks for control as the mode has it; without the grant it asks the customer.
	TakeControl struct{ By MemberID }
	// GiveControl lets go (Nobody) or hands control on. The lead may also hand on what another holds.
	GiveControl struct{ By, To MemberID }
	// HandOver offers the lead.
	HandOver struct {
		By, To MemberID
		Note   string
	}
	// HandOverAnswer takes the lead, or does not.
	HandOverAnswer struct {
		By     MemberID
		Accept bool
	}
	// SetCeiling allows a member at most these grants; view stays.
	SetCeiling struct {
		By, Member MemberID
		Ceiling    Grants
	}
	// Remove sends an agent out; its device and account do not come in again.
	Remove struct {
		By, Member MemberID
		Why        string
	}
	// SetMode says how control is shared.
	SetMode struct {
		By   MemberID
		Mode ControlMode
	}
	// CheckedWords says that the agent compared the three words.
	CheckedWords struct{ By MemberID }
	// Request asks the customer for one thing once, under a grant that the member has: this file, this report. Once is a
	// number that the host chooses; the question and what becomes of it carry it.
	Request struct {
		By     MemberID
		Once   uint64
		Grant  Grants
		What   string // sanitised, one line that goes on after "wants to"
		Detail string // sanitised, may be several lines
	}
	// Used says that a member's input was played just now.
	Used struct{ By MemberID }
)

// Commands of the customer and of the host itself.
type (
	// Answer answers the question that is up. Allow without View at the door is a no.
	Answer struct {
		Serial uint64
		Allow  Grants
	}
	// Revoke takes grants back at once.
	Revoke struct {
		Member MemberID // Nobody: every agent
		Grants Grants
	}
	// Unask takes the question of a Request away: who asked has gone. It never fails.
	Unask struct{ Once uint64 }
	// LocalInput is the customer's own keyboard or mouse: remote input waits for LocalPause.
	LocalInput struct{}
	// Stop ends for all. It never fails.
	Stop struct {
		By  MemberID
		Why string
	}
	// Tick lets time pass.
	Tick struct{}
)

// ofAgent is a command that only an agent who is here can give.
type ofAgent interface {
	Command
	by() MemberID
}

func (c Leave) by() MemberID          { return c.By }
func (c AskGrants) by() MemberID      { return c.By }
func (c TakeControl) by() MemberID    { return c.By }
func (c GiveControl) by() MemberID    { return c.By }
func (c HandOver) by() MemberID       { return c.By }
func (c HandOverAnswer) by() MemberID { return c.By }
func (c SetCeiling) by() MemberID     { return c.By }
func (c CheckedWords) by() MemberID   { return c.By }
func (c Used) by() MemberID           { return c.By }
func (c Request) by() MemberID        { return c.By }

func (Knock) command()          {}
func (Judge) command()          {}
func (Drop) command()           {}
func (Leave) command()          {}
func (AskGrants) command()      {}
func (TakeControl) command()    {}
func (GiveControl) command()    {}
func (HandOver) command()       {}
func (HandOverAnswer) command() {}
func (SetCeiling) command()     {}
func (Remove) command()         {}
func (SetMode) command()        {}
func (CheckedWords) command()   {}
func (Used) command()           {}
func (Request) command()        {}
func (Answer) command()         {}
func (Revoke) command()         {}
func (Unask) command()          {}
func (LocalInput) command()     {}
func (Stop) command()           {}
func (Tick) command()           {}

// What Apply refuses, in words for the one who asked.
var (
	ErrOver       = errors.New("the session has ended")
	ErrNotHere    = errors.New("not a member of this session")
	ErrNoSuch     = errors.New("there is no such member here")
	ErrLeadOnly   = errors.New("only the lead can do that")
	ErrNotYou     = errors.New("that cannot be done to yourself")
	ErrBarred     = errors.New("not let in: sent out or refused earlier in this session")
	ErrBusy       = errors.New("the customer is not being asked now, try again in a minute")
	ErrFull       = errors.New("the session is full")
	ErrStale      = errors.New("that question is no longer open")
	ErrAskedOnce  = errors.New("the customer has just said no to that, ask again in half a minute")
	ErrCeiling    = errors.New("the lead has set you to less than that")
	ErrInvited    = errors.New("you were invited to less than that")
	ErrNotGiven   = errors.New("the customer has not allowed that")
	ErrNoControl  = errors.New("the customer has not allowed control")
	ErrHeld       = errors.New("another agent has control")
	ErrPaused     = errors.New("remote input is paused")
	ErrNoOffer    = errors.New("no hand-over is offered to you")
	ErrOffered    = errors.New("a hand-over is already offered")
	ErrBadCommand = errors.New("the command makes no sense")
)

// EventKind says what an Event tells.
type EventKind uint8

// The kinds of events. Console is 0 where the event is about the member, not about one console.
const (
	EvKnocked      EventKind = iota + 1 // Member's Console waits at the door
	EvAsked                             // Question is up now
	EvAnswered                          // Question was answered with Grants; By is Nobody when nobody did in time
	EvWithdrawn                         // Question went away unanswered
	EvRefused                           // Console was not let in; Text says why
	EvJoined                            // Member is in, by Console
	EvConsoleIn                         // a further Console of Member is in
	EvConsoleOut                        // one of several consoles of Member left or dropped
	EvDropped                           // Member's last link dropped; its seat is held
	EvResumed                           // Member is back on its seat, by Console
	EvLeft                              // Member left, or its seat ran out (Text)
	EvRemoved                           // Member was sent out by By
	EvGrants                            // Member had Was and has Grants now, by By (Nobody: by the rules, Text says why)
	EvLead                              // Member is the lead now; By handed over, Nobody: it passed on
	EvHandOver                          // By offers the lead to Member with Text
	EvHandOverOff                       // Member did not take the lead from By
	EvControl                           // Member holds control now in Ask and Baton; Nobody: no one
	EvControlAsked                      // Member asks By, who has control, for it
	EvMode                              // control is shared as Mode now, by By
	EvRelease                           // Member may not control any more: its keys and buttons go up
	EvChecked                           // Member compared the words
	EvPaused                            // remote input is dropped (Text) or, Text empty, goes on
	EvEnded                             // over for all, by By (Nobody: time), Text says why
)

// Event is one thing that Apply made happen, in order.
type Event struct {
	Kind     EventKind
	Member   MemberID
	By       MemberID
	Console  ConsoleID
	Was      Grants
	Grants   Grants
	Mode     ControlMode
	Question Question
	Text     string
}
