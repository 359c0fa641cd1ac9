package tui

import (
	"fmt"
	"os"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// question asks the terminal what it is and what it can: its name, what it draws (DA), how large its cells are, and synchronized output, for which Bubble
// Tea does not ask over SSH. What it does not know it passes over.
const question = ansi.RequestNameVersion + ansi.RequestPrimaryDeviceAttributes + "\x1b[16t" + ansi.RequestModeSynchronizedOutput

// answers says whether the terminal can be asked: GNU screen and mosh swallow or garble what they do not know.
func answers(env []string) bool {
	return !has(env, "STY") && !underMosh(os.Getpid(), readProc)
}

// profile is what the environment says about colours where colorprofile does not look: NO_COLOR with any value, an xterm
// of 2017 or later (patch 331 brought direct colours), which says TERM=xterm all the same, and a GNU screen that knows 16 colours and
// makes something unreadable of more. Unknown leaves it to colorprofile.
func profile(env []string) colorprofile.Profile {
	if noColor(env) {
		return colorprofile.ASCII
	}
	if term := value(env, "TERM"); has(env, "STY") && !has(env, "TMUX") && strings.HasPrefix(term, "screen") && !strings.Contains(term, "256color") {
		return colorprofile.ANSI
	}
	inside := has(env, "TMUX") || has(env, "STY") || has(env, "COLORTERM")
	var patch int
	if _, err := fmt.Sscanf(value(env, "XTERM_VERSION"), "XTerm(%d)", &patch); err == nil && patch >= 331 && !inside && strings.HasPrefix(value(env, "TERM"), "xterm") {
		return colorprofile.TrueColor
	}
	return colorprofile.Unknown
}

// noColor follows no-color.org: any value but an empty one.
func noColor(env []string) bool { return has(env, "NO_COLOR") }

func has(env []string, name string) bool { return value(env, name) != "" }

func value(env []string, name string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// underMosh looks for mosh-server among the ancestors of a process; mosh sets no variable that would tell.
func underMosh(pid int, stat func(pid int) (name string, parent int, ok bool)) bool {
	for range 32 {
		name, parent, ok := stat(pid)
		if name == "mosh-server" {
			return true
		}
		if !ok || parent <= 1 {
			return false
		}
		pid = parent
	}
	return false
}

// readProc reads name and parent of a process from Linux's /proc/PID/stat (proc_pid_stat(5)); elsewhere it knows nothing.
func readProc(pid int) (name string, parent int, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, false
	}
	open, shut := strings.IndexByte(string(b), '('), strings.LastIndexByte(string(b), ')')
	if open < 0 || shut < open {
		return "", 0, false
	}
	var state string
	if _, err := fmt.Sscanf(string(b[shut+1:]), "%s %d", &state, &parent); err != nil {
		return "", 0, false
	}
	return string(b[open+1 : shut]), parent, true
}
