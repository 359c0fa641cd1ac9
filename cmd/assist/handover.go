package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/agent/local"
	"assist/session/inner"
)

func newHandoverCommand() *cobra.Command {
	var f liveChoice
	var note string
	var leave bool
	cmd := &cobra.Command{
		Use: "handover NAME", Short: "Offer the lead of your live session to another agent", Args: cobra.ExactArgs(1),
		Long: "Offers the lead to an agent, by name, NAME@ORG or number in the roster, and waits for the answer. " +
			"You stay in the session, unless you say --leave.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := f.dial()
			if err != nil {
				return err
			}
			to, err := c.HandOver(cmd.Context(), args[0], note, func(m local.Member) {
				fmt.Fprintf(cmd.ErrOrStderr(), "offered the lead to %s; waiting for the answer\n", chat.Name(m.Name))
			})
			if err != nil {
				return explainLive(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s is the lead now\n", chat.Name(to.Name))
			if leave {
				if err := c.Leave(cmd.Context()); err != nil {
					return explainLive(err)
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "left session %s\n", inner.SpacedCode(c.Code))
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), struct {
					Code string `json:"code"`
					Lead string `json:"lead"`
				}{c.Code, to.Name})
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.ValidArgsFunction = f.completeMembers
	cmd.Flags().StringVar(&note, "note", "", "what the other one should know")
	cmd.Flags().BoolVar(&leave, "leave", false, "leave once the lead is handed over")
	cmd.Flags().Bool("yes", false, "do not ask (the other agent is always asked)")
	return cmd
}
