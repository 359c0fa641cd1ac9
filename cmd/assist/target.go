package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/account"
	"assist/session/agent/local"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
)

// target is how a verb is told in which session it works: that of a running console of this user, or else one that it goes
// into with the agent's login for as long as the work takes.
type target struct {
	relayChoice
	json    bool
	noInput bool
	machine connectFlags // what a machine may want to be proven
}

func (t *target) flags(cmd *cobra.Command) {
	t.relayChoice.flags(cmd)
	cmd.Flags().BoolVar(&t.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&t.noInput, "no-input", false, "never ask here: fail instead")
	cmd.Flags().StringVar(&t.machine.passwordFile, "password-file", "", "file that only you can read with the machine's password, if it wants one")
	cmd.ValidArgsFunction = completeTargets
}

// aim is where a verb is to work.
type aim struct {
	inner.Invite        // Code empty: a machine
	machine      string // NAME or NAME@ORG
}

// parseAim takes CODE, URL or MACHINE.
func parseAim(s string) (aim, error) {
	invite, err := inner.ParseJoin(s)
	if err == nil {
		return aim{Invite: invite}, nil
	}
	if name := strings.TrimSpace(s); isMachineName(name) {
		return aim{machine: name}, nil
	}
	return aim{}, usage(fmt.Errorf("%q is no code, join address or machine", chat.Line(s)), "for example 12345678, or a name that assist machines lists")
}

// isMachineName: one that no code and no address can be mistaken for.
func isMachineName(s string) bool {
	return s != "" && !strings.ContainsAny(s, " /\\:#?\t\n") && strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// work calls do with a client of the session, in which the agent has the grants that are wanted.
func (t *target) work(ctx context.Context, cmd *cobra.Command, where string, want session.Grants, do func(context.Context, *local.Client) error) error {
	at, err := parseAim(where)
	if err != nil {
		return err
	}
	if c, ok := running(ctx, at); ok {
		return explainLive(obtained(ctx, c, want, do))
	}
	s, err := t.session(cmd, at, want)
	if err != nil {
		return err
	}
	return explainLive(t.visit(ctx, cmd.ErrOrStderr(), s, want, do))
}

// running finds the console of this user that is in that session.
func running(ctx context.Context, at aim) (*local.Client, bool) {
	if at.Code != "" {
		c, err := local.Dial(at.Code)
		return c, err == nil
	}
	for _, s := range local.Live(ctx) {
		if name, _, _ := strings.Cut(s.Machine, "@"); s.Machine != "" && (at.machine == s.Machine || at.machine == name) {
			c, err := local.Dial(s.Code)
			return c, err == nil
		}
	}
	return nil, false
}

// session prepares a session of the verb's own.
func (t *target) session(cmd *cobra.Command, at aim, want session.Grants) (*agent.Session, error) {
	if t.addr == "" {
		t.addr = at.Relay
	}
	f := consoleFlags{relayChoice: t.relayChoice}
	cfg, err := f.config(cmd)
	if err != nil {
		return nil, err
	}
	cfg.Want = session.View | want
	if at.Code == "" {
		cfg.Machine, cfg.Machines = at.machine, account.Open(io.Discard).Machines(cfg.Relay.Addr)
		if !t.noInput || t.machine.passwordFile != "" {
			cfg.Prove = t.machine.prover(cmd)
		}
		return agent.Connect(cfg), nil
	}
	cfg.Code, cfg.HostPin = at.Code, transport.Pin(at.Pin)
	return agent.Join(cfg), nil
}

// visit goes into the session, works there and leaves.
func (t *target) visit(ctx context.Context, words io.Writer, s *agent.Session, want session.Grants, do func(context.Context, *local.Client) error) error {
	done := make(chan error, 1)
	go func() { done <- s.Run(context.WithoutCancel(ctx)) }()
	inside, end := context.WithCancel(ctx)
	err := entered(inside, words, s)
	if err == nil {
		err = obtained(inside, local.Beside(inside, s), want, do)
	}
	end()
	s.Close()
	if over := <-done; over != nil && err != nil {
		return over // what went wrong inside follows from it
	}
	return err
}

// answerSoon is how long a host may take that answers by itself; then a person is waited for, and that is said.
const answerSoon = 500 * time.Millisecond

// entered waits until the customer has let the session in, and tells a person what is waited for.
func entered(ctx context.Context, words io.Writer, s *agent.Session) error {
	changed, stop := s.Watch()
	defer stop()
	soon := time.After(answerSoon)
	for patient := false; ; {
		st := s.State()
		switch {
		case st.Phase == console.In:
			return nil
		case st.Phase == console.Over:
			return errors.New(st.Why)
		case st.Phase == console.Knocking && patient && st.HostName != "":
			patient, soon = false, nil
			fmt.Fprintf(words, "waiting for the answer of %s\n", printable(who(st)))
			if st.Words != nil && !st.Trusted {
				fmt.Fprintf(words, "the customer should see the words: %s\n", printable(strings.Join(st.Words, " ")))
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-soon:
			patient = true
		}
	}
}

// who answers at the other end.
func who(st console.State) string {
	if st.Machine != "" {
		return st.Machine
	}
	if st.Customer != "" {
		return st.Customer
	}
	return st.HostName
}

// obtained sees to the grants and works.
func obtained(ctx context.Context, c *local.Client, want session.Grants, do func(context.Context, *local.Client) error) error {
	if want != 0 {
		if err := c.Obtain(ctx, want); err != nil {
			return err
		}
	}
	return do(ctx, c)
}
