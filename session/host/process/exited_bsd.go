//go:build unix && !linux

package process

import "os/exec"

// exited waits until a child has ended; the second Wait only looks at its state.
func exited(cmd *exec.Cmd) { _ = cmd.Wait() }
