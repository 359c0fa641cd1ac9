package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"assist/chat"
	"assist/session/agent/account"
	"assist/session/agent/local"
)

// completeTime is how long a shell waits for what can be completed; then nothing is offered.
const completeTime = 300 * time.Millisecond

// completeTargets offers what a verb can work on: live sessions, newest first, and the machines that were met.
func completeTargets(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return append(liveCodes(cmd.Context()), knownMachines()...), cobra.ShellCompDirectiveNoFileComp
}

// completeSessions offers the codes of live sessions.
func completeSessions(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return liveCodes(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
}

// completeMachines offers the machines that were met.
func completeMachines(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return knownMachines(), cobra.ShellCompDirectiveNoFileComp
}

// completeMembers offers the agents of the session that f is about.
func (f *liveChoice) completeMembers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := f.dial()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
	defer cancel()
	all, _ := c.Roster(ctx) // silent: a shell is in the middle of a line
	var out []cobra.Completion
	for _, m := range all {
		if m.Role != "customer" && m.State == "here" {
			out = append(out, cobra.CompletionWithDesc(chat.Name(m.Name), printable(strings.TrimSpace(m.Org+" "+m.Role))))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// knownMachines are the machines that this user has met at the relay of the login.
func knownMachines() []cobra.Completion {
	book := account.Open(io.Discard)
	relays, _ := book.Relays()
	var out []cobra.Completion
	for _, addr := range relays {
		out = append(out, book.Machines(addr).Known()...)
	}
	return out
}

// liveCodes are the codes of this user's live sessions, newest first, each with who is helped.
func liveCodes(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, s := range liveSoon(ctx) {
		who := s.Customer
		if s.Machine != "" {
			who = s.Machine
		}
		out = append(out, cobra.CompletionWithDesc(s.Code, printable("session with "+who)))
	}
	return out
}

// liveSoon asks the consoles that answer at once.
func liveSoon(ctx context.Context) []local.Session {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	done := make(chan []local.Session, 1)
	go func() { done <- local.Live(ctx) }() // ends with ctx, or with the process
	select {
	case all := <-done:
		return all
	case <-ctx.Done():
		return nil
	}
}
