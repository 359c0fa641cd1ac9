//go:build unix

package udp

import (
	"errors"
	"syscall"
)

const (
	errTooLong   = syscall.EMSGSIZE
	errNoOffload = syscall.EIO
)

// isErrno says whether err is one of those that reading a UDP socket may report about something else than the socket itself
// (ip(7), udp(7): pending ICMP errors, memory, interruption).
func isErrno(err error) bool {
	for _, e := range []syscall.Errno{
		syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN,
		syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR, syscall.EAGAIN, syscall.EMSGSIZE, syscall.EPERM, syscall.EACCES,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
