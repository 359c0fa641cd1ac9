//go:build !linux

package tunnel

import "syscall"

// Control sets what a tunnel's TCP socket needs.
func Control(_, _ string, _ syscall.RawConn) error { return nil }
