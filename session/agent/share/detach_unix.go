//go:build unix

package share

import (
	"os/exec"
	"syscall"
)

// detach lets the program live on without our terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
