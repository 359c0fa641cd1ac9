package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"assist/diag"
	"assist/diag/probe"
)

type diagFlags struct {
	local  bool
	follow bool
	json   bool
	save   string
}

func newDiagCommand() *cobra.Command {
	var f diagFlags
	cmd := &cobra.Command{
		Use:   "diag --local [CATEGORY...]",
		Short: "Report what is wrong with a machine: findings first, with the evidence",
		Long: "Reads a machine and says what it found: each finding with its evidence and what to do next, then everything it read, by " +
			"category. Nothing is changed.\n\nCategories: " + categoryNames() + ".",
		Example: "  assist diag --local\n  assist diag --local disks memory --json\n  assist diag --local --follow --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := diag.ParseIDs(args)
			if err != nil {
				return usage(err, "assist diag --help lists the categories")
			}
			if !f.local {
				return usage(errors.New("which machine?"), "--local is this one")
			}
			return f.run(cmd, here{}, ids)
		},
	}
	cmd.Flags().BoolVar(&f.local, "local", false, "this machine")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "print the live values each second until it is interrupted")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: one object by category, or an object a line with --follow")
	cmd.Flags().StringVar(&f.save, "save", "", "also write the report to this file; its name decides how: .json, .md, else text")
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
	Report(ctx context.Context, ids []diag.ID) (diag.Report, error)
	Live(ctx context.Context, each func(diag.Sample) error) error
}

// here is this machine.
type here struct{}

func (here) Report(ctx context.Context, ids []diag.ID) (diag.Report, error) {
	return (&probe.Machine{}).Report(ctx, ids), ctx.Err()
}

func (here) Live(ctx context.Context, each func(diag.Sample) error) error {
	return (&probe.Machine{}).Live(ctx, each)
}

func (f *diagFlags) run(cmd *cobra.Command, c checkup, ids []diag.ID) error {
	if f.follow {
		if f.save != "" {
			return usage(errors.New("--save keeps a report, --follow prints live values"), "say one of them")
		}
		return f.live(cmd, c)
	}
	r, err := c.Report(cmd.Context(), ids)
	if err != nil {
		return err
	}
	if f.save != "" {
		if err := os.WriteFile(f.save, []byte(render(r, filepath.Ext(f.save))), 0o600); err != nil {
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

// render writes a report as the ending of a file's name asks.
func render(r diag.Report, ext string) string {
	switch strings.ToLower(ext) {
	case ".json":
		return r.JSON()
	case ".md", ".markdown":
		return r.Markdown()
	}
	return r.Text()
}

// live prints live values until the verb is interrupted, which is how it ends well.
func (f *diagFlags) live(cmd *cobra.Command, c checkup) error {
	err := c.Live(cmd.Context(), func(s diag.Sample) error {
		if f.json {
			return printJSON(cmd.OutOrStdout(), s)
		}
		var parts []string
		for _, v := range diag.Values() {
			parts = append(parts, v.Name+" "+v.Unit.Format(v.Of(s)))
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", s.At.Local().Format("15:04:05"), strings.Join(parts, "  "))
		return err
	})
	return errors.Join(err, cmd.Context().Err())
}
