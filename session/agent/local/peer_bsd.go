//go:build darwin || freebsd

package local

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// samePeer says whether the other end of c is a process of this user, as the kernel recorded when it connected or began to
// listen (unix(4), LOCAL_PEERCRED).
func samePeer(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Xucred
	var failed error
	if err := raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptXucred(int(fd), 0, unix.LOCAL_PEERCRED) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("ask who is there: %w", failed)
	}
	if int(cred.Uid) != os.Getuid() {
		return fmt.Errorf("user %d is not the owner of this session", cred.Uid)
	}
	return nil
}
