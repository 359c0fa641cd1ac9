package machine

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Person is somebody who is logged in at the machine.
type Person struct {
	UID int
	TTY string // such as pts/0; empty: on a desktop
}

// sessionsOf is where logind keeps who is logged in, readable by all (systemd, src/login/logind-session.c).
const sessionsOf = "/run/systemd/sessions"

// LoggedIn lists the people who are logged in, as far as logind knows them.
func LoggedIn() []Person { return loggedIn(sessionsOf) }

// Somebody says whether anybody may be logged in: where there is no logind to say so, somebody may be.
func Somebody() bool {
	_, err := os.Stat(sessionsOf)
	return err != nil || len(LoggedIn()) > 0
}

func loggedIn(dir string) (out []Person) {
	files, _ := os.ReadDir(dir) // no logind: nobody is known
	for _, f := range files {
		if p, ok := readSession(filepath.Join(dir, f.Name())); ok {
			out = append(out, p)
		}
	}
	return out
}

// readSession reads a session of logind; false when it is no person's, or one that is closing.
func readSession(path string) (p Person, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return p, false
	}
	defer f.Close()
	p.UID = -1
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "UID":
			if p.UID, err = strconv.Atoi(value); err != nil {
				return p, false
			}
		case "TTY":
			p.TTY = value
		case "CLASS":
			ok = strings.HasPrefix(value, "user")
		case "STATE":
			if value == "closing" {
				return p, false
			}
		}
	}
	return p, ok && p.UID >= 0 && !strings.Contains(p.TTY, "..")
}

// GoingDown says whether the system as a whole is going down. run is where it says so, /run.
func GoingDown(run string, state func() string) bool {
	for _, name := range []string{"systemd/shutdown/scheduled", "nologin"} {
		if _, err := os.Stat(filepath.Join(run, name)); err == nil {
			return true
		}
	}
	return state() == "stopping"
}
