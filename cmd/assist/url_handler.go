package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"assist/session/agent/account"
	"assist/session/agent/scheme"
	"assist/session/inner"
)

func newURLHandlerCommand() *cobra.Command {
	cmd := asGroup(&cobra.Command{
		Use: "url-handler", Short: "Let links in the browser open assist",
		Long: "Registers assist:// addresses on this desktop, for this user. Such an address can only propose to join a session: " +
			"you are asked in a terminal window, every time.",
	})
	cmd.AddCommand(newURLInstallCommand(), newURLUninstallCommand(), newURLStatusCommand(), newURLOpenCommand())
	return cmd
}

func newURLInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use: "install", Short: "Register assist:// addresses for this user", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			exe, err := thisProgram()
			if err != nil {
				return err
			}
			s, err := scheme.Install(cmd.Context(), exe)
			if err != nil {
				return &exitError{Code: exitFailed, Err: err, Hint: "xdg-mime is in the package xdg-utils"}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "assist:// addresses open %s (%s)\n", s.Program, s.File)
			return nil
		},
	}
}

func newURLUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use: "uninstall", Short: "Take the registration back", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := scheme.Uninstall(cmd.Context()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "assist:// addresses are not registered any more")
			return nil
		},
	}
}

func newURLStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Say whether assist:// addresses are registered", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := scheme.Look(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch {
			case asJSON:
				return printJSON(out, s)
			case s.Active:
				fmt.Fprintf(out, "registered: assist:// addresses open %s\n", printable(s.Program))
			case s.Installed && s.Default == filepath.Base(s.File):
				fmt.Fprintf(out, "broken: %s is not there; assist url-handler install mends it\n", printable(s.Program))
			case s.Installed:
				fmt.Fprintf(out, "installed, but assist:// addresses open %q\n", printable(s.Default))
			default:
				fmt.Fprintln(out, "not registered")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// thisProgram is the path of this program.
func thisProgram() (string, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return exe, nil
}

func newURLOpenCommand() *cobra.Command {
	var window bool
	cmd := &cobra.Command{
		Use: "open URL", Short: "What a desktop runs for an assist:// address", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			invite, err := scheme.Parse(args[0])
			if err != nil {
				return usage(err, "such an address can propose a session to join, and nothing else")
			}
			switch _, person := terminal(cmd); {
			case !person && window:
				return errors.New("the terminal window has no terminal in it")
			case !person || !isTerminal(cmd.OutOrStdout()):
				exe, err := thisProgram()
				if err != nil {
					return err
				}
				return scheme.InTerminal(exe, "url-handler", "open", "--window", scheme.Address(invite))
			}
			err = propose(cmd, invite)
			if window && err != nil { // the window would close before it can be read
				report(cmd.ErrOrStderr(), &begunError{err})
				_, _ = ask(cmd, "\nPress Enter to close this window. ")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&window, "window", false, "this is the terminal window that was opened to ask")
	_ = cmd.Flags().MarkHidden("window") // it exists
	return cmd
}

func isTerminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}

// propose shows what a link asks for and joins when the person says so. A relay that is not known here takes more than a key.
func propose(cmd *cobra.Command, invite inner.Invite) error {
	book := account.Open(cmd.ErrOrStderr())
	relays, err := book.Relays()
	if err != nil {
		return err
	}
	if invite.Relay == "" && len(relays) > 0 {
		invite.Relay = relays[0] // so that the key in the link is looked at
	}
	known := invite.Relay == "" || slices.Contains(relays, invite.Relay)
	out := cmd.ErrOrStderr()
	fmt.Fprintf(out, "\nA link asks you to join a support session as an agent.\n\n  code      %s\n", inner.SpacedCode(invite.Code))
	switch {
	case invite.Relay == "":
		fmt.Fprintln(out, "  relay     not in the link, and you are not signed in to one")
	case known:
		fmt.Fprintf(out, "  relay     %s, where you are signed in\n", invite.Relay)
	default:
		fmt.Fprintf(out, "  relay     %s\n", invite.Relay)
	}
	if invite.Pin == "" {
		fmt.Fprintln(out, "  host key  not in the link: compare three words with the customer")
	} else {
		fmt.Fprintln(out, "  host key  in the link; trust it as far as you trust where the link came from")
	}
	fmt.Fprintln(out)
	if err := consider(cmd, invite.Relay, known); err != nil {
		return err
	}
	join := newJoinCommand()
	join.SilenceUsage, join.SilenceErrors = true, true
	join.SetArgs([]string{scheme.Join(invite)})
	return join.ExecuteContext(cmd.Context())
}

// consider asks. Whoever is asked about an unknown relay has to type its name, so that no habit answers.
func consider(cmd *cobra.Command, relay string, known bool) error {
	if known {
		return confirm(cmd, false, "Join this session?")
	}
	fmt.Fprint(cmd.ErrOrStderr(), "You have NEVER signed in at this relay. Whoever made the link chose it, and\n"+
		"its owner can see who you are, and when you help whom.\n"+
		"Go on only if you expected a link to it.\n\n")
	answer, err := ask(cmd, "Type the relay's name as it stands above, or nothing to stop: ")
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(answer), relay) {
		return &exitError{Code: exitRefused, Err: errors.New("not joined")}
	}
	return nil
}
