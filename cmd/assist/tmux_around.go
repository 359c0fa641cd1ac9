package main

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// How long tmux may take to answer, and how often and in what time it is asked again while it does not know a terminal's name.
const (
	aroundTime  = 2 * time.Second
	aroundTries = 4
	aroundAgain = 400 * time.Millisecond
)

// tmuxAround asks the tmux that this runs in for the terminals that show it, by their own names, and whether it lets images through to
// them; nil where there is no tmux.
func tmuxAround(ctx context.Context) func() (terminals []string, passes bool) {
	pane := os.Getenv("TMUX_PANE")
	if os.Getenv("TMUX") == "" || pane == "" {
		return nil
	}
	ask := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, aroundTime)
		defer cancel()
		out, err := exec.CommandContext(ctx, "tmux", args...).Output()
		return strings.TrimSuffix(string(out), "\n"), err
	}
	return func() (terminals []string, passes bool) {
		for range aroundTries { // a terminal that tmux has just been started in has not told it its name yet
			names, err := ask("list-clients", "-t", pane, "-F", "#{client_termtype}")
			if err != nil {
				return nil, false
			}
			terminals = strings.Split(names, "\n")
			if !slices.Contains(terminals, "") {
				break
			}
			time.Sleep(aroundAgain)
		}
		word, err := ask("show-options", "-pAv", "-t", pane, "allow-passthrough")
		return terminals, err == nil && (word == "on" || word == "all")
	}
}
