//go:build unix

package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// mine says whether this user owns the file.
func mine(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// closed says whether only the owner can get at the file.
func closed(fi fs.FileInfo) bool { return fi.Mode().Perm()&0o077 == 0 }

func isSocket(fi fs.FileInfo) bool { return fi.Mode()&fs.ModeSocket != 0 }

// nobodyListens says whether a socket is what a dead process left behind (connect(2): ECONNREFUSED).
func nobodyListens(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
