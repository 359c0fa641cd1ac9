package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent/account"
	"assist/session/broker"
	"assist/transport"
	"assist/transport/wire"
)

type loginFlags struct {
	user, key string
	stdin     bool
}

func newLoginCommand() *cobra.Command {
	var f loginFlags
	cmd := &cobra.Command{
		Use:   "login RELAY",
		Short: "Log in to a relay as an agent",
		Long: "Logs in to a relay and makes it the one that join and start use. A key is made for this device; the login is kept in the " +
			"keyring, or in a file that only you can read, and is worth nothing without that key.",
		Example: "  assist login relay.example --user eve@acme",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&f.user, "user", "", "account, NAME@ORG")
	cmd.Flags().BoolVar(&f.stdin, "password-stdin", false, "read the password from stdin, up to the end of the line")
	cmd.Flags().StringVar(&f.key, "relay-key", "", "fingerprint that the relay printed: its key must match")
	return cmd
}

func (f *loginFlags) run(cmd *cobra.Command, relay string) error {
	addr, pin, err := relayFlag(relay, f.key)
	if err != nil {
		return err
	}
	if f.user != "" {
		if _, _, err := broker.ParseHandle(f.user); err != nil {
			return usage(err, "--user NAME@ORG")
		}
	}
	book := account.Open(cmd.ErrOrStderr())
	v, err := dialOrAsk(cmd, book, addr, pin)
	if err != nil {
		return err
	}
	defer v.Close()
	if err := f.askUser(cmd, addr); err != nil {
		return err
	}
	password, err := askPassword(cmd, f.stdin, "Password for "+f.user+" at "+addr, false)
	if err != nil {
		return err
	}
	a, err := v.Login(cmd.Context(), f.user, password, deviceName())
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "logged in at %s as %s of %s\n", addr, printable(account.Handle(a)), printable(a.GetOrgTitle()))
	return nil
}

// relayFlag reads a relay's address and a pin (may be empty) as they are given to a command.
func relayFlag(relay, key string) (addr string, pin transport.Pin, err error) {
	if addr, err = account.Addr(relay); err != nil {
		return "", "", usage(err, "")
	}
	if key == "" {
		return addr, "", nil
	}
	if pin, err = transport.ParsePin(key); err != nil {
		return "", "", usage(fmt.Errorf("--relay-key: %w", err), "assist relay prints it when it starts")
	}
	return addr, pin, nil
}

// dialOrAsk connects, and lets a person decide about a relay that is seen for the first time. A relay that was known by
// another key is refused.
func dialOrAsk(cmd *cobra.Command, book *account.Book, addr string, pin transport.Pin) (*account.Visit, error) {
	v, err := book.Dial(cmd.Context(), addr, pin, software())
	var key *transport.RelayKeyError
	if !errors.As(err, &key) || key.Want != "" {
		return v, err
	}
	if yes, asked := askRelayKey(cmd, addr, key.Got); asked != nil || !yes {
		return nil, errors.Join(asked, err)
	}
	return book.Dial(cmd.Context(), addr, key.Got, software())
}

func (f *loginFlags) askUser(cmd *cobra.Command, addr string) (err error) {
	if f.user != "" {
		return nil
	}
	if _, ok := terminal(cmd); !ok || f.stdin {
		return usage(errors.New("no account"), "--user NAME@ORG")
	}
	if f.user, err = ask(cmd, "Account at "+addr+" (NAME@ORG): "); err != nil {
		return err
	}
	if _, _, err := broker.ParseHandle(f.user); err != nil {
		return usage(err, "")
	}
	return nil
}

// deviceName is how a person recognises this machine in a list of devices.
func deviceName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return name
}

func newLogoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout [RELAY]", Short: "End the login at a relay", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			book := account.Open(cmd.ErrOrStderr())
			l, err := loginAt(book, args)
			if err != nil {
				return err
			}
			told := atRelay(cmd.Context(), book, l, func(v *account.Visit) error { return v.Logout(cmd.Context()) })
			if err := book.Forget(l.Relay.Addr); err != nil {
				return err
			}
			var no *transport.ProblemError
			if told == nil || (errors.As(told, &no) && no.Code == wire.CodeLoginNeeded) { // it had ended already
				fmt.Fprintf(cmd.ErrOrStderr(), "logged out at %s\n", l.Relay.Addr)
				return nil
			}
			text, _, code := explain(told)
			return &exitError{
				Code: code, Err: errors.New("the login is forgotten here, but the relay was not told: " + text),
				Hint: "its key is gone from this machine, so that nobody can use it; there it ends by itself on " + l.Expires.Format(time.DateOnly),
			}
		},
	}
}

func newWhoamiCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "whoami [RELAY]", Short: "Say who is logged in, and where", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			book := account.Open(cmd.ErrOrStderr())
			l, err := loginAt(book, args)
			if err != nil {
				return err
			}
			var a *wire.Account
			err = atRelay(cmd.Context(), book, l, func(v *account.Visit) (err error) { a, err = v.Whoami(cmd.Context()); return err })
			if err != nil {
				return err
			}
			return printAccount(cmd, asJSON, l, a)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// loginAt is the login that a command is about: at the relay it names, else at the default one.
func loginAt(book *account.Book, args []string) (account.Login, error) {
	addr := ""
	if len(args) == 1 {
		var err error
		if addr, err = account.Addr(args[0]); err != nil {
			return account.Login{}, usage(err, "")
		}
	}
	l, err := book.Login(addr)
	if errors.Is(err, account.ErrNone) {
		return account.Login{}, &exitError{Code: exitLogin, Err: errors.New("you are not logged in"), Hint: "assist login RELAY --user NAME@ORG"}
	}
	return l, err
}

func atRelay(ctx context.Context, book *account.Book, l account.Login, do func(*account.Visit) error) error {
	v, err := book.Dial(ctx, l.Relay.Addr, "", software())
	if err != nil {
		return err
	}
	defer v.Close()
	return do(v)
}

// accountLine is what whoami says.
type accountLine struct {
	User     string    `json:"user"`
	Name     string    `json:"name"`
	Org      string    `json:"org"`
	OrgTitle string    `json:"org_title"`
	Admin    bool      `json:"admin"`
	Relay    string    `json:"relay"`
	Device   string    `json:"device"` // fingerprint of the device key
	Expires  time.Time `json:"expires"`
}

func printAccount(cmd *cobra.Command, asJSON bool, l account.Login, a *wire.Account) error {
	line := accountLine{
		account.Handle(a), a.GetName(), a.GetOrg(), a.GetOrgTitle(), a.GetAdmin(),
		l.Relay.Addr, string(l.Identity.Fingerprint.Pin()), l.Expires,
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(line)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s of %s at %s\n", printable(line.User), printable(line.OrgTitle), line.Relay)
	return err
}
