//go:build desktop

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// colleague is one more agent with an account and folders of their own.
type colleague struct {
	name string
	env  []string
	term *pane
}

// hire makes an account at the stage's relay and signs in.
func hire(t *testing.T, stage *demo.Stage, handle string) *colleague {
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
	c.verb(t, "a long password", "login", stage.Relay, "--user", handle, "--password-stdin", "--relay-key", stage.Pin)
	return c
}

// verb runs a verb in one of the agent's shells and returns what it prints.
func (c *colleague) verb(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(built(t), args...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdin = strings.NewReader(stdin)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("assist %s: %v: %s%s", args, err, out, words.String())
	}
	return string(out)
}

func (c *colleague) join(t *testing.T, url string) {
	t.Helper()
	c.term = openTerminal(t, c.env, 120, 36, built(t), "join", url)
	c.term.await("BROWSE", "▀")
}

// TestFiveAgentsTogether is a session of five agents of two organisations, in five terminals, on one desktop.
func TestFiveAgentsTogether(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	boss := &colleague{name: "boss", env: nil}
	boss.verb(t, "", "relay", "org", "add", "beta", "--title", "Beta GmbH", "--data", stage.RelayData())
	var all []*colleague
	for _, handle := range []string{"anna@demo", "bob@beta", "cleo@demo", "dora@beta", "emil@demo"} {
		c := hire(t, stage, handle)
		c.join(t, stage.URL)
		all = append(all, c)
	}

	step := func(name string, do func(t *testing.T)) {
		if t.Failed() {
			return
		}
		t.Run(name, func(t *testing.T) {
			for _, c := range all {
				c.term.t = t
			}
			do(t)
		})
	}
	step("everyone is in every roster", func(t *testing.T) {
		for _, c := range all {
			var members []struct{ Name, Org, Role, State string }
			eventually(t, "six members in the roster", func() bool {
				if err := json.Unmarshal([]byte(c.verb(t, "", "roster", "--json")), &members); err != nil {
					t.Fatal(err)
				}
				return len(members) == 6
			})
			if members[1].Name != "anna" || members[1].Role != "lead" || members[2].Org != "Beta GmbH" {
				t.Errorf("%s sees %+v", c.name, members)
			}
		}
	})
	step("everyone types", func(t *testing.T) {
		for _, c := range all {
			c.term.keys("c")
			c.term.await("CONTROL")
			click(c.term, 30, 12)
			c.term.text("typed by " + c.name)
			c.term.keys("Enter")
			awaitFile(t, stage.Typed, "typed by "+c.name+"\n")
			c.term.keys("C-]")
			c.term.await("BROWSE")
		}
	})
	step("everyone reads in one order", func(t *testing.T) {
		for i, c := range all {
			c.verb(t, "", "say", "--lane", "all", fmt.Sprintf("word %d of %s", i, c.name))
		}
		var first string
		for _, c := range all {
			var said string
			eventually(t, "all words", func() bool {
				said = c.verb(t, "", "chat", "--json")
				return strings.Count(said, `"kind":"said"`) == len(all)
			})
			if first == "" {
				first = said
			} else if said != first {
				t.Errorf("%s reads\n%s\nanna reads\n%s", c.name, said, first)
			}
		}
	})
	step("the lead hands over and leaves", func(t *testing.T) {
		done := make(chan string, 1)
		go func() {
			cmd := exec.Command(built(t), "handover", "bob", "--json")
			cmd.Env = append(os.Environ(), all[0].env...)
			out, err := cmd.CombinedOutput()
			done <- fmt.Sprint(string(out), err)
		}()
		all[1].term.await("accept the lead")
		time.Sleep(1500 * time.Millisecond) // the first keys after a dialog opened by itself are swallowed
		all[1].term.keys("a")
		t.Log(<-done)
		awaitLead(t, all[2], "bob")
		all[0].term.keys("q")
		all[0].term.await("Leave, the session goes on")
		all[0].term.keys("y")
		all[0].term.awaitExit()
	})
	step("the lead leaves, the session goes on", func(t *testing.T) {
		all[1].term.keys("q")
		all[1].term.await("Leave, the session goes on")
		all[1].term.keys("l")
		all[1].term.awaitExit()
		awaitLead(t, all[2], "cleo")
		all[3].term.await("bob left")
	})
	step("the lead ends it for everyone", func(t *testing.T) {
		all[2].verb(t, "", "end", "--yes", "--json")
		for _, c := range all[2:] {
			c.term.await("ended")
			time.Sleep(1500 * time.Millisecond) // so that nobody closes by a key meant for the session what has to be read
			c.term.keys("q")
			c.term.awaitExit()
		}
	})
}

func awaitLead(t *testing.T, c *colleague, name string) {
	t.Helper()
	eventually(t, name+" to lead", func() bool {
		var members []struct{ Name, Role string }
		if err := json.Unmarshal([]byte(c.verb(t, "", "roster", "--json")), &members); err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			if m.Role == "lead" {
				return m.Name == name
			}
		}
		return false
	})
}
