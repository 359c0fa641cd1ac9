//go:build desktop

package main

import (
	"strings"
	"syscall"
	"testing"

	"assist/cmd/assist/demo"
)

// TestWhatTheAgentIsTold runs the program in a terminal where it cannot get into a session, and reads what it leaves there.
func TestWhatTheAgentIsTold(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	badKey := stage.URL[:strings.Index(stage.URL, "#")] + "#1." + strings.Repeat("a", 32)
	run := func(name, exit string, says []string, argv ...string) {
		t.Run(name, func(t *testing.T) {
			term := openTerminal(t, stage.Environment(), 100, 30, argv...)
			code := term.awaitExit()
			left := term.screen()
			if code != exit {
				t.Errorf("exit code %s, want %s", code, exit)
			}
			for _, s := range says {
				if !strings.Contains(strings.ReplaceAll(left, "\n", ""), s) {
					t.Errorf("it does not say %q:\n%s", s, left)
				}
			}
		})
	}
	tell := func(name, exit string, says []string, args ...string) {
		run(name, exit, says, append([]string{built(t)}, args...)...)
	}
	tell("wrong code", "5", []string{"assist: this code is unknown or has expired", "hint: "}, "join", "00000000")
	tell("no code", "2", []string{"assist: a code has 8 digits", "hint: "}, "join", "123")
	tell("wrong host key", "1", []string{"assist: this is NOT the host", "hint: "}, "join", badKey)
	tell("wrong relay key", "6", []string{"assist: this is NOT the relay", "hint: "}, "join", stage.Code, "--relay-key", "1."+strings.Repeat("b", 32))
	run("no login, and nobody to ask", "4", []string{"assist: not logged in", "hint: assist login"},
		"sh", "-c", `exec "$0" "$@" </dev/null`, built(t), "join", stage.Code, "--relay", "127.0.0.1:9")
	tell("no display", "1", []string{"assist: display :4711", "hint: "}, "host", "--relay", stage.Relay, "--relay-key", stage.Pin, "--display", ":4711")
	if err := syscall.Kill(stage.RelayPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	tell("no relay", "6", []string{"assist: no relay answers at 127.0.0.1", "hint: "}, "join", stage.Code)
}
