// Package probe reads this machine and answers in the words of diag. It only reads, never writes, and what cannot be read says
// why. Categories are read side by side, each with a time limit; what a device holds up is left behind and read by nobody else
// until it comes back. Every text passes the sanitiser. Command lines of processes and of cron are left out: they hold passwords.
package probe

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"strings"

	"assist/diag"
)

// osRelease is where Linux distributions say their name: os-release(5).
const osRelease = "/etc/os-release"

// System says what machine this is.
func System() diag.System {
	s := diag.System{OS: runtime.GOOS, Arch: runtime.GOARCH, Kernel: kernel()}
	s.Host, _ = os.Hostname()
	if f, err := os.Open(osRelease); err == nil {
		defer f.Close()
		if name := prettyName(f); name != "" {
			s.OS = name
		}
	}
	return s
}

// prettyName finds PRETTY_NAME in an os-release file.
func prettyName(r io.Reader) string {
	lines := bufio.NewScanner(io.LimitReader(r, 64<<10))
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "PRETTY_NAME=")
		if ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}
