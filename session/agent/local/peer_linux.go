package local

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// samePeer says whether the other end of c is a process of this user, as the kernel recorded when it connected or began to
// listen (unix(7), SO_PEERCRED).
func samePeer(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("ask who is there: %w", failed)
	}
	return sameUser(int(cred.Uid))
}

func sameUser(uid int) error {
	if uid != os.Getuid() {
		return fmt.Errorf("user %d is not the owner of this session", uid)
	}
	return nil
}
