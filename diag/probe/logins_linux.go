package probe

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"time"
)

// login is one record of wtmp or btmp: utmp(5).
type login struct {
	kind int
	line string
	user string
	host string
	at   time.Time
}

// The kinds that matter here.
const (
	loginDown    = 1 // RUN_LVL, with the user "shutdown"
	loginBoot    = 2 // BOOT_TIME
	loginUser    = 7 // USER_PROCESS
	loginFailed  = 6 // LOGIN_PROCESS, as sshd writes it into btmp
	maxLogins    = 4096
	shortLogin   = 384 // bytes of a record on amd64 and most others
	longLogin    = 400 // bytes where time has 64 bits: arm64
	utmpHostFrom = 76
)

// logins reads the newest records of a file, oldest first.
func (m *Machine) logins(path string) ([]login, error) {
	f, err := os.Open(m.at(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := int64(shortLogin)
	if fi.Size()%shortLogin != 0 && fi.Size()%longLogin == 0 {
		size = longLogin
	}
	n := min(fi.Size()/size, maxLogins)
	b := make([]byte, n*size)
	if _, err := f.ReadAt(b, (fi.Size()/size-n)*size); err != nil && err != io.EOF {
		return nil, err
	}
	out := make([]login, 0, n)
	for ; len(b) >= int(size); b = b[size:] {
		out = append(out, parseLogin(b[:size]))
	}
	return out, nil
}

func parseLogin(b []byte) login {
	text := func(from, n int) string {
		s, _, _ := bytes.Cut(b[from:from+n], []byte{0})
		return string(s)
	}
	e := login{
		kind: int(binary.NativeEndian.Uint16(b)), line: text(8, 32), user: text(44, 32), host: text(utmpHostFrom, 256),
	}
	if len(b) == longLogin {
		e.at = time.Unix(int64(binary.NativeEndian.Uint64(b[344:])), 0)
	} else {
		e.at = time.Unix(int64(binary.NativeEndian.Uint32(b[340:])), 0)
	}
	if e.kind == loginDown && e.user != "shutdown" {
		e.kind = 0
	}
	return e
}
