package local

import (
	"errors"
	"io/fs"
	"net"

	"golang.org/x/sys/windows"
)

// On Windows the folder, which lies in the user's profile, keeps others out; a socket has no owner that could be asked.
func mine(fs.FileInfo) bool   { return true }
func closed(fs.FileInfo) bool { return true }

// isSocket: Go shows a socket, a reparse point, as irregular.
func isSocket(fi fs.FileInfo) bool { return fi.Mode()&(fs.ModeSocket|fs.ModeIrregular) != 0 }

func nobodyListens(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

func samePeer(*net.UnixConn) error { return nil }
