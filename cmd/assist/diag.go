package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"assist/diag"
	"assist/diag/probe"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/local"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport/wire"
)

type diagFlags struct {
	target
	local    bool
	follow   bool
	save     string
	unit     string
	priority string
}

func newDiagCommand() *cobra.Command {
	var f diagFlags
	cmd := &cobra.Command{
		Use:   "diag CODE|URL|MACHINE|--local [CATEGORY...]",
		Short: "Report what is wrong with a machine: findings first, with the evidence",
		Long: "Reads a machine and says what it found: each finding with its evidence and what to do next, then everything it read, by " +
			"category. Nothing is changed there. The customer must allow diagnostics, and sees the report before it goes.\n\n" +
			"With --follow it prints the live values of load, CPU, memory, disks and network each second; with the one category events " +
			"it follows the event log.\n\nCategories: " + categoryNames() + ".",
		Example: "  assist diag 12345678\n  assist diag web-01 disks memory --json\n  assist diag --local --follow\n" +
			"  assist diag web-01 events --follow --unit ssh.service --priority warning",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !f.local && len(args) == 0 {
				return usage(errors.New("which machine?"), "a code, an address or a machine's name; --local is this one")
			}
			names := args
			if !f.local {
				names = args[1:]
			}
			ids, err := diag.ParseIDs(names)
			if err != nil {
				return usage(err, "assist diag --help lists the categories")
			}
			if f.local {
				return f.run(cmd.Context(), cmd, here{&probe.Machine{}}, ids)
			}
			return f.work(cmd.Context(), cmd, args[0], session.Diag, func(ctx context.Context, c *local.Client) error {
				return f.run(ctx, cmd, far{c, cmd.ErrOrStderr()}, ids)
			})
		},
	}
	f.flags(cmd)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 && !f.local {
			return completeTargets(cmd, args, begun)
		}
		return strings.Split(categoryNames(), ", "), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.Flags().BoolVar(&f.local, "local", false, "this machine")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "print live values, or events, until it is interrupted")
	cmd.Flags().StringVar(&f.save, "save", "", "also write the report to this file; its name decides how: .json, .md, else text")
	cmd.Flags().StringVar(&f.unit, "unit", "", "with events --follow: of this unit only")
	cmd.Flags().StringVar(&f.priority, "priority", "info", "with events --follow: of this priority and above")
	return cmd
}

func categoryNames() string {
	var names []string
	for _, id := range diag.All() {
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}

// checkup is a machine that can be asked: this one, or that of a session.
type checkup interface {
	report(ctx context.Context, ids []diag.ID) (diag.Report, error)
	Live(ctx context.Context, each func(diag.Sample) error) error
	Events(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) (source string, err error)
}

// far is the machine of a session.
type far struct {
	client *local.Client
	words  io.Writer
}

// stream opens a report stream that ends with ctx.
func (f far) stream(ctx context.Context, use func(io.ReadWriter) error) error {
	s, err := f.client.Open(ctx, wire.StreamReport)
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	err = use(s)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, console.ErrRefused):
		return &exitError{Code: exitRefused, Err: err, Hint: "talk to the customer before you ask again"}
	}
	return err
}

// asked tells the agent what is waited for.
func (f far) asked() {
	fmt.Fprintln(f.words, "the customer looks at what would be sent")
}

func (f far) report(ctx context.Context, ids []diag.ID) (r diag.Report, err error) {
	err = f.stream(ctx, func(s io.ReadWriter) error {
		r, err = agent.PullReport(s, ids, f.asked)
		return err
	})
	return r, err
}

func (f far) Live(ctx context.Context, each func(diag.Sample) error) error {
	return f.stream(ctx, func(s io.ReadWriter) error { return agent.WatchLive(s, each) })
}

func (f far) Events(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) (source string, err error) {
	err = f.stream(ctx, func(s io.ReadWriter) error {
		return agent.WatchEvents(s, q, func(said inner.ReportSaid) error {
			switch {
			case said.Asking:
				f.asked()
			case said.Source != "":
				source = said.Source
			case said.Event != nil:
				return each(*said.Event)
			}
			return nil
		})
	})
	return source, err
}

// here is this machine.
type here struct{ *probe.Machine }

func (h here) report(ctx context.Context, ids []diag.ID) (diag.Report, error) {
	return h.Report(ctx, ids), ctx.Err()
}

// run asks a machine for what the flags say.
func (f *diagFlags) run(ctx context.Context, cmd *cobra.Command, c checkup, ids []diag.ID) error {
	if !f.follow {
		return f.print(ctx, cmd, c, ids)
	}
	if f.save != "" {
		return usage(errors.New("--save keeps a report, --follow prints what comes"), "say one of them")
	}
	if slices.Equal(ids, []diag.ID{diag.Events}) {
		return f.events(ctx, cmd.OutOrStdout(), c)
	}
	return f.live(ctx, cmd.OutOrStdout(), c)
}

func (f *diagFlags) print(ctx context.Context, cmd *cobra.Command, c checkup, ids []diag.ID) error {
	r, err := c.report(ctx, ids)
	if err != nil {
		return err
	}
	if f.save != "" {
		if err := os.WriteFile(f.save, []byte(r.As(f.save)), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "saved to %s\n", printable(f.save))
	}
	text := r.Text()
	if f.json {
		text = r.JSON()
	}
	_, err = io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// live prints live values until the verb is interrupted, which is how it ends well.
func (f *diagFlags) live(ctx context.Context, out io.Writer, c checkup) error {
	err := c.Live(ctx, func(s diag.Sample) error {
		if f.json {
			return printJSON(out, s)
		}
		var parts []string
		for _, v := range diag.Values() {
			parts = append(parts, v.Name+" "+v.Unit.Format(v.Of(s)))
		}
		_, err := fmt.Fprintf(out, "%s  %s\n", s.At.Local().Format("15:04:05"), strings.Join(parts, "  "))
		return err
	})
	return errors.Join(err, ctx.Err())
}

// shownEvents is how many lines that are there already a follower begins with.
const shownEvents = 20

// events prints the event log as it comes, until the verb is interrupted.
func (f *diagFlags) events(ctx context.Context, out io.Writer, c checkup) error {
	most, err := diag.ParsePriority(f.priority)
	if err != nil {
		return usage(err, "")
	}
	_, err = c.Events(ctx, diag.EventQuery{Most: most, Unit: f.unit, Last: shownEvents, Follow: true}, func(e diag.Event) error {
		if f.json {
			return printJSON(out, e)
		}
		_, err := fmt.Fprintln(out, e.Line())
		return err
	})
	return errors.Join(err, ctx.Err())
}
