//go:build desktop

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assist/cmd/assist/demo"
)

// newcomer has an account at the stage's relay and has never signed in.
func newcomer(t *testing.T, stage *demo.Stage, handle string) *colleague {
	t.Helper()
	c := &colleague{name: handle, env: []string{"ASSIST_KEYRING=off"}}
	for _, v := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"} {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		c.env = append(c.env, v+"="+dir)
	}
	c.verb(t, "a long password", "relay", "agent", "add", handle, "--data", stage.RelayData(), "--password-stdin")
	return c
}

func (c *colleague) shot(t *testing.T, name string) {
	if dir := os.Getenv("ASSIST_SHOTS"); dir != "" {
		writeFile(t, filepath.Join(dir, name+".txt"), c.term.tmux("capture-pane", "-e", "-p"), 0o644)
	}
}

// TestFirstScreen comes in by the screen of bare `assist`: a code with dashes, signing in on the way, and later back by the
// list of recent sessions.
func TestFirstScreen(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	c := newcomer(t, stage, "nina@demo")
	c.term = openTerminal(t, c.env, 90, 28, built(t))
	c.term.await("You are not signed in", "Join session", "Start session", "Sign in")
	c.shot(t, "first")
	c.term.text("123-4")
	c.term.keys("Enter")
	c.term.await("8 digits")
	c.term.keys("C-u")
	c.term.text(stage.Code[:4] + "-" + stage.Code[4:])
	c.term.keys("Enter")
	c.term.await("Relay", "Account", "Password")
	c.term.text(stage.Relay)
	c.term.keys("Tab")
	c.term.text("nina@demo")
	c.term.keys("Tab")
	c.term.text("a wrong password")
	if screen := c.term.screen(); strings.Contains(screen, "wrong") {
		t.Errorf("the password is on the screen:\n%s", screen)
	}
	c.shot(t, "signin")
	c.term.keys("Enter")
	c.term.await("This relay is new here", stage.Pin)
	c.shot(t, "newrelay")
	c.term.keys("y")
	c.term.await("wrong account or password")
	c.term.text("a long password")
	c.term.keys("Enter")
	c.term.await("BROWSE", "▀")
	c.term.keys("q")
	c.term.await("Leave, the session goes on")
	c.term.keys("l")
	if code := c.term.awaitExit(); code != "0" {
		t.Fatalf("exit %s", code)
	}

	file := filepath.Join(strings.TrimPrefix(c.env[2], "XDG_STATE_HOME="), "assist", "recent.json")
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Fatalf("what is remembered: %v %v", fi, err)
	}
	c.term = openTerminal(t, c.env, 90, 28, built(t))
	c.term.await("Signed in as nina@demo", "Recent sessions")
	c.term.keys("Down", "Down")
	c.term.await("> Recent sessions")
	c.term.keys("Enter")
	c.term.await("since", stage.Code[:4]+" "+stage.Code[4:])
	c.shot(t, "recent")
	c.term.keys("Enter")
	c.term.await("BROWSE", "▀")
	c.verb(t, "", "end", "--yes")
	c.term.await("ended")
	c.term = openTerminal(t, c.env, 90, 28, built(t))
	c.term.await("Recent sessions")
	c.term.keys("Down", "Down", "Enter")
	c.term.await("over,")
	c.term.keys("Enter")
	c.term.await("That session has ended")
}

// TestJoinSignsInFirst is `assist join` of an agent without a login, and of one that does not want to.
func TestJoinSignsInFirst(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	c := newcomer(t, stage, "nina@demo")
	c.term = openTerminal(t, c.env, 90, 28, built(t), "join", stage.URL)
	c.term.await("Sign in to join session", stage.Relay)
	c.term.keys("Escape")
	if code := c.term.awaitExit(); code != "4" {
		t.Fatalf("exit %s", code)
	}
	c.term = openTerminal(t, c.env, 90, 28, built(t), "join", stage.URL)
	c.term.await("Sign in to join session", stage.Relay)
	c.term.text("nina@demo")
	c.term.keys("Tab")
	c.term.text("a long password")
	c.term.keys("Enter")
	c.term.await("This relay is new here")
	c.term.keys("y")
	c.term.await("BROWSE", "▀", "verified")
}
