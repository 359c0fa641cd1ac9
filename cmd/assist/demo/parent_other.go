//go:build !linux

package demo

import "os/exec"

// dieWithParent needs a kernel that can do it.
func dieWithParent(*exec.Cmd) {}
