//go:build desktop

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
	"assist/session/agent"
	"assist/session/console"
)

// patience is how long a test waits for what has to happen; it is no measure of speed.
const patience = 20 * time.Second

// built is the binary: what these tests look at is what people get.
func built(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "assist"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: `make build` comes first", err)
	}
	return path
}

// setStage starts relay, host and desktop for the time of the test.
func setStage(t *testing.T, plan demo.Plan) *demo.Stage {
	t.Helper()
	plan.Program = built(t)
	stage, err := demo.Set(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stage.Strike)
	return stage
}

// joinStage takes an agent's seat in the stage's session, without a terminal.
func joinStage(t *testing.T, stage *demo.Stage) *agent.Session {
	t.Helper()
	for _, v := range stage.Environment() { // stageConfig sets them; the test puts them back
		name, _, _ := strings.Cut(v, "=")
		t.Setenv(name, "")
	}
	cfg, err := stageConfig(root(), stage)
	if err != nil {
		t.Fatal(err)
	}
	seat := agent.Join(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- seat.Run(ctx) }()
	t.Cleanup(func() {
		seat.Close()
		if err := <-done; err != nil {
			t.Errorf("the console's session: %v", err)
		}
		cancel()
	})
	return seat
}

func awaitState(t *testing.T, seat *agent.Session, cond func(console.State) bool) {
	t.Helper()
	eventually(t, "the session's state", func() bool { return cond(seat.State()) })
}

// eventually waits for cond.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if cond() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func awaitFile(t *testing.T, name, text string) {
	t.Helper()
	eventually(t, strconv.Quote(text)+" in "+filepath.Base(name), func() bool {
		b, _ := os.ReadFile(name)
		return strings.Contains(string(b), text)
	})
}

// pane is a terminal: a tmux server of its own with one window.
type pane struct {
	t      *testing.T
	socket string
}

// openTerminal runs argv in a new terminal of that size.
func openTerminal(t *testing.T, env []string, width, height int, argv ...string) *pane {
	t.Helper()
	dir, err := os.MkdirTemp("", "pane-") // what runs in it may write there until it has noticed that tmux is gone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	term := &pane{t: t, socket: filepath.Join(dir, "tmux")}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height)}
	for _, e := range env {
		args = append(args, "-e", e)
	}
	args = append(args, "--", "sh", "-c", `"$@"; echo "[exit $?]"; exec sleep 1000`, "sh")
	term.tmux(append(args, argv...)...)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	return term
}

func (term *pane) tmux(args ...string) string {
	term.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v: %s", args, err, out)
	}
	return string(out)
}

func (term *pane) keys(names ...string) {
	term.t.Helper()
	term.tmux(append([]string{"send-keys"}, names...)...)
}

func (term *pane) text(s string) { term.t.Helper(); term.tmux("send-keys", "-l", s) }

func (term *pane) screen() string { term.t.Helper(); return term.tmux("capture-pane", "-p") }

var exited = regexp.MustCompile(`\[exit (\d+)\]`)

// awaitExit waits for the program to end and returns its exit code.
func (term *pane) awaitExit() (code string) {
	term.t.Helper()
	eventually(term.t, "the program to end", func() bool {
		found := exited.FindStringSubmatch(term.screen())
		if found != nil {
			code = found[1]
		}
		return found != nil
	})
	return code
}

func (term *pane) await(words ...string) {
	term.t.Helper()
	var last string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		last = term.screen()
		found := true
		for _, w := range words {
			found = found && strings.Contains(last, w)
		}
		if found {
			return
		}
	}
	term.t.Fatalf("waited in vain for %q; the screen shows:\n%s", words, last)
}
