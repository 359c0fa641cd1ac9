package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
)

func newWaitCommand() *cobra.Command {
	var t target
	var what string
	var limit time.Duration
	cmd := &cobra.Command{
		Use: "wait CODE|URL|MACHINE --for joined|ended", Short: "Wait until you are in a session, or until it is over", Args: cobra.ExactArgs(1),
		Long: "Waits until the customer has let you in (joined), or until the session is over for everyone or for you (ended). Without a " +
			"running console it joins by itself, and leaves again when what it waits for has come.",
		Example: "  assist wait 12345678 --for joined --timeout 30s && assist exec 12345678 -- uptime",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case what != local.Joined && what != local.Ended:
				return usage(fmt.Errorf("--for %q is neither joined nor ended", what), "")
			case limit < 0:
				return usage(errors.New("--timeout is negative"), "")
			}
			ctx := cmd.Context()
			if limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			err := t.work(ctx, cmd, args[0], 0, func(ctx context.Context, c *local.Client) error {
				s, why, err := c.Wait(ctx, what)
				if err != nil {
					return err
				}
				return t.waited(cmd, what, s, why)
			})
			if errors.Is(err, context.DeadlineExceeded) {
				return &exitError{Code: exitFailed, Err: fmt.Errorf("not %s within %v", what, limit)}
			}
			return err
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&what, "for", "", "what to wait for: joined or ended")
	cmd.Flags().DurationVar(&limit, "timeout", 0, "how long at most, for example 30s (default: as long as it takes)")
	_ = cmd.MarkFlagRequired("for")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{local.Joined, local.Ended}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (t *target) waited(cmd *cobra.Command, what string, s local.Session, why string) error {
	if why != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), printable(why))
	}
	if !t.json {
		return nil
	}
	return printJSON(cmd.OutOrStdout(), struct {
		local.Session
		For string `json:"for"`
		Why string `json:"why,omitempty"`
	}{s, what, why})
}
