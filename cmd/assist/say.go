package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
)

func newSayCommand() *cobra.Command {
	var f liveChoice
	var lane string
	cmd := &cobra.Command{
		Use: "say TEXT", Short: "Say something in the chat of your live session", Args: cobra.MinimumNArgs(1),
		Long:    "Says TEXT to everyone, the customer included, or with --lane agents to the agents only.",
		Example: "  assist say 'I restart the printer now'\n  assist say --lane agents 'who knows this driver?'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := local.ParseLane(lane); err != nil {
				return usage(err, "")
			}
			c, err := f.dial()
			if err != nil {
				return err
			}
			said, err := c.Say(cmd.Context(), lane, strings.Join(args, " "))
			switch {
			case err != nil:
				return explainLive(err)
			case said.Queued:
				fmt.Fprintln(cmd.ErrOrStderr(), "no contact with the host: it is sent as soon as there is")
			case lane == local.LaneAgents:
				fmt.Fprintln(cmd.ErrOrStderr(), "said to the agents only")
			default:
				fmt.Fprintln(cmd.ErrOrStderr(), "said to everyone, the customer included")
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), said)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&lane, "lane", local.LaneAll, "who reads it: all or agents")
	return cmd
}
