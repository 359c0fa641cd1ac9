package udp

import (
	"errors"

	"golang.org/x/sys/windows"
)

const (
	errTooLong   = windows.WSAEMSGSIZE
	errNoOffload = windows.WSAEOPNOTSUPP
)

// isErrno says whether err is one of those that recvfrom reports about one packet: it did not fit the buffer, or an earlier
// send met a closed port (learn.microsoft.com: recvfrom, WSAECONNRESET and WSAENETRESET).
func isErrno(err error) bool {
	return errors.Is(err, windows.WSAEMSGSIZE) || errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAENETRESET)
}
