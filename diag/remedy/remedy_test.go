package remedy

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"assist/diag"
)

// victim is a process to end.
func victim(t *testing.T, line string) (*exec.Cmd, chan error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell of POSIX here")
	}
	cmd := exec.Command("/bin/sh", "-c", line)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, done
}

func TestEndsThatProcess(t *testing.T) {
	for _, hard := range []bool{false, true} {
		cmd, done := victim(t, "exec sleep 60")
		detail, do, err := (&Machine{}).Prepare(t.Context(), diag.Deed{End: cmd.Process.Pid, Hard: hard})
		if err != nil || !strings.Contains(detail, "of user") || strings.Contains(detail, "lost") != hard {
			t.Fatalf("%q, %v", detail, err)
		}
		select {
		case <-done:
			t.Fatal("it was ended before anybody said yes")
		default:
		}
		if err := do(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-done; err == nil || !strings.Contains(err.Error(), map[bool]string{false: "terminated", true: "killed"}[hard]) {
			t.Errorf("hard %v: %v", hard, err)
		}
		if err := do(t.Context()); err == nil || !strings.Contains(err.Error(), "ended already") {
			t.Errorf("again: %v", err)
		}
	}
}

func TestWhatIsNotDone(t *testing.T) {
	for name, d := range map[string]diag.Deed{
		"nothing": {}, "itself": {End: os.Getpid()}, "its parent": {End: os.Getppid()}, "nobody": {End: 1<<22 - 1}, "no unit": {Restart: "no-such-thing-9"},
	} {
		if name == "no unit" && systemd() {
			continue // it is systemd that says so, once it is asked
		}
		if _, do, err := (&Machine{}).Prepare(t.Context(), d); err == nil || do != nil {
			t.Errorf("%s was prepared", name)
		}
	}
}
