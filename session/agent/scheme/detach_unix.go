//go:build unix

package scheme

import (
	"os/exec"
	"syscall"
)

// detach lets the window live on when the desktop ends who started it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
