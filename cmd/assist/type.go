package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"assist/screen"
	"assist/session"
	"assist/session/agent/local"
	"assist/tui/control"
)

func newTypeCommand() *cobra.Command {
	var t target
	var text bool
	cmd := &cobra.Command{
		Use: "type CODE|URL|MACHINE TEXT|-", Short: "Type a text on the customer's machine", Args: cobra.MinimumNArgs(2),
		Long: "Types TEXT as it is, whatever the keyboard layout there, and ends when all of it was typed; a line feed is the Enter key. " +
			"With - it types what stands on stdin. The customer must allow control.",
		Example: "  assist type 12345678 'systemctl status cups'\n  printf 'ls\\n' | assist type web-01 -",
		RunE: func(cmd *cobra.Command, args []string) error {
			words := strings.Join(args[1:], " ")
			if words == "-" {
				b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), control.MaxPaste+1))
				if err != nil {
					return fmt.Errorf("read stdin: %w", err)
				}
				words = string(b)
			}
			evs, err := typed(words)
			if err != nil {
				return err
			}
			return t.play(cmd, args[0], evs, text)
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&text, "text", false, "into the shared terminal, where a desktop is shared, too")
	return cmd
}

// typed is a text as input, as the console's own paste makes it.
func typed(text string) (evs []screen.Input, err error) {
	c := control.New(func(ev screen.Input) bool { evs = append(evs, ev); return true })
	switch {
	case text == "":
		return nil, usage(errors.New("there is nothing to type"), "")
	case !c.Paste(text):
		return nil, usage(fmt.Errorf("a text to type has at most %d bytes", control.MaxPaste), "assist put sends a file")
	}
	return evs, nil
}

func newKeyCommand() *cobra.Command {
	var t target
	var text bool
	cmd := &cobra.Command{
		Use: "key CODE|URL|MACHINE KEY...", Short: "Press keys on the customer's machine", Args: cobra.MinimumNArgs(2),
		Long: "Presses each KEY and lets it go: a character, or a name, with modifiers before it (ctrl, alt, shift, super, altgr).\n" +
			"The names are " + strings.Join(screen.KeyNames(), ", ") + ".",
		Example: "  assist key 12345678 ctrl+c\n  assist key 12345678 alt+tab ctrl+alt+del F5 enter",
		RunE: func(cmd *cobra.Command, args []string) error {
			var evs []screen.Input
			for _, name := range args[1:] {
				key, mods, err := screen.ParseKey(name)
				if err != nil {
					return usage(err, "a character or a name with modifiers before it, like ctrl+c, alt+F4, enter; assist key --help lists the names")
				}
				evs = append(evs, screen.Input{Kind: screen.KeyTap, Key: key, Mods: mods})
			}
			return t.play(cmd, args[0], evs, text)
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&text, "text", false, "into the shared terminal, where a desktop is shared, too")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeTargets(cmd, args, begun)
		}
		return screen.KeyNames(), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// play sends input in pieces that fit a request, and waits until it was played.
func (t *target) play(cmd *cobra.Command, where string, evs []screen.Input, text bool) error {
	for i := range evs {
		evs[i].ToText = text
	}
	return t.work(cmd.Context(), cmd, where, session.View|session.Control, func(ctx context.Context, c *local.Client) error {
		const atOnce = 16 // texts of screen.MaxText fit a request
		for rest := evs; len(rest) > 0; {
			n := min(len(rest), atOnce)
			if err := c.Play(ctx, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
		if t.json {
			return printJSON(cmd.OutOrStdout(), struct {
				Played int `json:"played"`
			}{len(evs)})
		}
		return nil
	})
}
