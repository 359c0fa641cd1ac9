// Package share gives an invitation to somebody outside of the session: on the clipboard, by e-mail, as a picture to scan.
//
// Everything works with what the machine has: tmux, the terminal, the desktop's clipboard and mail program. None of them is
// sure to be there, so each function says what it used, and whoever calls it prints the text as well. Programs are started
// with their arguments as a list, never through a shell, and get programTime; a mail program that stays open is left
// running. The package reads the environment and PATH at each call, starts nothing that it waits for longer, and keeps no
// state. What it writes to a terminal is made here and holds no text of others (threats 2.4, rule 8).
package share

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Limits.
const (
	maxCopy     = 64 << 10        // bytes that are copied; terminals take less than 100,000 by OSC 52
	programTime = 3 * time.Second // for a program to take a text
)

// remote says whether the person sits elsewhere: windows that open here are not seen.
func remote() bool {
	return os.Getenv("SSH_CONNECTION") != "" || os.Getenv("SSH_TTY") != "" || os.Getenv("SSH_CLIENT") != ""
}

// desktop says whether a window that opens here is seen by who asked for it.
func desktop() bool {
	if remote() {
		return false
	}
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// feed runs a program with text as its input.
func feed(ctx context.Context, text string, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(text)
	cmd.WaitDelay = programTime // xclip stays behind as a daemon that holds our pipe
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// there says whether a program can be found in PATH.
func there(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
