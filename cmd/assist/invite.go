package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
	"assist/session/agent/share"
	"assist/session/inner"
)

type inviteFlags struct {
	liveChoice
	copy, qr bool
	email    string
	mail     bool // --email was said
	who      string
	viewOnly bool
	life     time.Duration
	list     bool
	revoke   string
}

// noAddress is --email without an address: the person fills it in.
const noAddress = " "

func newInviteCommand() *cobra.Command {
	var f inviteFlags
	cmd := &cobra.Command{
		Use:   "invite [--for NAME@ORG|ORG] [--copy] [--email [ADDR]] [--qr]",
		Short: "Invite another agent into your live session",
		Long: "Makes an invitation to your live session, prints the address under which another agent can join, and copies, mails " +
			"or draws it. Who comes signs in with an account of their own, of any organisation; the customer is asked.",
		Example: "  assist invite --copy\n  assist invite --for erik@beta --email erik@example.com\n  assist invite --view-only --life 1h --qr\n" +
			"  assist invite --list\n  assist invite --revoke 12345678",
		Args: func(cmd *cobra.Command, args []string) error {
			f.mail = cmd.Flags().Changed("email")
			if len(args) == 1 && f.mail && f.email == noAddress { // --email ADDR, not only --email=ADDR
				f.email = args[0]
				return nil
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.choose(cmd)
	return cmd
}

// choose adds what an invitation is for and what is done with it.
func (f *inviteFlags) choose(cmd *cobra.Command) {
	f.flags(cmd)
	set := cmd.Flags()
	set.StringVar(&f.who, "for", "", "only this agent (`NAME@ORG`), or agents of this organisation (ORG)")
	set.BoolVar(&f.viewOnly, "view-only", false, "who comes sees and talks, and cannot control")
	set.DurationVar(&f.life, "life", 15*time.Minute, "how long it can be used, at most 24h")
	set.BoolVar(&f.copy, "copy", false, "copy the address")
	set.BoolVar(&f.qr, "qr", false, "draw the address as a QR code")
	set.StringVar(&f.email, "email", "", "open the mail program with an invitation, to `ADDR` if one is given")
	set.Lookup("email").NoOptDefVal = noAddress
	set.BoolVar(&f.list, "list", false, "list the open invitations")
	set.StringVar(&f.revoke, "revoke", "", "close the invitation with this `CODE`")
	cmd.MarkFlagsMutuallyExclusive("list", "revoke")
	for _, made := range []string{"for", "view-only", "life", "copy", "qr", "email"} {
		cmd.MarkFlagsMutuallyExclusive("list", made)
		cmd.MarkFlagsMutuallyExclusive("revoke", made)
	}
}

func (f *inviteFlags) run(cmd *cobra.Command) error {
	switch {
	case f.list:
		return f.listOpen(cmd)
	case cmd.Flags().Changed("revoke"):
		return f.close(cmd)
	case f.life <= 0 || f.life > 24*time.Hour:
		return usage(fmt.Errorf("an invitation lasts up to 24h, not %v", f.life), "")
	}
	to := ""
	if f.mail && f.email != noAddress {
		var err error
		if to, err = share.ParseAddress(f.email); err != nil {
			return usage(err, "")
		}
	}
	c, err := f.dial()
	if err != nil {
		return err
	}
	invite, err := c.Invite(cmd.Context(), local.Invitee{For: f.who, ViewOnly: f.viewOnly, Life: f.life})
	if err != nil {
		return explainLive(err)
	}
	if err := f.print(cmd, invite); err != nil {
		return err
	}
	letter := share.Invitation(inner.SpacedCode(invite.Code), invite.URL, expiry(invite))
	letter.To = to
	return errors.Join(f.mailIt(cmd, letter), f.copyIt(cmd, invite.URL))
}

// print writes the address in any case: it is what is left when nothing else works.
func (f *inviteFlags) print(cmd *cobra.Command, invite local.Invite) error {
	out := cmd.OutOrStdout()
	if f.qr {
		where := out
		if f.json {
			where = cmd.ErrOrStderr()
		}
		picture, err := share.QR(invite.URL, isTerminal(where) && os.Getenv("NO_COLOR") == "")
		if err != nil {
			return err
		}
		fmt.Fprint(where, picture)
	}
	if f.json {
		return printJSON(out, invite)
	}
	_, err := fmt.Fprintln(out, invite.URL)
	lasts := expiry(invite)
	if lasts == "" {
		lasts = "as long as the session goes on"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "code %s, valid %s\n", inner.SpacedCode(invite.Code), lasts)
	return err
}

// expiry says in words when the code expires, nothing when it does not.
func expiry(invite local.Invite) string {
	at, err := time.Parse(time.RFC3339, invite.Expires)
	if err != nil {
		return ""
	}
	return "until " + at.Local().Format("15:04 MST")
}

func (f *inviteFlags) copyIt(cmd *cobra.Command, url string) error {
	if !f.copy {
		return nil
	}
	ways, err := share.Copy(cmd.Context(), url)
	if err != nil {
		return &exitError{Code: exitFailed, Err: fmt.Errorf("not copied: %w", err), Hint: "the address is printed: copy it from there"}
	}
	for _, w := range ways {
		fmt.Fprintf(cmd.ErrOrStderr(), "copied to %s\n", w)
	}
	return nil
}

// mailIt opens the mail program; where there is none, or nobody would see it, the letter is printed.
func (f *inviteFlags) mailIt(cmd *cobra.Command, letter share.Letter) error {
	if !f.mail {
		return nil
	}
	by, err := letter.Open(cmd.Context())
	switch {
	case err == nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "opened the mail program (%s); nothing is sent before you send it\n", by)
	case !errors.Is(err, share.ErrNoMail):
		return fmt.Errorf("open mail program: %w", err)
	case f.json:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s; this is the letter:\n\n%s", err, letter)
	default:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s; this is the letter:\n", err)
		fmt.Fprintf(cmd.OutOrStdout(), "\n%s", letter)
	}
	return nil
}
