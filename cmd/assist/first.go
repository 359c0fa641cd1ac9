package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent"
	"assist/session/agent/account"
	"assist/session/broker"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/tui"
	"assist/tui/start"
)

// first is `assist` without a verb: a screen to choose from where a person sits at a terminal, else the help.
func first(cmd *cobra.Command, _ []string) error {
	if !seated(cmd) {
		return cmd.Help()
	}
	book := account.Open(cmd.ErrOrStderr())
	opt := start.Options{Check: readOut, SignIn: signIn(book), Recent: recent(book), Machines: machinesOf}
	switch login, err := book.Login(""); {
	case err == nil && login.Token != "":
		opt.User, opt.Relay = login.User, login.Relay.Addr
	case err != nil && !errors.Is(err, account.ErrNone):
		return err
	}
	choice, err := tui.Start(cmd.Context(), tui.Options{}, opt)
	if err != nil {
		return err
	}
	var f consoleFlags
	f.flags(&cobra.Command{}) // as they are by default
	switch choice.Do {
	case start.Join:
		return f.join(cmd, choice.Text)
	case start.Begin:
		return f.start(cmd)
	case start.Go:
		return (&connectFlags{consoleFlags: f}).connect(cmd, choice.Text)
	}
	return nil
}

// machinesOf lists the machines of the default login.
func machinesOf(ctx context.Context) ([]start.Machine, error) {
	book := account.Open(io.Discard)
	login, err := book.Login("")
	if err != nil {
		return nil, err
	}
	v, err := book.Dial(ctx, login.Relay.Addr, login.Relay.Pin, software())
	if err != nil {
		return nil, inWords(err)
	}
	defer v.Close()
	all, err := v.Machines(ctx, "")
	if err != nil {
		return nil, inWords(err)
	}
	var out []start.Machine
	for _, m := range all {
		line, err := machineOf(m, book.Machines(login.Relay.Addr))
		if err != nil {
			return nil, err
		}
		one := start.Machine{Name: line.Name, Note: strings.Join(append(line.Tags, line.OS), ", ")}
		switch {
		case line.Changed:
			one.Note, one.Why = "another key", "This machine has another key than it had. Look into that first: assist machines"
		case !line.Online:
			one.Note, one.Why = "not connected", "This machine is not connected to the relay now."
		}
		out = append(out, one)
	}
	return out, nil
}

// seated says whether somebody sits at this program's terminal.
func seated(cmd *cobra.Command) bool {
	_, in := terminal(cmd)
	return in && isTerminal(cmd.OutOrStdout())
}

// readOut checks what is to be joined.
func readOut(text string) (string, error) {
	invite, err := inner.ParseJoin(text)
	return inner.SpacedCode(invite.Code), err
}

// recent is what the first screen tells of earlier sessions. A list that cannot be read is empty.
func recent(book *account.Book) (out []start.Recent) {
	all, _ := book.Recent(time.Now())
	for _, r := range all {
		join := r.URL
		if join == "" {
			join = r.Code
		}
		out = append(out, start.Recent{Join: join, Name: inner.SpacedCode(r.Code) + "  " + r.Customer + ", " + r.Machine, When: r.Began, Over: r.Over})
	}
	return out
}

// signIn signs in for the screen; errors are in the words of the command line.
func signIn(book *account.Book) func(context.Context, start.SignIn) (string, error) {
	return func(ctx context.Context, in start.SignIn) (string, error) {
		addr, pin, err := relayFlag(in.Relay, in.Key)
		if err != nil {
			return "", err
		}
		if _, _, err := broker.ParseHandle(in.User); err != nil {
			return "", err
		}
		v, err := book.Dial(ctx, addr, pin, software())
		var key *transport.RelayKeyError
		if errors.As(err, &key) && key.Want == "" {
			return "", &start.NewRelayError{Relay: addr, Key: string(key.Got)}
		}
		if err != nil {
			return "", inWords(err)
		}
		defer v.Close()
		a, err := v.Login(ctx, in.User, in.Password, deviceName())
		if err != nil {
			return "", inWords(err)
		}
		return account.Handle(a), nil
	}
}

// inWords is an error as the command line would tell it.
func inWords(err error) error {
	text, hint, _ := explain(&begunError{err})
	if hint != "" {
		text += ". " + hint
	}
	return errors.New(text)
}

// askToSignIn lets a person sign in, in order to do something. It gives up with the error that made it necessary.
func (f *consoleFlags) askToSignIn(cmd *cobra.Command, what string, needed error) error {
	if !seated(cmd) {
		return needed
	}
	book := account.Open(cmd.ErrOrStderr())
	opt := start.Options{Joining: what, Relay: f.addr, SignIn: signIn(book)}
	if login, err := book.Login(f.addr); err == nil {
		opt.Relay, opt.User = login.Relay.Addr, login.User
	}
	choice, err := tui.Start(cmd.Context(), tui.Options{}, opt)
	if err != nil {
		return err
	}
	if choice.Do != start.SignedIn {
		return needed
	}
	f.addr = choice.Relay
	return nil
}

// needsLogin says whether signing in would help.
func needsLogin(err error) bool {
	return errors.Is(err, account.ErrNone) || errors.Is(err, agent.ErrLoginNeeded)
}

// remember writes down where the agent is, once in, and again when the console is over.
func remember(ctx context.Context, s *agent.Session, relay transport.Relay) error {
	changed, stop := s.Watch()
	defer stop()
	book := account.Open(io.Discard) // what it warns of was said before
	var known account.Recent
	for {
		st := s.State()
		if st.Phase == console.In && known.Code == "" {
			known = account.Recent{Code: st.Code, Relay: relay.Addr, Machine: st.HostName, Customer: st.Customer, Began: time.Now()}
			if st.Trusted {
				known.URL = st.URL
			}
			if err := book.Remember(time.Now(), known); err != nil {
				return fmt.Errorf("remember the session: %w", err)
			}
		}
		if st.Phase == console.Over {
			if known.Over = st.Err == nil && st.Why != agent.WhyLeft; known.Code == "" || !known.Over {
				return nil
			}
			return book.Remember(time.Now(), known)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
