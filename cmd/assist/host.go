package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"assist/diag/probe"
	"assist/diag/remedy"
	"assist/screen/capture"
	"assist/screen/inject"
	"assist/session"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport"
)

type hostFlags struct {
	relayChoice
	textFlags
	unattendedFlags
	code       string
	display    string
	customer   string
	control    string
	allow      []string
	trustOrg   []string
	yes        bool
	json       bool
	accessible bool
	files      string
	log        logFlag
}

func newHostCommand() *cobra.Command {
	var f hostFlags
	cmd := &cobra.Command{
		Use:   "host [CODE]",
		Short: "Share this machine's desktop or a terminal with an agent, after you say yes",
		Long: "Shares this machine's desktop and, beside it, a terminal; where there is no display a terminal alone. Without CODE it shows a code to tell the agent; with the CODE that an agent told you " +
			"it answers that agent.\n\nNothing is shared before you say yes to a named agent, and one key stops everything at once: " +
			"s or Ctrl-C here, Pause or the Stop button on the desktop; Ctrl-] s where this terminal is the shared one.",
		Args: cobra.MaximumNArgs(1),
		Example: "  assist host --relay relay.example:8443\n" +
			"  assist host 12345678 --relay relay.example:8443",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				code, err := inner.ParseCode(args[0])
				if err != nil {
					return usage(err, "the agent reads the code from the console, for example 1234 5678")
				}
				f.code = code
			}
			f.said = cmd.Flags().Changed("text")
			if f.unattended {
				return f.wait(cmd)
			}
			return f.run(cmd)
		},
	}
	f.relayChoice.flags(cmd)
	f.pathFlag(cmd)
	f.textFlags.flags(cmd)
	f.unattendedFlags.flags(cmd)
	cmd.Flags().StringVar(&f.display, "display", os.Getenv("DISPLAY"), "X11 display to share")
	cmd.Flags().StringVar(&f.customer, "customer", "", "how the agents see your name (default your login's)")
	cmd.Flags().StringVar(&f.files, "files", "", "folder that agents may put files into and get files from, when they may (default one of the session's own among your downloads)")
	f.log.flag(cmd)
	cmd.Flags().StringVar(&f.control, "control", "free", "how agents share control: free, ask or baton")
	cmd.Flags().StringArrayVar(&f.trustOrg, "trust-org", nil, "ORG=KEY: agents whom this key of their organisation vouches for are shown as verified")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "answer every question by --allow; for scripts, on machines of your own")
	cmd.Flags().StringSliceVar(&f.allow, "allow", nil, "with --yes: what is allowed, of view,control,chat,diag,clipboard,file,run")
	cmd.Flags().BoolVar(&f.json, "json", false, "print events as NDJSON on stdout and show no screen here")
	cmd.Flags().BoolVar(&f.accessible, "accessible", false, "plain lines that a screen reader can follow")
	return cmd
}

func (f *hostFlags) run(cmd *cobra.Command) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if cfg.Relay, err = f.relay(cmd.ErrOrStderr()); err != nil {
		return err
	}
	log, logged, err := f.log.open()
	if err != nil {
		return err
	}
	defer logged()
	cfg.Log = log
	if cfg.Text, err = f.textFlags.open(f.display); err != nil {
		return err
	}
	if f.only(f.display) {
		cfg.Fronts = f.terminal(cfg.Text)
	} else {
		gone, err := f.desktop(&cfg)
		if err != nil {
			return err
		}
		defer gone()
	}
	if f.json {
		cfg.Events = ndjson(cmd.OutOrStdout())
	}
	h, err := host.New(cfg)
	if err != nil {
		return err
	}
	return f.share(cmd.Context(), cmd.ErrOrStderr(), h)
}

// desktop opens the display and puts it into cfg.
func (f *hostFlags) desktop(cfg *host.Config) (gone func(), err error) {
	source, err := capture.Open(f.display)
	if err != nil {
		return nil, err
	}
	keys, err := inject.Open(f.display)
	if err != nil {
		source.Close()
		return nil, fmt.Errorf("open display for input: %w", err)
	}
	cfg.Source, cfg.Injector = source, keys
	if cfg.Fronts, err = f.fronts(keys); err != nil {
		source.Close()
		return nil, errors.Join(err, keys.Close())
	}
	return func() { source.Close() }, nil
}

// share runs the session. The customer's stop is the good end of one.
func (f *hostFlags) share(ctx context.Context, words io.Writer, h *host.Host) error {
	err := h.Run(ctx)
	if errors.Is(err, host.ErrStopped) || (err == nil && ctx.Err() == nil) {
		fmt.Fprintln(words, "Sharing has ended. Nobody sees this machine any more.")
		return nil
	}
	return err
}

// config is what the flags say by themselves.
func (f *hostFlags) config() (host.Config, error) {
	cfg := host.Config{Code: f.code, Customer: f.customer, Software: software(), System: probe.System().Line(), Prober: &probe.Machine{}, Doer: &remedy.Machine{}}
	if cfg.Customer == "" {
		cfg.Customer = loginName()
	}
	var err error
	if cfg.Options, err = f.options(); err != nil {
		return cfg, err
	}
	if cfg.Mode, err = controlMode(f.control); err != nil {
		return cfg, err
	}
	if cfg.TrustOrgs, err = trusted(f.trustOrg); err != nil {
		return cfg, err
	}
	if cfg.Files, err = filesFolder(f.files); err != nil {
		return cfg, err
	}
	allow, err := grants(f.allow)
	switch {
	case err != nil:
		return cfg, err
	case f.yes && allow == 0:
		return cfg, usage(errors.New("--yes without --allow would allow nothing"), "for example --yes --allow view,control,chat")
	case !f.yes && allow != 0:
		return cfg, usage(errors.New("--allow only goes with --yes"), "without --yes you are asked")
	case f.yes:
		cfg.Answer = &host.AutoAnswer{Allow: allow}
	}
	return cfg, nil
}

// ndjson writes each event as a line.
func ndjson(out io.Writer) func(host.Event) {
	enc := json.NewEncoder(out)
	return func(e host.Event) {
		_ = enc.Encode(e) // who closed stdout does not want to know
	}
}

func loginName() string {
	u, err := user.Current()
	if err != nil {
		return "customer"
	}
	if name, _, _ := strings.Cut(u.Name, ","); name != "" { // the first field of GECOS, passwd(5)
		return name
	}
	return u.Username
}

func controlMode(s string) (session.ControlMode, error) {
	switch s {
	case "free":
		return session.Free, nil
	case "ask":
		return session.Ask, nil
	case "baton":
		return session.Baton, nil
	}
	return 0, usage(fmt.Errorf("--control %q is none of free, ask, baton", s), "")
}

func grants(names []string) (session.Grants, error) {
	all, err := session.ParseGrants(names)
	if err != nil {
		return 0, usage(fmt.Errorf("--allow: %w", err), "the grants are "+session.AllGrants.String())
	}
	return all, nil
}

// trusted reads ORG=KEY pairs.
func trusted(pairs []string) (map[string]transport.Pin, error) {
	out := map[string]transport.Pin{}
	for _, p := range pairs {
		org, key, ok := strings.Cut(p, "=")
		pin, err := transport.ParsePin(key)
		if !ok || org == "" || err != nil {
			return nil, usage(fmt.Errorf("--trust-org %q is not ORG=KEY", p), "the key is what assist relay org list shows, 1. and 32 letters and digits")
		}
		out[org] = pin
	}
	return out, nil
}
