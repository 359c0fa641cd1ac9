//go:build desktop && lab

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// idleLimit is the share of a core that host and console may take each while nothing happens (issue 5).
const idleLimit = 0.002

// TestBenchIdle looks at a desktop on which nothing moves and prints what host and console take. How many bytes travel is
// counted on virtual time (TestIdleIsFree in session/sessiontest).
func TestBenchIdle(t *testing.T) {
	lasts := time.Minute
	if s := os.Getenv("LASTS"); s != "" {
		var err error
		if lasts, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	display := stillDesktop(t)
	stage := setStage(t, demo.Plan{Display: display})
	argv := append(stage.Console().Args, strings.Fields(os.Getenv("FLAGS"))...)
	term := openTerminal(t, stage.Environment(), 160, 48, argv...)
	term.await("BROWSE", stage.Code[:4]+" "+stage.Code[4:], "verified")
	console, err := strconv.Atoi(strings.TrimSpace(childOf(t, term)))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Second) // until everything has come to rest
	who := []struct {
		name string
		pid  int
	}{{"host", stage.HostPID}, {"console", console}, {"relay", stage.RelayPID}}
	before := make([]cpu, len(who))
	for i, w := range who {
		before[i] = cpuOf(t, w.pid)
	}
	time.Sleep(lasts)
	for i, w := range who {
		after := cpuOf(t, w.pid)
		share := float64(after.run-before[i].run) / float64(lasts)
		fmt.Printf("idle, %s: %.3f %% of a core, %.1f wakes a second\n", w.name, 100*share, float64(after.wakes-before[i].wakes)/lasts.Seconds())
		if share > idleLimit && w.name != "relay" {
			t.Errorf("%s takes %.3f %% of a core, %.1f allowed", w.name, 100*share, 100*idleLimit)
		}
	}
	t.Logf("the console shows:\n%s", firstLines(term.screen(), 2))
}

func firstLines(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}

// stillDesktop is an X server with windows on which nothing moves.
func stillDesktop(t *testing.T) string {
	t.Helper()
	display := emptyDisplay(t, "1920x1080x24")
	for _, argv := range [][]string{
		{"xsetroot", "-solid", "#2e4a62"},
		{"openbox", "--sm-disable"},
		{"xterm", "-geometry", "100x30+40+60", "-e", "sh", "-c", "ls -l /usr/bin | head -20; sleep 1000"},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "DISPLAY="+display)
		launch(t, cmd)
	}
	return display
}

// launch starts a program that ends with the test.
func launch(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// emptyDisplay is an X server of its own.
func emptyDisplay(t *testing.T, geometry string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", geometry, "-nolisten", "tcp", "-noreset")
	x.ExtraFiles = []*os.File{w}
	launch(t, x)
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(number)
}

// childOf is the process that a terminal's shell waits for.
func childOf(t *testing.T, term *pane) string {
	t.Helper()
	shell := strings.TrimSpace(term.tmux("list-panes", "-F", "#{pane_pid}"))
	b, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))[0]
}

// cpu is what a process has used: time on a core, and how often one of its threads was put to rest.
type cpu struct {
	run   time.Duration
	wakes int
}

func cpuOf(t *testing.T, pid int) (c cpu) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, task.Name()))
		if err != nil {
			continue
		}
		ns, _ := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		c.run += time.Duration(ns)
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		for line := range strings.Lines(string(status)) {
			if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				wakes, _ := strconv.Atoi(strings.TrimSpace(n))
				c.wakes += wakes
			}
		}
	}
	return c
}
