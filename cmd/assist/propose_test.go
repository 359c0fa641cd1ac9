//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLinkOnlyProposes(t *testing.T) {
	env := []string{"ASSIST_KEYRING=off", "XDG_CONFIG_HOME=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir()}
	open := func(url string, answers ...person) (string, int) {
		if n := len(answers); n > 0 && strings.TrimSpace(answers[n-1].types) != "" { // a yes: nobody is signed in here, and does not want to
			answers = append(answers, person{"Password", "\x1b"})
		}
		return atTerminal(t, env, answers, "url-handler", "open", url)
	}
	const stranger = "assist://join/12345678?relay=evil.example:8443#1.mfrggzdfmztwq2lknnwg23tpobyxe43u"
	for _, c := range []struct {
		url, ask, answer string
		code             int
		want             string
	}{
		{"assist://join/12345678", "Join this session? [y/N]", "\n", exitRefused, "1234 5678"},
		{"assist://join/12345678", "Join this session? [y/N]", "y\n", exitLogin, "compare three words"}, // nobody is signed in here
		{stranger, "Type the relay's name", "no\n", exitRefused, "NEVER signed in"},
		{stranger, "Type the relay's name", "\n", exitRefused, "evil.example:8443"},
		{stranger, "Type the relay's name", "evil.example:8443\n", exitLogin, "host key  in the link"},
	} {
		said, code := open(c.url, person{c.ask, c.answer})
		if code != c.code || !strings.Contains(said, c.ask) || !strings.Contains(said, c.want) {
			t.Errorf("%s answered %q: exit %d, %q", c.url, c.answer, code, said)
		}
	}
	said, code := open("assist://join/12345678?password=x")
	if code != exitUsage || strings.Contains(said, "[y/N]") {
		t.Errorf("a link that sets something: exit %d, %q", code, said)
	}
}

func TestLinkToOwnRelay(t *testing.T) {
	at, stop := runRelay(t)
	defer stop()
	env := []string{"ASSIST_KEYRING=off", "XDG_CONFIG_HOME=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir()}
	said, code := atTerminal(t, env, []person{{"Password", "correct horse\n"}}, "login", at.Addr, "--user", "eve@acme", "--relay-key", string(at.Pin))
	if code != exitOK {
		t.Fatalf("exit %d, %q", code, said)
	}
	for _, url := range []string{"assist://join/12345678", "assist://join/12345678?relay=" + at.Addr} {
		said, code = atTerminal(t, env, []person{{"Join this session? [y/N]", "n\n"}}, "url-handler", "open", url)
		if code != exitRefused || !strings.Contains(said, "relay     "+at.Addr+", where you are signed in") {
			t.Errorf("%s: exit %d, %q", url, code, said)
		}
	}
}

func TestEndAsks(t *testing.T) {
	run, err := os.MkdirTemp("", "ae")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(run)
	env := []string{"XDG_RUNTIME_DIR=" + run, "XDG_STATE_HOME=" + run}
	console := exec.Command("stubconsole", "12345678")
	console.Env = append(os.Environ(), env...)
	if err := console.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = console.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = console.Wait()
	}()
	for deadline := time.Now().Add(scriptPatience); ; time.Sleep(10 * time.Millisecond) {
		if _, code := atTerminal(t, env, nil, "roster"); code == exitOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the console cannot be found")
		}
	}
	const question = "End session 1234 5678 for everyone? [y/N]"
	for answer, want := range map[string]int{"\n": exitRefused, "n\n": exitRefused, "^C": exitInterrupted} {
		if said, code := atTerminal(t, env, []person{{question, answer}}, "end"); code != want {
			t.Errorf("answered %q: exit %d, %q", answer, code, said)
		}
	}
	if said, code := atTerminal(t, env, []person{{question, "y\n"}}, "end"); code != exitOK || !strings.Contains(said, "ended session") {
		t.Errorf("exit %d, %q", code, said)
	}
}
