package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"assist/screen"
	"assist/session/agent"
	"assist/session/agent/local"
	"assist/session/agent/share"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/tui"
)

type consoleFlags struct {
	relayChoice
	viewOnly bool
	exitKey  string
	noMouse  bool
	quality  string
	drawing
	shell bool
	log   logFlag
}

func (f *consoleFlags) flags(cmd *cobra.Command) {
	f.relayChoice.flags(cmd)
	f.pathFlag(cmd)
	cmd.Flags().BoolVar(&f.viewOnly, "view-only", false, "only look: ask for no control")
	cmd.Flags().StringVar(&f.exitKey, "exit-key", tui.DefaultExitKey, "the key that leads out of control; twice sends it")
	cmd.Flags().BoolVar(&f.shell, "shell", false, "the machine's terminal alone, on the whole screen; ~. at the beginning of a line leaves, as in ssh")
	cmd.Flags().StringVar(&f.quality, "quality", "auto", "how pictures are made: auto, sharp, fast or thin; b changes it")
	cmd.Flags().BoolVar(&f.noMouse, "no-mouse", false, "leave the mouse to the terminal; m changes it")
	f.drawing.flags(cmd)
	f.log.flag(cmd)
}

func newJoinCommand() *cobra.Command {
	var f consoleFlags
	cmd := &cobra.Command{
		Use:   "join CODE|URL",
		Short: "Join a session as an agent",
		Long: "Opens the console on a session: see and control the customer's screen, and chat. A join URL carries the key of the " +
			"customer's host; with a bare code you compare three words with the customer.",
		Args:    cobra.ExactArgs(1),
		Example: "  assist join 12345678\n  assist join 'https://relay.example:8443/j/12345678#1.KEY'",
		RunE:    func(cmd *cobra.Command, args []string) error { return f.join(cmd, args[0]) },
	}
	f.flags(cmd)
	return cmd
}

func newStartCommand() *cobra.Command {
	var f consoleFlags
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start a session as an agent: get a code for the customer",
		Long:  "Gets a code, shows what the customer has to run, and opens the console as soon as the customer's host is there.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.start(cmd) },
	}
	f.flags(cmd)
	return cmd
}

// join joins by a code or address.
func (f *consoleFlags) join(cmd *cobra.Command, text string) error {
	invite, err := inner.ParseJoin(text)
	if err != nil {
		return usage(err, "for example: assist join 12345678")
	}
	if f.addr == "" {
		f.addr = invite.Relay
	}
	return f.signedIn(cmd, "join session "+inner.SpacedCode(invite.Code), func(cfg agent.Config) *agent.Session {
		cfg.Code, cfg.HostPin = invite.Code, transport.Pin(invite.Pin)
		return agent.Join(cfg)
	})
}

// start gets a code for the customer.
func (f *consoleFlags) start(cmd *cobra.Command) error {
	return f.signedIn(cmd, "start a session", agent.Start)
}

// signedIn opens a session with the agent's login. Whoever has none, or one that has ended, may sign in first.
func (f *consoleFlags) signedIn(cmd *cobra.Command, what string, begin func(agent.Config) *agent.Session) error {
	asked := false
	for {
		cfg, err := f.config(cmd)
		if err == nil {
			err = f.open(cmd, begin(cfg), cfg.Relay)
		}
		if asked || !needsLogin(err) {
			return err
		}
		if asked, err = true, f.askToSignIn(cmd, what, err); err != nil {
			return err
		}
	}
}

// config is what the agent's login and the flags say.
func (f *consoleFlags) config(cmd *cobra.Command) (agent.Config, error) {
	relay, login, err := f.login(cmd.ErrOrStderr())
	if err != nil {
		return agent.Config{}, err
	}
	opt, err := f.options()
	if err != nil {
		return agent.Config{}, err
	}
	return agent.Config{
		Options: opt,
		Relay:   relay, Identity: login.Identity, Token: login.Token, ViewOnly: f.viewOnly, Device: deviceName(), Software: software(),
		Relays: login.Fleet,
	}, nil
}

// open shows the session in this terminal until it is over, and lets the verbs of other shells reach it meanwhile.
func (f *consoleFlags) open(cmd *cobra.Command, s *agent.Session, relay transport.Relay) error {
	opt := tui.Options{ExitKey: f.exitKey, NoMouse: f.noMouse, ViewOnly: f.viewOnly, HostArgs: hostArgs(relay)}
	if err := f.drawing.apply(&opt); err != nil {
		return err
	}
	pin, ok := screen.ParsePin(f.quality)
	if !ok {
		return usage(fmt.Errorf("no such quality: %q", f.quality), "auto, sharp, fast or thin")
	}
	if opt.Quality = pin; pin != screen.Auto {
		s.Do(console.PinQuality{Pin: pin})
	}
	log, logged, err := f.log.open()
	if err != nil {
		return err
	}
	defer logged()
	group, ctx := errgroup.WithContext(cmd.Context())
	var failure, deaf, forgot error
	group.Go(func() error {
		failure = s.Run(ctx) // the console shows it first
		return nil
	})
	group.Go(func() error {
		deaf = local.Serve(ctx, s)
		return nil
	})
	group.Go(func() error {
		keepLog(ctx, s, log)
		return nil
	})
	group.Go(func() error {
		forgot = remember(ctx, s, relay)
		return nil
	})
	group.Go(func() error {
		if s.OnMachine() && !reached(ctx, cmd, s) {
			return nil
		}
		opt.Copy = func(text string) (string, error) {
			ways, err := share.Copy(ctx, text)
			return strings.Join(ways, ", "), err
		}
		opt.Around = tmuxAround(ctx)
		opt.Email = func(url, code string) (string, error) {
			return share.Invitation(inner.SpacedCode(code), url, "").Open(ctx)
		}
		if f.shell {
			res, err := tui.RunShell(ctx, s, opt)
			if !res.Left && res.State.Why != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "assist: %s\n", printable(res.State.Why))
			}
			return err
		}
		_, err := tui.Run(ctx, s, opt)
		return err
	})
	err = errors.Join(group.Wait(), failure)
	if deaf != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "other shells could not reach this console: %s\n", printable(deaf.Error()))
	}
	if forgot != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), printable(forgot.Error()))
	}
	return err
}

// hostArgs is what the customer has to add to "assist host CODE" to find the same relay.
func hostArgs(r transport.Relay) string {
	args := fmt.Sprintf("--relay %s", r.Addr)
	if r.Pin != "" {
		args += fmt.Sprintf(" --relay-key %s", r.Pin)
	}
	return args
}
