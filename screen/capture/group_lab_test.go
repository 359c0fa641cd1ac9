//go:build lab

package capture

import (
	"os/exec"
	"syscall"
)

var ownGroup = &syscall.SysProcAttr{Setpgid: true}

// stop ends a process that start started with all that it started, and waits for it. Twice is fine.
func stop(cmd *exec.Cmd) {
	if cmd.ProcessState != nil {
		return
	}
	if cmd.SysProcAttr == ownGroup {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	} else {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
}
