package local

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// folders are where sockets may be, best first: the user's run-time folder, which the system empties, and the state folder
// for systems and shells that have none. The environment is read at each call.
func folders() []string {
	var out []string
	if run := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(run) {
		out = append(out, filepath.Join(run, "assist"))
	}
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return out
		}
		state = filepath.Join(home, ".local", "state")
	}
	return append(out, filepath.Join(state, "assist", "run"))
}

// claim makes dir if need be and sees that nobody else can reach into it.
func claim(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return private(dir)
}

// private says whether dir is a folder of this user that no other can enter.
func private(dir string) error {
	fi, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !fi.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case !mine(fi):
		return fmt.Errorf("%s belongs to another user", dir)
	case !closed(fi):
		return fmt.Errorf("%s is open to other users; chmod 700 it", dir)
	}
	return nil
}

// place is one socket.
type place struct {
	code string
	path string
	born time.Time
}

var (
	placeName = regexp.MustCompile(`^([0-9]{8})-[0-9]+-[0-9]+\.sock$`)
	isCode    = regexp.MustCompile(`^[0-9]{8}$`)
	serial    atomic.Uint64 // tells the sockets of one process apart
)

// maxPath is what fits sun_path everywhere (unix(7): 108 with the final zero; 104 on BSD and macOS).
const maxPath = 103

// socket is a listening socket with its name.
type socket struct {
	*net.UnixListener
	dir  string
	tail string // behind the code: process and number
	path string
}

// listen opens the socket of a session. It is bound under a hidden name and renamed when it listens and is closed to
// others, so that no program finds it before.
func listen(code string) (*socket, error) {
	if !isCode.MatchString(code) {
		return nil, fmt.Errorf("code %q: not 8 digits", code)
	}
	err := errors.New("no home folder")
	for _, dir := range folders() {
		var s *socket
		if s, err = listenIn(dir, code); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("open control socket: %w", err)
}

func listenIn(dir, code string) (*socket, error) {
	if err := claim(dir); err != nil {
		return nil, err
	}
	s := &socket{dir: dir, tail: fmt.Sprintf("-%d-%d.sock", os.Getpid(), serial.Add(1))}
	hidden := filepath.Join(dir, "."+code+s.tail)
	if len(hidden) > maxPath {
		return nil, fmt.Errorf("%s: longer than a socket's name may be", hidden)
	}
	_ = os.Remove(hidden) // of a dead process that had this number
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	s.UnixListener, s.path = l, hidden
	if err = os.Chmod(hidden, 0o600); err == nil {
		err = s.rename(code)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// rename names the socket by code. Who has connected already stays connected.
func (s *socket) rename(code string) error {
	if !isCode.MatchString(code) {
		return fmt.Errorf("code %q: not 8 digits", code)
	}
	return s.move(filepath.Join(s.dir, code+s.tail))
}

// hide takes the name away: who has not connected yet does not find it.
func (s *socket) hide() error { return s.move(filepath.Join(s.dir, "."+filepath.Base(s.path))) }

func (s *socket) move(path string) error {
	if path == s.path {
		return nil
	}
	if err := os.Rename(s.path, path); err != nil {
		return err
	}
	s.path = path
	return nil
}

func (s *socket) close() {
	_ = os.Remove(s.path)
	_ = s.Close()
}

// live lists the sockets that answer, newest first, and removes those that dead processes left behind.
func live() []place {
	var out []place
	for _, dir := range folders() {
		if private(dir) != nil {
			continue
		}
		names, _ := os.ReadDir(dir)
		for _, e := range names[:min(len(names), maxListed)] {
			if p, ok := look(dir, e); ok {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b place) int {
		if c := b.born.Compare(a.born); c != 0 {
			return c
		}
		return strings.Compare(b.path, a.path)
	})
	return out
}

// look says whether a name in dir is a socket at which somebody listens.
func look(dir string, e fs.DirEntry) (place, bool) {
	m := placeName.FindStringSubmatch(e.Name())
	fi, err := e.Info()
	if m == nil || err != nil || !isSocket(fi) || !mine(fi) {
		return place{}, false
	}
	p := place{code: m[1], path: filepath.Join(dir, e.Name()), born: fi.ModTime()}
	c, err := net.DialTimeout("unix", p.path, dialTime)
	switch {
	case err == nil:
		_ = c.Close()
	case nobodyListens(err):
		_ = os.Remove(p.path)
		return place{}, false
	case errors.Is(err, fs.ErrNotExist):
		return place{}, false
	}
	return p, true
}
