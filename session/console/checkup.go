package console

import "assist/diag"

// Bounds of what a console keeps of diagnostics: it is shown, not stored.
const (
	KeepReports = 6    // the first of the session and the newest ones
	KeepSamples = 120  // seconds of live values
	KeepEvents  = 1000 // lines of the event log
)

// Checkup is what a console knows of the customer's machine. It never changes after it was handed out.
type Checkup struct {
	Reports []diag.Report // oldest first; the first is that of the session's begin as far as one was pulled
	Pulling bool
	Doing   string // what is waited for, in words, while Pulling
	Why     string // why the newest pull brought nothing

	Live    []diag.Sample // oldest first, while they are followed
	LiveWhy string        // why they are not

	Events     []diag.Event // of EventQuery, oldest first
	EventQuery diag.EventQuery
	EventsFrom string // where they are read
	EventsWhy  string // why there are no more
	Following  bool   // the event log is followed
}

// Commands about the customer's machine. What comes of them is in State.Checkup.
type (
	// PullReport asks for a report of these categories, all where none is named, and for the grant if it is missing.
	PullReport struct{ IDs []diag.ID }
	// FollowLive follows the live values, or stops to.
	FollowLive struct{ On bool }
	// FollowEvents follows the event log under a new query; nil stops.
	FollowEvents struct{ Query *diag.EventQuery }
)

func (PullReport) command()   {}
func (FollowLive) command()   {}
func (FollowEvents) command() {}
