package scheme

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrNoTerminal says that no window can be opened in which somebody could be asked.
var ErrNoTerminal = errors.New("no terminal window can be opened here to ask you")

// emulators are terminal emulators and what stands before the command to run in them, by how likely they are what the user wants:
// xdg-terminal-exec and Debian's alternative first.
var emulators = [][]string{
	{"xdg-terminal-exec"},
	{"x-terminal-emulator", "-e"},
	{"gnome-terminal", "--"},
	{"kgx", "--"},
	{"ptyxis", "--"},
	{"konsole", "-e"},
	{"xfce4-terminal", "-x"},
	{"mate-terminal", "-x"},
	{"kitty"},
	{"foot"},
	{"alacritty", "-e"},
	{"wezterm", "start", "--"},
	{"ghostty", "-e"},
	{"urxvt", "-e"},
	{"xterm", "-e"},
}

// startTime is how soon a terminal that does not work is expected to say so.
const startTime = time.Second

// InTerminal runs a command in a new terminal window that lives on without us.
func InTerminal(argv ...string) error {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return ErrNoTerminal
	}
	failed := ErrNoTerminal
	for _, e := range chosen() {
		path, err := exec.LookPath(e[0])
		if err != nil {
			continue
		}
		if err = start(path, append(e[1:len(e):len(e)], argv...)); err == nil {
			return nil
		}
		failed = fmt.Errorf("%w: %s: %w", ErrNoTerminal, e[0], err)
	}
	return failed
}

// chosen puts the user's own choice first.
func chosen() [][]string {
	own := os.Getenv("TERMINAL")
	if own == "" || strings.ContainsAny(own, " \t") {
		return emulators
	}
	for _, e := range emulators {
		if strings.HasSuffix("/"+own, "/"+e[0]) {
			return append([][]string{append([]string{own}, e[1:]...)}, emulators...)
		}
	}
	return append([][]string{{own, "-e"}}, emulators...)
}

// start has failed when the program fails at once.
func start(path string, args []string) error {
	cmd := exec.Command(path, args...)
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends with the terminal, which outlives us
	t := time.NewTimer(startTime)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		return nil
	}
}
