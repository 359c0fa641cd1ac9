package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"assist/session/inner"
)

func newEndCommand() *cobra.Command {
	var f liveChoice
	var yes bool
	cmd := &cobra.Command{
		Use: "end", Short: "End your live session for everyone", Args: cobra.NoArgs,
		Long: "Ends the session for every agent and the customer. Only the lead can.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.dial()
			if err != nil {
				return err
			}
			if err := confirm(cmd, yes, "End session "+inner.SpacedCode(c.Code)+" for everyone?"); err != nil {
				return err
			}
			if err := c.End(cmd.Context()); err != nil {
				return explainLive(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "ended session %s for everyone\n", inner.SpacedCode(c.Code))
			if f.json {
				return printJSON(cmd.OutOrStdout(), struct {
					Code  string `json:"code"`
					Ended bool   `json:"ended"`
				}{c.Code, true})
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
