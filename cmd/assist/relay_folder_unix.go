//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// occupy lets only one relay serve from a data folder: who is connected where is in its memory. The lock goes with the process.
func occupy(dir string) (free func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "relay.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, &exitError{
			Code: exitFailed, Err: errors.New("another relay serves from " + dir),
			Hint: "--data takes another folder; each relay needs one of its own",
		}
	}
	return func() { _ = f.Close() }, nil
}
