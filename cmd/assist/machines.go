package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/agent/account"
	"assist/transport"
	"assist/transport/wire"
)

func newMachinesCommand() *cobra.Command {
	var f relayChoice
	var tag string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "machines",
		Short: "List your organisation's machines",
		Long: "Lists the machines of your organisation that are enrolled for unattended access, with their tags, whether they are " +
			"connected now, and when they were last seen.",
		Example: "  assist machines --tag web\n  assist machines --json | jq -r 'select(.online) | .name'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.visit(cmd, func(v *account.Visit, known account.Machines) error {
				all, err := v.Machines(cmd.Context(), tag)
				if err != nil {
					return err
				}
				lines := make([]machineLine, len(all))
				for i, m := range all {
					if lines[i], err = machineOf(m, known); err != nil {
						return err
					}
				}
				return table(cmd.OutOrStdout(), asJSON, lines, func(l machineLine) machineLine { return l })
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&tag, "tag", "", "only those with this tag")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// visit connects to the relay of the agent's login.
func (c *relayChoice) visit(cmd *cobra.Command, do func(*account.Visit, account.Machines) error) error {
	relay, _, err := c.login(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	book := account.Open(cmd.ErrOrStderr())
	v, err := book.Dial(cmd.Context(), relay.Addr, relay.Pin, software())
	if err != nil {
		return err
	}
	defer v.Close()
	return do(v, book.Machines(relay.Addr))
}

// machineLine is a machine as the list verb prints it.
type machineLine struct {
	Name     string     `json:"name"`
	Org      string     `json:"org"`
	Tags     []string   `json:"tags"`
	Online   bool       `json:"online"`
	Busy     bool       `json:"busy"` // a session is open
	LastSeen *time.Time `json:"last_seen"`
	OS       string     `json:"os"`
	Pin      string     `json:"pin"`     // of the key that it was enrolled with
	Changed  bool       `json:"changed"` // this console knows it by another key
	Restrict string     `json:"restrict,omitempty"`
	Enrolled time.Time  `json:"enrolled"`
}

func machineOf(m *wire.Machine, known account.Machines) (machineLine, error) {
	l := machineLine{
		Name: chat.Name(m.Name), Org: chat.Name(m.Org), Tags: []string{}, Online: m.Online, Busy: m.Busy, OS: chat.Name(m.Os),
		Restrict: m.Restrict, Enrolled: time.Unix(m.EnrolledUnix, 0).UTC(),
	}
	for _, t := range m.Tags {
		l.Tags = append(l.Tags, chat.Name(t))
	}
	if m.SeenUnix > 0 {
		seen := time.Unix(m.SeenUnix, 0).UTC()
		l.LastSeen = &seen
	}
	if len(m.Key) == 32 {
		l.Pin = string(transport.Fingerprint(m.Key).Pin())
	}
	kept, err := known.MachinePin(l.Name + "@" + l.Org)
	l.Changed = kept != "" && string(kept) != l.Pin
	return l, err
}

func (l machineLine) cells() []string {
	state := "offline"
	switch {
	case l.Online && l.Busy:
		state = "in use"
	case l.Online:
		state = "online"
	}
	seen := "now"
	if !l.Online {
		seen = "never"
		if l.LastSeen != nil {
			seen = l.LastSeen.Local().Format("2006-01-02 15:04")
		}
	}
	pin := l.Pin
	if l.Changed {
		pin += " NOT THE KEY THAT WAS KNOWN"
	}
	return []string{l.Name, state, seen, strings.Join(l.Tags, ","), l.OS, pin}
}

func newMachineCommand() *cobra.Command {
	group := asGroup(&cobra.Command{Use: "machine", Short: "Enrol, tag, rename, restrict and remove machines"})
	group.AddCommand(newMachineTokenCommand(), newMachineForgetCommand(),
		newMachineChange("remove MACHINE", "End a machine's enrolment; its session ends, too", 1, func(_ []string, c *wire.ChangeMachine) error {
			c.To = &wire.ChangeMachine_Remove{Remove: true}
			return nil
		}),
		newMachineChange("rename MACHINE NAME", "Give a machine another name", 2, func(args []string, c *wire.ChangeMachine) error {
			c.To = &wire.ChangeMachine_Name{Name: args[0]}
			return nil
		}),
		newMachineChange("tag MACHINE [TAG…]", "Set a machine's tags", -1, func(args []string, c *wire.ChangeMachine) error {
			c.To = &wire.ChangeMachine_Tags{Tags: &wire.Tags{All: args}}
			return nil
		}),
		newMachineRestrictCommand())
	return group
}

// newMachineChange is a verb of administrators about one machine; args counts its arguments, -1: at least one.
func newMachineChange(use, short string, args int, fill func([]string, *wire.ChangeMachine) error) *cobra.Command {
	var f relayChoice
	count := cobra.ExactArgs(max(args, 1))
	if args < 0 {
		count = cobra.MinimumNArgs(1)
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: count,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.change(cmd, args[0], func(c *wire.ChangeMachine) error { return fill(args[1:], c) })
		},
	}
	f.flags(cmd)
	return cmd
}

func (c *relayChoice) change(cmd *cobra.Command, machine string, fill func(*wire.ChangeMachine) error) error {
	change := &wire.ChangeMachine{Machine: machine}
	if err := fill(change); err != nil {
		return err
	}
	return c.visit(cmd, func(v *account.Visit, _ account.Machines) error {
		if err := v.ChangeMachine(cmd.Context(), change); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "done")
		return nil
	})
}
