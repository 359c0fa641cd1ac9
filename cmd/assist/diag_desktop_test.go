//go:build desktop

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"assist/cmd/assist/demo"
	"assist/diag"
)

// verb runs assist beside a console, with the stage's agent.
func verb(t *testing.T, stage *demo.Stage, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built(t), args...)
	cmd.Env = append(os.Environ(), stage.Environment()...)
	return cmd
}

// The customer allows diagnostics, reads what would go, and the agent sees it in the console, and by a verb through it.
func TestDiagnosticsInAnAttendedSession(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true})
	host, code := openHost(t, stage)
	console := joinByCode(t, stage, code)
	host.await("Let this person in?")
	time.Sleep(6 * time.Second)
	host.keys("y")
	host.await("use your mouse and keyboard")
	time.Sleep(2 * time.Second)
	host.keys("n")
	console.await("BROWSE")

	console.keys("d")
	console.await("DIAGNOSTICS", "the customer is asked whether you may look")
	host.await("read how this machine is doing")
	time.Sleep(2 * time.Second)
	host.keys("y")
	host.await("Allow this once?", "read this report about your computer", "It contains: Identity", "read on")
	console.await("the customer looks at what would be sent")
	if strings.Contains(console.screen(), "The worst") {
		t.Fatal("it went before the customer's yes")
	}
	host.keys("PageDown")
	host.keys("End")
	host.await("Crash dumps")
	time.Sleep(2 * time.Second)
	host.keys("y")
	console.await("Findings", "Disks and space", "load", "▁")
	host.await("looked at the machine's health", "THIS SCREEN IS SHARED")

	cmd := verb(t, stage, "diag", code, "memory", "disks", "--json")
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host.await("Allow this once?")
	time.Sleep(2 * time.Second)
	host.keys("y")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, words.String())
	}
	isReport(t, out.Bytes(), diag.Memory, diag.Disks)

	cmd = verb(t, stage, "diag", code, "memory")
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host.await("Allow this once?")
	time.Sleep(2 * time.Second)
	host.keys("n")
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != exitRefused || !strings.Contains(words.String(), "the customer said no") {
		t.Errorf("exit %d after a no: %s", cmd.ProcessState.ExitCode(), words.String())
	}

	file := filepath.Join(t.TempDir(), "seen.json")
	console.keys("w", "C-u")
	console.text(file)
	console.keys("Enter")
	console.await("saved")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	isReport(t, b, diag.All()...)
}

// isReport checks that bytes are one with these categories.
func isReport(t *testing.T, b []byte, ids ...diag.ID) {
	t.Helper()
	r, err := diag.ParseReport(bytes.TrimSpace(b))
	if err != nil {
		t.Fatalf("%v: %.300s", err, b)
	}
	if len(r.Categories) != len(ids) || len(r.Findings) == 0 {
		t.Errorf("%d categories, %d findings", len(r.Categories), len(r.Findings))
	}
	var plain struct {
		Findings []struct{ ID, Severity, Evidence string }
	}
	if err := json.Unmarshal(b, &plain); err != nil || plain.Findings[0].ID == "" || plain.Findings[0].Evidence == "" {
		t.Errorf("%v: %+v", err, plain)
	}
}

// A script on a machine that says yes by itself, without a console.
func TestDiagnosticsByTheVerbAlone(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true, Host: []string{"--yes", "--allow", "view,diag", "--json"}})
	out, err := verb(t, stage, "diag", stage.Code, "--json").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	isReport(t, out, diag.All()...)

	cmd := verb(t, stage, "diag", stage.Code, "--follow", "--json")
	var lines bytes.Buffer
	cmd.Stdout = &lines
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three seconds of live values", func() bool { return bytes.Count(lines.Bytes(), []byte("\n")) >= 3 })
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("exit %d", cmd.ProcessState.ExitCode())
	}
	first, _, _ := bytes.Cut(lines.Bytes(), []byte("\n"))
	var s diag.Sample
	if err := json.Unmarshal(first, &s); err != nil || s.Memory <= 0 {
		t.Errorf("%s: %v", first, err)
	}
}

// A process is ended when the machine says yes by itself, and only that one.
func TestAProcessIsEndedByAVerb(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true, Host: []string{"--yes", "--allow", "view,diag,run", "--json"}})
	victim := exec.Command("sleep", "300")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = victim.Process.Kill() }()
	done := make(chan error, 1)
	go func() { done <- victim.Wait() }()
	pid := strconv.Itoa(victim.Process.Pid)
	out, err := verb(t, stage, "kill", stage.Code, pid, "--json").Output()
	if err != nil || !strings.Contains(string(out), `{"done":"end process `+pid+` of this computer"}`) {
		t.Fatalf("%v: %s", err, out)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("%v", err)
	}
	cmd := verb(t, stage, "restart", stage.Code, "no-such-unit-9.service")
	words, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(words), "not done") {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), words)
	}
}

// What it costs the customer's host that live values are followed, beside what it uses anyway. Prints it; make bench-diag.
func TestBenchDiagFollowed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the processor time of another process is read from /proc")
	}
	stage := setStage(t, demo.Plan{Script: true, Host: []string{"--yes", "--allow", "view,diag", "--json"}})
	host := childCalled(t, " host ")
	const span = 10 * time.Second
	used := func() (percent float64) {
		from := ticksOf(t, host)
		time.Sleep(span)
		return (ticksOf(t, host) - from) / span.Seconds() // of 100 ticks a second: percent of a core
	}
	idle := used()
	cmd := verb(t, stage, "diag", stage.Code, "--follow", "--json")
	var lines bytes.Buffer
	cmd.Stdout = &lines
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first live value", func() bool { return lines.Len() > 0 })
	followed := used()
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
	fmt.Printf("host while live values are followed: %.2f %% of a core, %.2f %% before (target: 2 %% more)\n", followed, idle)
}

// childCalled is the process of this test's whose command line has words in it.
func childCalled(t *testing.T, words string) string {
	t.Helper()
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		line, _ := os.ReadFile(path)
		stat, _ := os.ReadFile(filepath.Dir(path) + "/stat")
		_, rest, ok := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if ok && len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) && strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), words) {
			return filepath.Dir(path)
		}
	}
	t.Fatalf("no child called %q", words)
	return ""
}

// ticksOf is the processor time of a process, in hundredths of a second.
func ticksOf(t *testing.T, dir string) float64 {
	t.Helper()
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return user + system
}
