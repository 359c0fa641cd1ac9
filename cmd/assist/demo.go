package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"assist/cmd/assist/demo"
	"assist/session/agent"
	"assist/session/inner"
	"assist/transport"
)

func newDemoCommand() *cobra.Command {
	var script, asJSON, desktop bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a relay, a host and your console on this machine",
		Long: "Starts a relay on loopback, a host that shares this display, or a terminal where there is none, and says yes to " +
			"everything, and opens the console on it. Press c to control, Ctrl-] to let go, ? for help, q to leave. With --desktop it " +
			"makes a desktop by Xvfb where there is no display.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			plan := demo.Plan{Program: program, Display: os.Getenv("DISPLAY"), Script: script}
			plan.Text = plan.Display == "" && !desktop
			stage, err := demo.Set(ctx, plan)
			if err != nil {
				return demoError(err)
			}
			defer stage.Strike()
			if script {
				return playScript(ctx, cmd, stage, asJSON)
			}
			console := stage.Console()
			console.Stdin, console.Stdout, console.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := console.Run(); err != nil {
				return fmt.Errorf("console: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&script, "script", false, "do it without a person and say what was seen")
	cmd.Flags().BoolVar(&desktop, "desktop", false, "a desktop also where there is no display")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --script: say it as one JSON object")
	return cmd
}

// playScript takes an agent's seat and lets the demo's script act in it.
func playScript(ctx context.Context, cmd *cobra.Command, stage *demo.Stage, asJSON bool) error {
	cfg, err := stageConfig(cmd, stage)
	if err != nil {
		return err
	}
	seat := agent.Join(cfg)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return seat.Run(ctx) })
	saw, err := stage.Play(ctx, seat)
	seat.Close()
	err = errors.Join(err, group.Wait())
	out := cmd.OutOrStdout()
	if asJSON {
		return errors.Join(err, json.NewEncoder(out).Encode(saw))
	}
	fmt.Fprintf(out, "path      %s, round trip %.1f ms, host's key by %s\n", saw.Path, saw.RTTms, saw.Trusted)
	if saw.Text {
		fmt.Fprintf(out, "text      %d states at %s, %d cells changed by the typing\n", saw.Frames, saw.Grid, saw.Changed)
	} else {
		fmt.Fprintf(out, "pictures  %d at %s, %d colours in the first, %d pixels changed by the typing\n", saw.Frames, saw.Grid, saw.Colours, saw.Changed)
	}
	fmt.Fprintf(out, "typed     %s\nread back %s\n", saw.Typed, saw.ReadBack)
	return err
}

// demoError says what to install.
func demoError(err error) error {
	var missing *demo.MissingError
	if errors.As(err, &missing) {
		return &exitError{Code: exitFailed, Err: err, Hint: "make demo-desktop installs " + strings.Join(missing.Programs, ", ") + " on Debian"}
	}
	return err
}

// stageConfig is the login that the stage has made for its agent, and the session that its host has opened.
func stageConfig(cmd *cobra.Command, stage *demo.Stage) (agent.Config, error) {
	for _, v := range stage.Environment() {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			return agent.Config{}, err
		}
	}
	f := consoleFlags{relayChoice: relayChoice{addr: stage.Relay}}
	cfg, err := f.config(cmd)
	if err != nil {
		return cfg, err
	}
	invite, err := inner.ParseJoin(stage.URL)
	cfg.Code, cfg.HostPin = invite.Code, transport.Pin(invite.Pin)
	return cfg, err
}
