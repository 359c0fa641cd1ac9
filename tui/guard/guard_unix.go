//go:build unix

package guard

import (
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
)

// released is the word that sends the shell away.
const released = "released"

// script reads until the pipe ends; $1 are the modes as stty -g says them, $2 what undoes the rest. Descriptor 3 is the terminal.
const script = `last=$(cat)
[ "$last" = ` + released + ` ] && exit 0
stty "$1" <&3
printf '%s' "$2" >&3
[ -n "$last" ] && printf '%s\n' "$last" >&3
exit 0`

// Watch sets a guard over tty, which must still be as it is to be given back. Call the function that it returns when the
// terminal was given back; it waits until the guard is gone.
func Watch(tty *os.File) (release func()) {
	stty := exec.Command("stty", "-g")
	stty.Stdin = tty
	modes, err := stty.Output()
	if err != nil {
		return func() {}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	shell := exec.Command("sh", "-c", script, "assist-guard", strings.TrimSpace(string(modes)), undo)
	shell.Stdin, shell.ExtraFiles = r, []*os.File{tty}
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of reach of what is sent to the console's group
	err = shell.Start()
	r.Close()
	if err != nil {
		w.Close()
		return func() {}
	}
	// The runtime writes the report of a fatal panic there too (runtime/debug, Go 1.23).
	_ = debug.SetCrashOutput(w, debug.CrashOptions{})
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_, _ = w.WriteString(released)
		w.Close()
		_ = shell.Wait()
	}
}
