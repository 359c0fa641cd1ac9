//go:build desktop

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"assist/cmd/assist/demo"
)

// TestConsoleOverSSH opens the console in a login to this machine by ssh, with a server and keys of its own.
func TestConsoleOverSSH(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	ssh := startSSH(t)
	command := strings.Join(append([]string{"env", "COLORTERM=truecolor"}, stage.Environment()...), " ") + " " + built(t) + " join '" + stage.URL + "'"
	term := openTerminal(t, nil, 120, 36, append(ssh, command)...)
	term.await("BROWSE", "verified", "▀")
	term.keys("c")
	term.await("CONTROL")
	click(term, 30, 12)
	term.text("über ssh getippt €")
	term.keys("Enter")
	awaitFile(t, stage.Typed, "über ssh getippt €\n")
	term.keys("C-]")
	term.await("BROWSE")
	term.keys("q")
	term.await("End session for everyone")
	term.keys("e")
	if code := term.awaitExit(); code != "0" {
		t.Errorf("exit code %s", code)
	}
}

// startSSH starts a server on loopback and returns the client's command line, to which the command to run is added.
func startSSH(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"host", "me"} {
		runTool(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name))
	}
	port := freePort(t)
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %d\nHostKey %s/host\nAuthorizedKeysFile %s/me.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\n"+
		"SetEnv HOME=%s\n", port, dir, dir, dir) // what a login shell reads at home is no part of the test
	conf := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(conf, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", conf)
	if err := server.Start(); err != nil {
		t.Fatalf("%v (openssh-server comes with `make deps-test`)", err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	eventually(t, "sshd to listen", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"ssh", "-tt", "-F", "/dev/null", "-p", fmt.Sprint(port), "-i", filepath.Join(dir, "me"), "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", me.Username + "@127.0.0.1",
	}
}

func runTool(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", argv, err, out)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
