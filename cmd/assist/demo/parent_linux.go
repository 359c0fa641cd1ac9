package demo

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the kernel end the child when the demo itself is killed (prctl(2), PR_SET_PDEATHSIG).
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
