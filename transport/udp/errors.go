package udp

import (
	"errors"
	"net"
	"os"
)

// transientSend says whether a failed send may work later. EMSGSIZE is left to quic-go, which takes it as an answer about
// the path, and EIO too, which it takes as "no GSO here"; every other error would make it close the connection.
func transientSend(err error) bool {
	return err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) &&
		!errors.Is(err, errTooLong) && !errors.Is(err, errNoOffload)
}

// transientRead says whether reading may go on: the error was about one packet, or about an earlier send.
func transientRead(err error) bool {
	return !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) && isErrno(err)
}
