package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"assist/chat"
)

// How a check of the doctor went.
const (
	checkOK   = "ok"
	checkNote = "note" // works, with something to know
	checkBad  = "bad"  // something of assist does not work
)

// doctorLine is one check of this machine.
type doctorLine struct {
	Section  string `json:"section"`
	Check    string `json:"check"`
	Status   string `json:"status"` // ok, note, bad
	Evidence string `json:"evidence"`
	Advice   string `json:"advice,omitempty"`
}

// patient is what the sections look at.
type patient struct {
	cmd  *cobra.Command
	addr string // of the relay; empty: that of the login
}

// doctorSections are what the doctor looks at, in order. Each says its lines; none fails.
var doctorSections = []struct {
	name string
	look func(context.Context, *patient) []doctorLine
}{
	{"terminal", lookAtTerminal},
	{"picture", lookAtPicture},
	{"relay", lookAtRelay},
	{"network", lookAtNetwork},
	{"sessions", lookAtSessions},
	{"clipboard", lookAtClipboard},
	{"keyring", lookAtKeyring},
}

// sectionTime is how long one section may take.
const sectionTime = 15 * time.Second

func newDoctorCommand() *cobra.Command {
	var p patient
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what works on this machine, what does not, and what to do about it", Args: cobra.NoArgs,
		Long: "Looks at this machine: what the terminal can do, why there is no picture to share, whether the relay is reached and the " +
			"login holds, which way the packets of your live sessions travel and why, the clock, the clipboard, the keyring. It changes nothing. The exit code is 1 when something does not work.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.cmd = cmd
			lines := p.examine(cmd.Context())
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), struct {
					Checks []doctorLine `json:"checks"`
				}{lines}); err != nil {
					return err
				}
			} else {
				writeChecks(cmd.OutOrStdout(), lines)
				writeCards(cmd.OutOrStdout())
			}
			for _, l := range lines {
				if l.Status == checkBad {
					return statusError(exitFailed)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&p.addr, "relay", "", "relay, HOST or HOST:PORT (default the one of your login)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().Bool("no-input", false, "never ask here (the doctor never does)")
	return cmd
}

func (p *patient) examine(ctx context.Context) []doctorLine {
	var out []doctorLine
	for _, s := range doctorSections {
		inside, cancel := context.WithTimeout(ctx, sectionTime)
		for _, l := range s.look(inside, p) {
			l.Section = s.name
			out = append(out, l)
		}
		cancel()
	}
	return out
}

func writeChecks(w io.Writer, lines []doctorLine) {
	section := ""
	for _, l := range lines {
		if l.Section != section {
			section = l.Section
			fmt.Fprintf(w, "%s\n", section)
		}
		fmt.Fprintf(w, "  %-4s  %-16s %s\n", l.Status, l.Check, chat.Line(l.Evidence))
		if l.Advice != "" {
			fmt.Fprintf(w, "        %-16s -> %s\n", "", chat.Line(l.Advice))
		}
	}
}

func fine(check, format string, args ...any) doctorLine {
	return doctorLine{Check: check, Status: checkOK, Evidence: fmt.Sprintf(format, args...)}
}

func (l doctorLine) but(status, advice string) doctorLine {
	l.Status, l.Advice = status, advice
	return l
}

// ofError is a check that failed, in the words and with the hint that every verb would have.
func ofError(check string, err error) doctorLine {
	text, hint, code := explain(&begunError{err})
	status := checkBad
	if code == exitLogin || errors.Is(err, os.ErrNotExist) {
		status = checkNote // a customer's machine needs no login
	}
	return fine(check, "%s", text).but(status, hint)
}
