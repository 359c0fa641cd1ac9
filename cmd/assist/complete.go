package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"assist/session/agent/local"
	"assist/session/inner"
)

// completeTime is how long a shell waits for what can be completed; then nothing is offered.
const completeTime = 300 * time.Millisecond

// liveCodes are the codes and machines of this user's live sessions, newest first, each with who is helped.
func liveCodes(ctx context.Context) []cobra.Completion {
	var out []cobra.Completion
	for _, s := range liveSoon(ctx) {
		name := s.Code
		if s.Machine != "" {
			name = s.Machine
		}
		out = append(out, cobra.CompletionWithDesc(name, printable("session "+inner.SpacedCode(s.Code)+" "+s.Customer)))
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
