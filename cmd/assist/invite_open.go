package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/inner"
)

// listOpen lists the invitations of the live session that can still be used, whoever made them.
func (f *inviteFlags) listOpen(cmd *cobra.Command) error {
	c, err := f.dial()
	if err != nil {
		return err
	}
	open, err := c.Invites(cmd.Context())
	switch {
	case err != nil:
		return explainLive(err)
	case f.json:
		return printJSON(cmd.OutOrStdout(), open)
	case len(open) == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "no open invitation")
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CODE\tFOR\tROLE\tVALID")
	for _, i := range open {
		who, role := chat.Name(i.For), "control"
		if who == "" {
			who = "whoever has it"
		}
		if i.ViewOnly {
			role = "view only"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", inner.SpacedCode(i.Code), who, role, expiry(i))
	}
	return w.Flush()
}

// close revokes an invitation; who has come by it stays.
func (f *inviteFlags) close(cmd *cobra.Command) error {
	code, err := inner.ParseCode(f.revoke)
	if err != nil {
		return usage(err, "assist invite --list shows the open ones")
	}
	c, err := f.dial()
	if err != nil {
		return err
	}
	if err := c.RevokeInvite(cmd.Context(), code); err != nil {
		return explainLive(err)
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), struct {
			Revoked string `json:"revoked"`
		}{code})
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "revoked %s; who has come by it stays\n", inner.SpacedCode(code))
	return nil
}
