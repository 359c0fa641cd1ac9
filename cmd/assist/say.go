package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"assist/session"
	"assist/session/agent/local"
)

func newSayCommand() *cobra.Command {
	var f liveChoice
	t := &target{}
	var lane string
	cmd := &cobra.Command{
		Use: "say TEXT", Short: "Say something in the chat of your live session", Args: cobra.MinimumNArgs(1),
		Long: "Says TEXT to everyone, the customer included, or with --lane agents to the agents only. --session may also name a session " +
			"that no console of yours is in, by code, join address or machine: then it is joined for that word.",
		Example: "  assist say 'I restart the printer now'\n  assist say --lane agents 'who knows this driver?'\n" +
			"  assist say --session web-01 'reboot in five minutes'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := local.ParseLane(lane); err != nil {
				return usage(err, "")
			}
			f.json = t.json
			say := func(ctx context.Context, c *local.Client) error {
				return f.say(ctx, cmd, c, lane, strings.Join(args, " "))
			}
			if f.code == "" {
				c, err := f.dial()
				if err != nil {
					return err
				}
				return explainLive(say(cmd.Context(), c))
			}
			return t.work(cmd.Context(), cmd, f.code, session.View|session.Chat, say)
		},
	}
	t.flags(cmd)
	cmd.ValidArgsFunction = nil
	cmd.Flags().StringVar(&f.code, "session", "", "code, join address or machine (default your newest live session)")
	_ = cmd.RegisterFlagCompletionFunc("session", completeTargets)
	cmd.Flags().StringVar(&lane, "lane", local.LaneAll, "who reads it: all or agents")
	return cmd
}

func (f *liveChoice) say(ctx context.Context, cmd *cobra.Command, c *local.Client, lane, text string) error {
	said, err := c.Say(ctx, lane, text)
	switch {
	case err != nil:
		return err
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
}
