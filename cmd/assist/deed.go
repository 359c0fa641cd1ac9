package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"assist/diag"
	"assist/session"
	"assist/session/agent/local"
	"assist/session/agent/work"
	"assist/session/inner"
	"assist/transport/wire"
)

// asked is what every deed's help ends with.
const asked = " The customer must allow commands (run), is asked about this one, and reads what came of it."

func newRestartCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "restart CODE|URL|MACHINE UNIT", Short: "Restart a service on the customer's machine", Args: cobra.ExactArgs(2),
		Long:    "Restarts UNIT: a unit of systemd, or a script in /etc/init.d where systemd does not run." + asked,
		Example: "  assist restart web-01 cups.service",
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.deed(cmd, args[0], diag.Deed{Restart: args[1]})
		},
	}
	t.flags(cmd)
	return cmd
}

func newKillCommand() *cobra.Command {
	var t target
	var hard bool
	cmd := &cobra.Command{
		Use: "kill CODE|URL|MACHINE PID", Short: "End a process on the customer's machine", Args: cobra.ExactArgs(2),
		Long:    "Asks the process with the number PID to end, and waits until it has. assist diag CODE processes lists them." + asked,
		Example: "  assist kill web-01 4711\n  assist kill web-01 4711 --hard",
		RunE: func(cmd *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[1])
			if err != nil {
				return usage(fmt.Errorf("%q is no number of a process", args[1]), "assist diag CODE processes lists them")
			}
			return t.deed(cmd, args[0], diag.Deed{End: pid, Hard: hard})
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&hard, "hard", false, "end it at once, without letting it tidy up")
	return cmd
}

func newRebootCommand() *cobra.Command {
	var t target
	var yes bool
	cmd := &cobra.Command{
		Use: "reboot CODE|URL|MACHINE", Short: "Restart the customer's machine", Args: cobra.ExactArgs(1),
		Long:    "Restarts the machine. What is open there and not saved is lost." + asked,
		Example: "  assist reboot web-01 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := confirm(cmd, yes || t.noInput, "Restart the machine of "+printable(args[0])+"?"); err != nil {
				return err
			}
			return t.deed(cmd, args[0], diag.Deed{Reboot: true})
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask here")
	return cmd
}

// deed has one thing done in a session.
func (t *target) deed(cmd *cobra.Command, where string, d diag.Deed) error {
	if err := d.Check(); err != nil {
		return usage(err, "")
	}
	err := t.work(cmd.Context(), cmd, where, session.View|session.Run, func(ctx context.Context, c *local.Client) error {
		s, err := c.Open(ctx, wire.StreamRun)
		if err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "the customer is asked")
		return work.Do(ctx, s, d)
	})
	var no *inner.RunRefusedError
	switch {
	case errors.As(err, &no) && no.Code == inner.RunFailed:
		return &exitError{Code: exitFailed, Err: fmt.Errorf("not done: %w", err)}
	case err != nil:
		return explainRun(err)
	case t.json:
		return printJSON(cmd.OutOrStdout(), struct {
			Done string `json:"done"`
		}{d.String()})
	}
	return nil
}
