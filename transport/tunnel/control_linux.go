package tunnel

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel may hold that it has not sent: what waits longer waits in the outbox, where it is dropped
// when it is too much, and where what is newer does not stand behind seconds of it.
const unsent = 16 << 10

// Control sets what a tunnel's TCP socket needs (tcp(7), TCP_NODELAY is Go's default); a listener hands it on to its connections.
func Control(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) // without it there is only more delay
	})
}
