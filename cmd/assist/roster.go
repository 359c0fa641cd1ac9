package main

import (
	"github.com/spf13/cobra"

	"assist/session/agent/local"
)

func newRosterCommand() *cobra.Command {
	var f liveChoice
	cmd := &cobra.Command{
		Use: "roster", Short: "List who is in your live session, and what each may do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.dial()
			if err != nil {
				return err
			}
			all, err := c.Roster(cmd.Context())
			if err != nil {
				return explainLive(err)
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), all)
			}
			local.WriteRoster(cmd.OutOrStdout(), all)
			return nil
		},
	}
	f.flags(cmd)
	return cmd
}
