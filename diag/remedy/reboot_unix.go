//go:build unix

package remedy

import (
	"errors"
	"os/exec"
)

// reboot is what restarts this machine.
func reboot() ([]string, error) {
	if systemd() {
		return []string{"systemctl", "--no-ask-password", "reboot"}, nil
	}
	for _, words := range [][]string{{"shutdown", "-r", "now"}, {"reboot"}} {
		if _, err := exec.LookPath(words[0]); err == nil {
			return words, nil
		}
	}
	return nil, errors.New("nothing here knows how to restart the machine")
}
