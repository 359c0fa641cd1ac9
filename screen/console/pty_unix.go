//go:build unix

package console

import (
	"bufio"
	"fmt"
	"image"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// hangUp is how long a program has to end by itself when its terminal is gone.
const hangUp = 2 * time.Second

// ptyBackend is a program on a pseudo-terminal.
type ptyBackend struct {
	*os.File
	cmd *exec.Cmd
}

// startPTY starts argv, whose first word may begin with a dash as login shells' does.
func startPTY(argv, env []string, size image.Point) (backend, error) {
	path := strings.TrimPrefix(argv[0], "-")
	cmd := exec.Command(path, argv[1:]...)
	if path != argv[0] {
		cmd.Args[0] = "-" + filepath.Base(path)
	}
	cmd.Env = env
	if home, err := os.UserHomeDir(); err == nil {
		cmd.Dir = home
	}
	f, err := pty.StartWithSize(cmd, winsize(size))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &ptyBackend{f, cmd}, nil
}

func winsize(size image.Point) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(size.X), Rows: uint16(size.Y)}
}

func (p *ptyBackend) Resize(size image.Point) error { return pty.Setsize(p.File, winsize(size)) }

// Close takes the terminal away: the program gets SIGHUP, and SIGKILL with all of its session if that does not end it.
func (p *ptyBackend) Close() error {
	err := p.File.Close()
	group := -p.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGHUP)
	kill := time.AfterFunc(hangUp, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
	defer kill.Stop()
	_ = p.cmd.Wait() // how it ended is nobody's business
	return err
}

// shell is what to run and with which environment: command by sh, or the login shell of this user.
func shell(command string) (argv, env []string) {
	env = environment()
	if command != "" {
		return []string{"/bin/sh", "-c", command}, env
	}
	path := loginShell()
	return []string{"-" + path}, append(env, "SHELL="+path)
}

// loginShell is the shell in the user's line of /etc/passwd (passwd(5)), else $SHELL, else sh.
func loginShell() string {
	if u, err := user.Current(); err == nil {
		if f, err := os.Open("/etc/passwd"); err == nil {
			defer f.Close()
			for lines := bufio.NewScanner(f); lines.Scan(); {
				fields := strings.Split(lines.Text(), ":")
				if len(fields) == 7 && fields[0] == u.Username && runs(fields[6]) {
					return fields[6]
				}
			}
		}
	}
	if s := os.Getenv("SHELL"); runs(s) {
		return s
	}
	return "/bin/sh"
}

func runs(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && filepath.Base(path) != "nologin" && filepath.Base(path) != "false"
}
