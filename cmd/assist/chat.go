package main

import (
	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/agent/local"
)

func newChatCommand() *cobra.Command {
	var f liveChoice
	var follow bool
	var after uint64
	cmd := &cobra.Command{
		Use: "chat", Short: "Show the chat of your live session", Args: cobra.NoArgs,
		Long: "Shows what was said and what happened, oldest first; with --follow it goes on until the session is over.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.dial()
			if err != nil {
				return err
			}
			var failed error // to print: whoever read it is gone
			out := cmd.OutOrStdout()
			err = c.Chat(cmd.Context(), chat.Seq(after), follow, func(e local.Entry) error {
				if f.json {
					failed = printJSON(out, e)
				} else {
					failed = local.WriteEntry(out, e)
				}
				return failed
			})
			if failed != nil {
				return failed
			}
			return explainLive(err)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the session is over")
	cmd.Flags().Uint64Var(&after, "after", 0, "only what comes after the entry with this number")
	return cmd
}
