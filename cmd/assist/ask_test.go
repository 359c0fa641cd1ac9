//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"assist/transport"
)

// person sits at a terminal: when the program has said what he waits for, he types his answer.
type person struct{ waitsFor, types string }

// atTerminal runs assist in a terminal of its own; each answer is given once. A "^C" is a control character.
func atTerminal(t *testing.T, env []string, answers []person, args ...string) (said string, code int) {
	t.Helper()
	cmd := exec.Command("assist", args...) // put into PATH by TestMain
	cmd.Env = append(os.Environ(), env...)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	giveUp := time.AfterFunc(scriptPatience, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	b := make([]byte, 4096)
	for {
		n, err := tty.Read(b)
		said += string(b[:n])
		if err != nil { // EIO: the program has gone
			break
		}
		for len(answers) > 0 && strings.Contains(said, answers[0].waitsFor) {
			if _, err := tty.WriteString(strings.ReplaceAll(answers[0].types, "^C", "\x03")); err != nil {
				t.Fatal(err)
			}
			answers = answers[1:]
		}
	}
	_ = cmd.Wait() // the exit code says it
	return said, cmd.ProcessState.ExitCode()
}

func TestLoginAtATerminal(t *testing.T) {
	at, stop := runRelay(t)
	defer stop()
	env := []string{"ASSIST_KEYRING=off", "XDG_CONFIG_HOME=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir()}
	login := func(answers ...person) (string, int) { return atTerminal(t, env, answers, "login", at.Addr) }

	said, code := login(person{"(yes/no)", "no\n"})
	if code != exitRelay || !strings.Contains(said, string(at.Pin)) || strings.Contains(said, "Password") {
		t.Errorf("the relay is not trusted: exit %d, %q", code, said)
	}
	yes, user := person{"(yes/no)", "yes\n"}, person{"(NAME@ORG)", "eve@acme\n"}
	said, code = login(yes, user, person{"Password for eve@acme", "^C"})
	if code != exitInterrupted {
		t.Errorf("interrupted at the password: exit %d, %q", code, said)
	}
	said, code = login(yes, user, person{"Password for eve@acme", "correct horse\n"})
	if code != exitOK || !strings.Contains(said, "logged in at "+at.Addr+" as eve@acme of Acme Ltd") || strings.Contains(said, "horse") {
		t.Errorf("exit %d, %q", code, said)
	}
	said, code = login(user, person{"Password for eve@acme", "correct horse\n"})
	if code != exitOK || strings.Contains(said, "first time") {
		t.Errorf("the second time: exit %d, %q", code, said)
	}
	if strings.ContainsRune(said, '\x1b') {
		t.Errorf("words with escape sequences: %q", said)
	}
	said, code = atTerminal(t, env, nil, "login", at.Addr, "--relay-key", string(transport.Fingerprint{}.Pin()))
	if code != exitRelay || !strings.Contains(said, "NOT the relay") {
		t.Errorf("a relay with another key: exit %d, %q", code, said)
	}
}
