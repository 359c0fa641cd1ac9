// Command assist is remote support in a terminal: the relay, the host on the customer's machine and the agent's console in
// one binary.
//
// It only wires: one file a verb, each with a newXxxCommand that root lists. A verb returns an error and never prints it;
// explain (exit.go) gives every error its sentence, its hint and its exit code. Data goes to stdout, words to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

// software is how this build names itself to the other side, for its log.
func software() string { return "assist " + version }

func main() { os.Exit(run()) }

// run is main with an exit code, so that deferred work happens before the process goes.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	cmd := root()
	var failed error
	keepErrors(cmd, &failed)
	err := fang.Execute(ctx, cmd,
		fang.WithVersion(version),
		fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}), // printed below, with its hint
	)
	if err == nil {
		err = failed
	}
	if err == nil {
		return exitOK
	}
	var status statusError // of a command elsewhere, which has said all itself
	if errors.As(err, &status) {
		return int(status)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &exitError{Code: exitInterrupted, Err: errors.New("interrupted")}
	}
	return report(os.Stderr, err)
}

// report prints err as people read it and returns the exit code for it.
func report(w io.Writer, err error) int {
	text, hint, code := explain(err)
	fmt.Fprintf(w, "assist: %s\n", printable(text))
	if hint != "" {
		fmt.Fprintf(w, "hint: %s\n", printable(hint))
	}
	return code
}

// root lists every verb.
func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "assist",
		Short:         "Remote support in a terminal",
		Long:          "See, control and repair another machine from a terminal, with its owner's consent.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(
		newJoinCommand(),
		newNetcheckCommand(),
		newStartCommand(),
		newConnectCommand(),
		newMachinesCommand(),
		newMachineCommand(),
		newInviteCommand(),
		newSessionsCommand(),
		newRosterCommand(),
		newSayCommand(),
		newChatCommand(),
		newTypeCommand(),
		newKeyCommand(),
		newWaitCommand(),
		newScreenCommand(),
		newExecCommand(),
		newPutCommand(),
		newGetCommand(),
		newHandoverCommand(),
		newDiagCommand(),
		newRestartCommand(),
		newKillCommand(),
		newRebootCommand(),
		newLeaveCommand(),
		newEndCommand(),
		profiled(newHostCommand()),
		newServiceCommand(),
		newDemoCommand(),
		newLoginCommand(),
		newLogoutCommand(),
		newWhoamiCommand(),
		newURLHandlerCommand(),
		newDoctorCommand(),
		profiled(newRelayCommand()),
	)
	cmd.Args, cmd.RunE = cobra.NoArgs, first
	return cmd
}

// asGroup makes a command that only holds others answer its bare name with help, and a wrong word after it with an error.
func asGroup(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return cmd
}

// keepErrors keeps what a verb returns for run, instead of handing it to fang: before fang shows an error it asks the terminal
// for its colours, and the answer may come when nobody reads it any more. It also tells these errors from those that come up
// before a verb begins: unknown verbs and flags, wrong arguments.
func keepErrors(cmd *cobra.Command, failed *error) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(c *cobra.Command, args []string) error {
			if err := run(c, args); err != nil {
				*failed = &begunError{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		keepErrors(sub, failed)
	}
}

// begunError is an error of a verb that had begun, as opposed to one about how it was called.
type begunError struct{ error }

func (e *begunError) Unwrap() error { return e.error }
