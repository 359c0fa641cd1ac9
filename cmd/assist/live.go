package main

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
	"assist/session/inner"
)

// liveChoice is how a verb is told which of this user's live sessions it is about, and how to print.
type liveChoice struct {
	code string
	json bool
}

func (c *liveChoice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.code, "session", "", "code of the session (default the newest live one of yours)")
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("session", completeSessions)
}

// dial finds the console of the session.
func (c *liveChoice) dial() (*local.Client, error) {
	code := ""
	if c.code != "" {
		var err error
		if code, err = inner.ParseCode(c.code); err != nil {
			return nil, usage(err, "assist sessions lists the live ones")
		}
	}
	client, err := local.Dial(code)
	return client, explainLive(err)
}

// explainLive gives what a running console answers its exit code and its hint.
func explainLive(err error) error {
	var no *local.Error
	switch {
	case errors.Is(err, local.ErrNoSession):
		return &exitError{
			Code: exitFailed, Err: err,
			Hint: "assist join CODE or assist start in another terminal begins one; assist sessions lists those of this user on this machine",
		}
	case !errors.As(err, &no):
		return err
	}
	switch no.Code {
	case local.Declined:
		return &exitError{Code: exitRefused, Err: err, Hint: "you are still in the session; assist roster shows who leads it"}
	case local.Denied:
		return &exitError{Code: exitRefused, Err: err, Hint: "talk to the customer before you try again"}
	case local.NoMember, local.Ambiguous:
		return &exitError{Code: exitFailed, Err: err, Hint: "assist roster lists who is there"}
	case local.BadRequest:
		return usage(err, "")
	case local.NoAnswer:
		return &exitError{Code: exitFailed, Err: err, Hint: "the console goes on trying; ask again when it has contact"}
	}
	return err
}

// printJSON prints one object or array on a line.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// confirm asks a person, or is content with a flag that said yes. Without either the verb does not go on.
func confirm(cmd *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	if _, person := terminal(cmd); !person {
		return usage(errors.New("no terminal to ask: "+question), "--yes says yes")
	}
	answer, err := ask(cmd, question+" [y/N] ")
	if err != nil {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return &exitError{Code: exitRefused, Err: errors.New("not done")}
	}
	return nil
}
