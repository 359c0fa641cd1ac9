package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dialLocal opens the socket of a display on this machine, named like :0 or :0.0 or unix:0.
func dialLocal(display string) (fd int, err error) {
	number, ok := numberOf(display)
	if !ok {
		return -1, errNotDirect
	}
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: patience})
	if err == nil {
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: patience})
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: "/tmp/.X11-unix/X" + number})
	}
	if err != nil {
		closeLocal(fd)
		return -1, err
	}
	return fd, nil
}

func closeLocal(fd int) { _ = unix.Close(fd) }

func writeLocal(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func readLocal(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// cookieOf is what the cookie file has for a display of this machine (Xauth(3)), empty where it has nothing.
func cookieOf(display string) (name, cookie string) {
	file := os.Getenv("XAUTHORITY")
	if file == "" {
		file = filepath.Join(os.Getenv("HOME"), ".Xauthority")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", ""
	}
	number, _ := numberOf(display)
	host, _ := os.Hostname()
	const local, wild = 256, 65535
	for len(b) >= 2 {
		family := binary.BigEndian.Uint16(b)
		var field [4]string // address, number, name, cookie
		b = b[2:]
		for i := range field {
			if field[i], b, err = counted16(b); err != nil {
				return "", ""
			}
		}
		if (family == wild || family == local && field[0] == host) && (field[1] == "" || field[1] == number) {
			return field[2], field[3]
		}
	}
	return "", ""
}

func counted16(b []byte) (s string, rest []byte, err error) {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return "", nil, io.ErrUnexpectedEOF
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return string(b[2:n]), b[n:], nil
}
