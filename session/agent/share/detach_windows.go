package share

import "os/exec"

func detach(*exec.Cmd) {}
