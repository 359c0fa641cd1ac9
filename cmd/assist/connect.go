package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"assist/session"
	"assist/session/agent"
	"assist/session/agent/account"
	"assist/session/console"
	"assist/transport"
)

type connectFlags struct {
	consoleFlags
	pin          string
	passwordFile string
}

func newConnectCommand() *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect MACHINE",
		Short: "Open a session on an enrolled machine, as its lead",
		Long: "Opens the console on a machine of your organisation (assist machines lists them). Nobody has to answer there: the " +
			"machine's own policy decides. A session that it has already is joined.",
		Example: "  assist connect web-01",
		Args:    cobra.ExactArgs(1),

		ValidArgsFunction: completeMachines,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.connect(cmd, args[0]) },
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.pin, "pin", "", "the machine's key, as assist host enroll printed it: it must be that one")
	cmd.Flags().StringVar(&f.passwordFile, "password-file", "", "file that only you can read with the machine's password; else it is asked for")
	return cmd
}

func (f *connectFlags) connect(cmd *cobra.Command, machine string) error {
	if !isMachineName(machine) {
		return usage(fmt.Errorf("%q is no name of a machine", machine), "assist machines lists them; a code is opened with assist join")
	}
	pin, err := f.knownPin()
	if err != nil {
		return err
	}
	return f.signedIn(cmd, "connect to "+machine, func(cfg agent.Config) *agent.Session {
		cfg.Machine, cfg.Machines, cfg.HostPin = machine, account.Open(cmd.ErrOrStderr()).Machines(cfg.Relay.Addr), pin
		cfg.Prove = f.prover(cmd)
		return agent.Connect(cfg)
	})
}

func (f *connectFlags) knownPin() (transport.Pin, error) {
	if f.pin == "" {
		return "", nil
	}
	pin, err := transport.ParsePin(f.pin)
	if err != nil {
		return "", usage(fmt.Errorf("--pin: %w", err), "assist host enroll prints it on the machine")
	}
	return pin, nil
}

// prover answers what a machine asks for: from a file, or by a person at this terminal.
func (f *connectFlags) prover(cmd *cobra.Command) agent.Prover {
	return func(_ context.Context, what session.Proof, tries int) (string, error) {
		if what == session.Password && f.passwordFile != "" {
			return privateLine(f.passwordFile)
		}
		fd, ok := terminal(cmd)
		if !ok {
			return "", errors.New("no terminal to ask at")
		}
		return hidden(cmd, fd, fmt.Sprintf("The machine's %s (%d tries left): ", what, tries))
	}
}

// privateLine is the first line of a file that nobody else can read.
func privateLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return "", err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s: others can read it (mode %04o, 0600 is wanted)", path, st.Mode().Perm())
	}
	return readLine(file)
}

// reached waits, before the console takes the terminal, until a machine has let the session in: only now can it be asked at
// the terminal what the machine wants to know.
func reached(ctx context.Context, cmd *cobra.Command, s *agent.Session) bool {
	changed, stop := s.Watch()
	defer stop()
	said := ""
	for {
		st := s.State()
		switch {
		case st.Phase == console.In:
			return true
		case st.Phase == console.Over || ctx.Err() != nil:
			return false
		case st.Why != said && st.Why != "" && !strings.HasPrefix(st.Why, "the machine asks for"):
			said = st.Why
			fmt.Fprintln(cmd.ErrOrStderr(), printable(said))
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}
