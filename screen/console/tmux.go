package console

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"strings"

	"assist/screen"
)

// OpenTmux prepares a client of an existing tmux session. Its terminal is made as large as the session before it is attached,
// and follows it, so that the customer's windows are never resized.
func OpenTmux(session string) (*Terminal, error) {
	size, err := tmuxSize(session)
	if err != nil {
		return nil, err
	}
	t := newTerminal("tmux "+session, size)
	t.fixed = func() (image.Point, error) { return tmuxSize(session) }
	argv := append(tmux(), "attach-session", "-t", "="+session, "-f", "ignore-size")
	t.start = func(image.Point) (backend, error) {
		size, err := tmuxSize(session)
		if err != nil {
			return nil, err
		}
		t.setFixed(size)
		return startPTY(argv, environment(), size)
	}
	return t, nil
}

// tmux is the command with the socket of the server in which this program runs, if it does.
func tmux() []string {
	if socket, _, ok := strings.Cut(os.Getenv("TMUX"), ","); ok && socket != "" {
		return []string{"tmux", "-S", socket}
	}
	return []string{"tmux"}
}

// tmuxSize is how large a client of a session has to be to change nothing: the window and the status lines.
func tmuxSize(session string) (image.Point, error) {
	argv := append(tmux(), "display-message", "-p", "-t", "="+session+":", "#{window_width} #{window_height} #{status}")
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return image.Point{}, fmt.Errorf("tmux session %q: %s", session, strings.TrimSpace(string(out)))
	}
	var w, h int
	var status string
	if _, err := fmt.Sscan(string(out), &w, &h, &status); err != nil {
		return image.Point{}, fmt.Errorf("size of tmux session %q: %q", session, out)
	}
	switch status {
	case "on":
		h++
	case "2", "3", "4", "5":
		h += int(status[0] - '0')
	}
	return screen.TextSize(image.Pt(w, h)), nil
}
