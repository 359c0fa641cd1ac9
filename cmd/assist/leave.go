package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"assist/session/inner"
)

func newLeaveCommand() *cobra.Command {
	var f liveChoice
	cmd := &cobra.Command{
		Use: "leave", Short: "Leave your live session; it goes on without you", Args: cobra.NoArgs,
		Long: "Closes the console of your live session. The session goes on: when you lead it, the lead passes to another agent; without one it waits ten minutes.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.dial()
			if err != nil {
				return err
			}
			if err := c.Leave(cmd.Context()); err != nil {
				return explainLive(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "left session %s\n", inner.SpacedCode(c.Code))
			if f.json {
				return printJSON(cmd.OutOrStdout(), struct {
					Code string `json:"code"`
					Left bool   `json:"left"`
				}{c.Code, true})
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().Bool("yes", false, "do not ask (leaving never does)")
	return cmd
}
