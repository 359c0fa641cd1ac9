package process

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// exited waits until a child has ended and leaves it there, so that its number stays its own.
func exited(cmd *exec.Cmd) {
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
