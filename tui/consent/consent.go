// Package consent is the customer's own small screen: the code to read out, the question who may do what, and, while this
// machine is shared, who is here, who controls, and the one key that stops everything.
//
// It knows the nouns and nothing of a host: it is handed Views and hands back Acts. Run owns the terminal; the model is
// the only writer of what is on it. Of views only the newest is kept, so a slow terminal shows less, never later. A No, a
// Stop and Ctrl-C are one key; a yes is deliberate and cannot be hit by somebody who was typing when the question came.
// Where there is no terminal, or one that is read aloud, Lines says the same in plain lines.
//
// It will not decide anything: silence, time limits and what a yes means are the host's rules.
package consent

import (
	"context"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"assist/chat"
	"assist/session"
)

// View is everything that the screen shows. It is not changed after it was handed in.
type View struct {
	Code     string
	URL      string
	Relay    string
	Expires  time.Time // of the code while nobody is in; zero: unknown
	Started  time.Time
	Question *Question // nil: none is up
	Roster   session.Roster
	Words    map[session.MemberID][]string // to read out to that member
	Log      []chat.Entry                  // for everyone, oldest first
	Alone    time.Time                     // no agent is here: when it ends by itself; zero otherwise
	Lost     time.Time                     // since when nothing was heard of any agent that is in; zero: there is contact
	NoRelay  time.Time                     // since when the relay does not answer; zero: it does
	Ended    bool
	Why      string
}

// Question is what the customer is asked.
type Question struct {
	Serial   uint64
	Member   session.MemberID
	Name     string
	Handle   string
	Org      string
	Trust    session.Trust
	Join     bool
	Again    bool // has controlled for half an hour: may it go on?
	Grants   session.Grants
	Later    session.Grants
	Words    []string
	Silence  session.Grants // what no answer allows: nothing, but on machines where nobody has to answer
	Deadline time.Time
	Stranger bool   // of another organisation than the lead
	What     string // a request for one thing once; empty: it is about grants
	Detail   string // more about What, several lines
	Terminal bool   // a terminal is all that is shared
}

// Act is what the customer did.
type Act interface{ act() }

// The acts.
type (
	// Answer answers the question with that serial number: a yes allows all it asks, a no nothing.
	Answer struct {
		Serial uint64
		Allow  session.Grants
	}
	// Stop ends for all, at once.
	Stop struct{}
	// TakeBack takes control back from every agent.
	TakeBack struct{}
	// Say is words for everyone.
	Say struct{ Text string }
	// Typing is the customer's own use of the shared terminal.
	Typing struct{}
)

func (Answer) act()   {}
func (Stop) act()     {}
func (TakeBack) act() {}
func (Say) act()      {}
func (Typing) act()   {}

// Screen is where the customer is asked. The zero value is the standard terminal.
type Screen struct {
	In         *os.File // nil: standard input
	Out        *os.File // nil: standard output
	Env        []string // nil: os.Environ
	Accessible bool     // plain lines, also on a terminal
	Text       Text     // a shared terminal, seen and used on a terminal; nil: there is none
}

// Run shows views until ctx is done or, on a terminal, the session has ended. act is called for what the customer does and
// must not wait. A terminal that is closed, or breaks, is a Stop.
func (s Screen) Run(ctx context.Context, views <-chan View, act func(Act)) error {
	if s.In == nil {
		s.In = os.Stdin
	}
	if s.Out == nil {
		s.Out = os.Stdout
	}
	if s.Env == nil {
		s.Env = os.Environ()
	}
	if s.Accessible || !term.IsTerminal(s.In.Fd()) || !term.IsTerminal(s.Out.Fd()) {
		return Lines(ctx, s.In, s.Out, views, act)
	}
	show := run
	if s.Text != nil {
		show = func(ctx context.Context, views <-chan View, act func(Act), opts ...tea.ProgramOption) error {
			return runTerminal(ctx, s.Text, views, act, opts...)
		}
	}
	err := show(ctx, views, act, tea.WithoutSignalHandler(), tea.WithInput(s.In), tea.WithOutput(s.Out), tea.WithEnvironment(s.Env))
	if ctx.Err() == nil && err != nil {
		act(Stop{})
		return fmt.Errorf("customer's screen: %w", err)
	}
	return nil
}

// run shows the customer's screen.
func run(ctx context.Context, views <-chan View, act func(Act), opts ...tea.ProgramOption) error {
	return drive(ctx, newModel(act), opts, func(ctx context.Context, send func(tea.Msg)) {
		for {
			select {
			case v := <-views:
				send(v)
			case <-ctx.Done():
				return
			}
		}
	})
}

// drive runs a program. News come to it by pump, on a goroutine of its own that may wait for it.
func drive(ctx context.Context, m tea.Model, opts []tea.ProgramOption, pump func(ctx context.Context, send func(tea.Msg))) error {
	p := tea.NewProgram(m, opts...)
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		pump(ctx, p.Send)
		p.Quit()
	}()
	_, err := p.Run()
	cancel()
	<-gone
	return err
}
