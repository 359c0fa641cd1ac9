//go:build unix

package transfer

import (
	"os"

	"golang.org/x/sys/unix"

	"assist/session/inner"
)

// lock sees to it that one program at a time writes to a part. It lasts until the file is closed.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return No(inner.FileBusy, "it is being sent already")
	}
	return err
}
