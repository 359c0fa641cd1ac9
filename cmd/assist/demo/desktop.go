package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// geometry of the desktop that the demo makes when there is none to share.
const geometry = "1280x800x24"

// MissingError names the programs that a desktop of its own needs and this machine has not.
type MissingError struct{ Programs []string }

func (e *MissingError) Error() string {
	return "no display to share, and to make one these programs are missing: " + strings.Join(e.Programs, ", ")
}

// desktop is an X server without a screen, with a window manager, a terminal and a clock.
type desktop struct {
	display string
	typed   string // the file that what is typed into the terminal lands in, with script only
}

// startDesktop starts the X server on a free display number and the programs on it. With script the terminal keeps what
// is typed into it in a file.
func startDesktop(ctx context.Context, p *processes, dir string, script bool) (desktop, error) {
	if err := have("Xvfb", "openbox", "xterm", "xclock", "xsetroot"); err != nil {
		return desktop{}, err
	}
	display, err := startX(ctx, p)
	if err != nil {
		return desktop{}, err
	}
	d := desktop{display: display}
	shell := []string{}
	if script {
		d.typed = filepath.Join(dir, "typed")
		shell = []string{"-e", "sh", "-c", `cat > "$0"`, d.typed}
	}
	env := "DISPLAY=" + display
	for _, argv := range [][]string{
		{"xsetroot", "-solid", "#2e4a62"},
		{"openbox", "--sm-disable"},
		{"xclock", "-update", "1", "-geometry", "160x160-24+24"},
		append([]string{"xterm", "-u8", "-geometry", "100x30+40+60", "-title", "customer's terminal"}, shell...),
	} {
		if _, err := p.start(ctx, command(argv...), env); err != nil {
			return desktop{}, err
		}
	}
	return d, nil
}

// startX starts Xvfb, which picks the display number and says it on a pipe when it is ready (Xserver(1), -displayfd).
func startX(ctx context.Context, p *processes) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd := command("Xvfb", "-displayfd", "3", "-screen", "0", geometry, "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	_, err = p.start(ctx, cmd)
	w.Close()
	if err != nil {
		return "", err
	}
	if err := r.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("start Xvfb: it did not say its display: %w", err)
	}
	return ":" + strings.TrimSpace(line), nil
}

func have(programs ...string) error {
	var missing []string
	for _, name := range programs {
		if _, err := exec.LookPath(name); errors.Is(err, exec.ErrNotFound) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return &MissingError{Programs: missing}
	}
	return nil
}
