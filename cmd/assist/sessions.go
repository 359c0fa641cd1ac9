package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
)

func newSessionsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "sessions", Short: "List your live sessions on this machine, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := local.Live(cmd.Context())
			switch {
			case asJSON:
				return printJSON(cmd.OutOrStdout(), all)
			case len(all) == 0:
				fmt.Fprintln(cmd.ErrOrStderr(), "no live session")
			default:
				local.WriteSessions(cmd.OutOrStdout(), all)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return cmd
}
