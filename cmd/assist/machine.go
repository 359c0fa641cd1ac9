package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent/account"
	"assist/session/broker"
	"assist/session/host/machine"
	"assist/session/inner/badge"
	"assist/transport"
	"assist/transport/wire"
)

type tokenFlags struct {
	relayChoice
	relayPlace
	org, name string
	tags      []string
	life      time.Duration
	json      bool
}

func newMachineTokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token --org ORG",
		Short: "Make a token by which one machine can be enrolled, once",
		Long: "Makes a token for assist host enroll. It is good for one machine and once; only its hash is kept. It carries the key of the " +
			"organisation, so that the machine trusts that key and no other.\n\nAn administrator of the organisation makes it with the own " +
			"login; on the relay itself --data does it without.",
		Example: "  assist machine token --org acme --name web-01 --tag web\n  assist machine token --org acme | ssh web-01 'assist host enroll relay.example --token-stdin'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.relayChoice.flags(cmd)
	cmd.Flags().StringVar(&f.org, "org", "", "organisation")
	cmd.Flags().StringVar(&f.name, "name", "", "the name that the machine will have (default it says one)")
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tags that the machine will have")
	cmd.Flags().DurationVar(&f.life, "life", time.Hour, "how long the token can be used, at most 720h")
	cmd.Flags().StringVar(&f.data, "data", "", "on the relay: its data folder; no login is needed")
	cmd.Flags().StringVar(&f.db, "db", "", "on the relay: its PostgreSQL database, as assist relay takes it")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	_ = cmd.MarkFlagRequired("org") // fails for flags that do not exist
	return cmd
}

func (f *tokenFlags) run(cmd *cobra.Command) error {
	var token machine.Token
	var until time.Time
	keep := func(secret string, orgKey []byte, expires time.Time) {
		token = machine.Token{Secret: secret, OrgKey: transport.Fingerprint(badge.KeyHash(orgKey)).Pin()}
		until = expires.UTC().Truncate(time.Second)
	}
	err := f.mint(cmd, keep)
	switch {
	case errors.Is(err, broker.ErrEnrolment):
		return usage(err, "")
	case err != nil:
		return err
	case f.json:
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			Token   string    `json:"token"`
			Org     string    `json:"org"`
			OrgKey  string    `json:"org_key"`
			Name    string    `json:"name,omitempty"`
			Expires time.Time `json:"expires"`
		}{token.String(), f.org, string(token.OrgKey), f.name, until})
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "good once, until %s; on the machine: assist host enroll RELAY --token-stdin\n", until.Local().Format("2006-01-02 15:04"))
	_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
	return err
}

// mint makes the token: with the agent's login, or in the relay's own data folder.
func (f *tokenFlags) mint(cmd *cobra.Command, keep func(secret string, orgKey []byte, expires time.Time)) error {
	if f.data != "" || f.db != "" {
		return withAdmin(cmd, &f.relayPlace, func(ctx context.Context, a broker.Admin) error {
			t, err := a.MintEnrolment(ctx, f.org, f.name, f.tags, f.life)
			keep(t.Secret, t.Org.Key, t.Expires)
			return err
		})
	}
	return f.visit(cmd, func(v *account.Visit, _ account.Machines) error {
		e, err := v.MintEnrolment(cmd.Context(), &wire.MintEnrolment{
			Org: f.org, Name: f.name, Tags: f.tags, LifeS: uint32(f.life / time.Second),
		})
		if err == nil {
			keep(e.Secret, e.OrgKey, time.Unix(e.ExpiresUnix, 0))
		}
		return err
	})
}

// newMachineForgetCommand drops what this console knows of a machine's key.
func newMachineForgetCommand() *cobra.Command {
	var f relayChoice
	cmd := &cobra.Command{
		Use:   "forget NAME@ORG",
		Short: "Forget the key by which this console knows a machine, after it was set up anew",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			relay, _, err := f.login(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			err = account.Open(cmd.ErrOrStderr()).Machines(relay.Addr).ForgetMachine(strings.ToLower(args[0]))
			if errors.Is(err, account.ErrNone) {
				return fmt.Errorf("no key of %s is known here", args[0])
			}
			return err
		},
	}
	f.flags(cmd)
	return cmd
}

// newMachineRestrictCommand sets what a machine is told to forbid.
func newMachineRestrictCommand() *cobra.Command {
	var f relayChoice
	var off bool
	cmd := &cobra.Command{
		Use:   "restrict MACHINE [FILE]",
		Short: "Make a machine's policy tighter; it can never be loosened from outside",
		Long: "Hands a machine one policy more (FILE, or stdin with -), in the words of its own. Both have to hold: whatever is in " +
			"FILE, nobody gets in who would not without it, and nobody gets more. --off takes it away again.",
		Example: "  printf 'grants = [\"view\"]' | assist machine restrict web-01 -\n  assist machine restrict web-01 --off",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if off == (len(args) == 2) {
				return usage(errors.New("either FILE or --off"), "")
			}
			text := ""
			if !off {
				var err error
				if text, err = restriction(cmd, args[1]); err != nil {
					return err
				}
			}
			return f.change(cmd, args[0], func(c *wire.ChangeMachine) error {
				c.To = &wire.ChangeMachine_Restrict{Restrict: &wire.Restrict{Policy: text}}
				return nil
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&off, "off", false, "forbid nothing from outside any more")
	return cmd
}

// restriction reads and checks a policy for a machine, so that a mistake is seen here and not there.
func restriction(cmd *cobra.Command, file string) (string, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxAnswer))
	if err != nil {
		return "", err
	}
	if _, err := machine.ParseRestriction(string(text)); err != nil {
		return "", usage(err, "the words are those of the policy that assist host enroll writes, but for keys")
	}
	return string(text), nil
}
