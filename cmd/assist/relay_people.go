package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/broker"
	"assist/session/broker/store"
	"assist/session/inner/badge"
	"assist/transport"
)

// withAdmin opens the relay's database for one local command; a relay may be serving from it meanwhile.
func withAdmin(cmd *cobra.Command, at *relayPlace, do func(ctx context.Context, a broker.Admin) error) error {
	s, dir, err := at.open(cmd.Context())
	if err != nil {
		return err
	}
	return errors.Join(explainPeople(do(cmd.Context(), broker.Admin{Store: s, Dir: dir})), s.Close())
}

// explainPeople gives the mistakes that people make here their hint.
func explainPeople(err error) error {
	switch {
	case errors.Is(err, broker.ErrName), errors.Is(err, broker.ErrPassword):
		return usage(err, "")
	case errors.Is(err, store.ErrExists):
		return &exitError{Code: exitFailed, Err: err, Hint: "the name, or one that looks too much like it, is taken; the list verb shows all"}
	case errors.Is(err, store.ErrNotFound):
		return &exitError{Code: exitFailed, Err: err, Hint: "assist relay org list and assist relay agent list show who is known; is --data the relay's folder?"}
	}
	return err
}

func newOrgCommand(at *relayPlace) *cobra.Command {
	group := asGroup(&cobra.Command{Use: "org", Short: "Organisations whose agents may use this relay"})
	var title string
	add := &cobra.Command{
		Use: "add ORG", Short: "Add an organisation, with a signing key of its own", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				o, err := a.AddOrg(ctx, args[0], title)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", o.Handle, orgPin(o))
				return err
			})
		},
	}
	add.Flags().StringVar(&title, "title", "", "the name that customers read (default ORG)")
	group.AddCommand(add, newOrgListCommand(at),
		newSwitchCommand("disable ORG", "End all logins of an organisation and allow no more", at, func(ctx context.Context, a broker.Admin, org string) error {
			return a.SetOrgDisabled(ctx, org, true)
		}),
		newSwitchCommand("enable ORG", "Allow logins of an organisation again", at, func(ctx context.Context, a broker.Admin, org string) error {
			return a.SetOrgDisabled(ctx, org, false)
		}))
	return group
}

func newOrgListCommand(at *relayPlace) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the organisations and their keys", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				orgs, err := a.Store.Orgs(ctx)
				if err != nil {
					return err
				}
				return table(cmd.OutOrStdout(), asJSON, orgs, func(o store.Org) orgLine {
					return orgLine{o.Handle, o.Title, string(orgPin(o)), o.Disabled.IsZero(), o.Created}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newAgentCommand(at *relayPlace) *cobra.Command {
	group := asGroup(&cobra.Command{Use: "agent", Short: "Agents who may log in to this relay"})
	var admin bool
	add := newPasswordCommand("add NAME@ORG", "Add an agent", at, func(a broker.Admin, ctx context.Context, handle, password string) error {
		_, err := a.AddAgent(ctx, handle, password, admin)
		return err
	})
	add.Flags().BoolVar(&admin, "admin", false, "an administrator of the organisation")
	group.AddCommand(add,
		newPasswordCommand("passwd NAME@ORG", "Change an agent's password and end its logins", at, broker.Admin.SetPassword),
		newAgentListCommand(at),
		newSwitchCommand("disable NAME@ORG", "End an agent's logins and allow no more", at, func(ctx context.Context, a broker.Admin, handle string) error {
			return a.SetAgentDisabled(ctx, handle, true)
		}),
		newSwitchCommand("enable NAME@ORG", "Allow an agent to log in again", at, func(ctx context.Context, a broker.Admin, handle string) error {
			return a.SetAgentDisabled(ctx, handle, false)
		}))
	return group
}

func newPasswordCommand(use, short string, at *relayPlace, do func(a broker.Admin, ctx context.Context, handle, password string) error) *cobra.Command {
	var stdin bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := askPassword(cmd, stdin, "Password for "+args[0], true)
			if err != nil {
				return err
			}
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error { return do(a, ctx, args[0], password) })
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from stdin, up to the end of the line")
	return cmd
}

func newSwitchCommand(use, short string, at *relayPlace, do func(context.Context, broker.Admin, string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error { return do(ctx, a, args[0]) })
		},
	}
}

func newAgentListCommand(at *relayPlace) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list [ORG]", Short: "List the agents", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			org := ""
			if len(args) == 1 {
				org = args[0]
			}
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				agents, err := a.Store.Agents(ctx, org)
				if err != nil {
					return err
				}
				return table(cmd.OutOrStdout(), asJSON, agents, func(g store.Agent) agentLine {
					return agentLine{g.Handle(), g.Admin, g.Active(), g.Created}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newAuditCommand(at *relayPlace) *cobra.Command {
	var verify bool
	cmd := &cobra.Command{
		Use: "audit", Short: "Print what happened, oldest first, as NDJSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, at, func(ctx context.Context, a broker.Admin) error {
				if verify {
					n, err := a.Store.VerifyAudit(ctx)
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events, whole\n", n)
					return err
				}
				lines := json.NewEncoder(cmd.OutOrStdout())
				return a.Store.Events(ctx, 0, func(e store.Event) error { return lines.Encode(auditLineOf(e)) })
			})
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "check that no event was changed or taken out")
	return cmd
}

// What the list verbs print, a line each.
type (
	orgLine struct {
		Org     string    `json:"org"`
		Title   string    `json:"title"`
		Key     string    `json:"key"`
		Enabled bool      `json:"enabled"`
		Created time.Time `json:"created"`
	}
	agentLine struct {
		Agent   string    `json:"agent"`
		Admin   bool      `json:"admin"`
		Enabled bool      `json:"enabled"`
		Created time.Time `json:"created"`
	}
	auditLine struct {
		Seq     uint64    `json:"seq"`
		At      time.Time `json:"time"`
		Kind    string    `json:"kind"`
		Actor   string    `json:"actor,omitempty"`
		Device  string    `json:"device,omitempty"`
		Address string    `json:"address,omitempty"`
		Session string    `json:"session,omitempty"`
		Outcome string    `json:"outcome"`
		Detail  string    `json:"detail,omitempty"`
	}
)

func (l orgLine) cells() []string   { return []string{l.Org, l.Key, enabled(l.Enabled), l.Title} }
func (l agentLine) cells() []string { return []string{l.Agent, role(l.Admin), enabled(l.Enabled)} }

// auditLineOf makes what came from outside safe for a terminal, too.
func auditLineOf(e store.Event) auditLine {
	return auditLine{
		e.Seq, e.At, chat.Line(e.Kind), chat.Line(e.Actor), hex.EncodeToString(e.Device), chat.Line(e.Address),
		hex.EncodeToString(e.Session), chat.Line(e.Outcome), chat.Line(e.Detail),
	}
}

func enabled(yes bool) string {
	if yes {
		return "enabled"
	}
	return "disabled"
}

func role(admin bool) string {
	if admin {
		return "admin"
	}
	return "agent"
}

func orgPin(o store.Org) transport.Pin { return transport.Fingerprint(badge.KeyHash(o.Key)).Pin() }

// table prints one line for each of all: columns for people, or JSON.
func table[T any, L interface{ cells() []string }](w io.Writer, asJSON bool, all []T, line func(T) L) error {
	if asJSON {
		lines := json.NewEncoder(w)
		for _, x := range all {
			if err := lines.Encode(line(x)); err != nil {
				return err
			}
		}
		return nil
	}
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range all {
		fmt.Fprintln(columns, strings.Join(line(x).cells(), "\t"))
	}
	return columns.Flush()
}
