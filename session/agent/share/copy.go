package share

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// The ways to copy, in the words in which they are reported.
const (
	Tmux      = "tmux's buffer"
	Terminal  = "the terminal's clipboard (OSC 52, if it allows that)"
	Clipboard = "the clipboard"
)

// ErrNoCopy says that nothing here takes a copy.
var ErrNoCopy = errors.New("neither tmux, a terminal nor a clipboard takes the text")

// Copy puts text where it can be pasted from and says where that is. Inside tmux that is tmux's buffer, from which tmux hands
// it on to the terminal if it may. Otherwise it is the terminal, by OSC 52. A terminal does not say whether it obeyed, so
// on a desktop the clipboard is set as well.
func Copy(ctx context.Context, text string) (ways []string, err error) {
	return copyBy(ctx, text, openTTY)
}

func copyBy(ctx context.Context, text string, tty func() (io.WriteCloser, error)) (ways []string, err error) {
	if len(text) > maxCopy {
		return nil, fmt.Errorf("copy: %d bytes are more than %d", len(text), maxCopy)
	}
	if os.Getenv("TMUX") != "" && toTmux(ctx, text) == nil {
		return []string{Tmux}, nil
	}
	if toTerminal(text, tty) == nil {
		ways = append(ways, Terminal)
	}
	if desktop() && toClipboard(ctx, text) == nil {
		ways = append(ways, Clipboard)
	}
	if ways == nil {
		return nil, ErrNoCopy
	}
	return ways, nil
}

// toTmux needs tmux 3.2 for -w, which also gives the text to the terminals that look on; older ones get the buffer only.
func toTmux(ctx context.Context, text string) error {
	err := feed(ctx, text, "tmux", "load-buffer", "-w", "-")
	if err != nil && ctx.Err() == nil {
		err = feed(ctx, text, "tmux", "load-buffer", "-")
	}
	return err
}

func openTTY() (io.WriteCloser, error) {
	if runtime.GOOS == "windows" {
		return os.OpenFile("CONOUT$", os.O_WRONLY, 0)
	}
	return os.OpenFile("/dev/tty", os.O_WRONLY, 0)
}

var errNoOSC = errors.New("this terminal has no clipboard")

func toTerminal(text string, open func() (io.WriteCloser, error)) error {
	switch term := os.Getenv("TERM"); {
	case term == "dumb", term == "linux", term == "" && runtime.GOOS != "windows":
		return errNoOSC
	}
	tty, err := open()
	if err != nil {
		return err
	}
	_, err = io.WriteString(tty, osc52(text, os.Getenv("TERM"), os.Getenv("STY") != ""))
	return errors.Join(err, tty.Close())
}

// osc52 asks a terminal to put text on its clipboard (xterm, Operating System Commands, Ps = 52). A multiplexer between us and
// the terminal may keep that to itself, so it also gets it as something to pass through: tmux as a DCS that begins with
// "tmux;", its escapes doubled (tmux(1), allow-passthrough; for a tmux that we cannot reach, such as one around ssh), screen
// as a bare DCS. Each passes over what is meant for the other.
func osc52(text, term string, screen bool) string {
	const esc, st = "\x1b", "\x1b\\"
	plain := esc + "]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\a"
	switch {
	case strings.HasPrefix(term, "tmux"):
		return plain + esc + "Ptmux;" + strings.ReplaceAll(plain, esc, esc+esc) + st
	case screen, strings.HasPrefix(term, "screen"):
		return throughScreen(plain)
	}
	return plain
}

// screenChunk is how much of a DCS screen takes at once (screen 4.9, MAXSTR is 768).
const screenChunk = 700

// throughScreen passes s on in pieces; screen writes them to the terminal one after the other.
func throughScreen(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(len(s), screenChunk)
		b.WriteString("\x1bP" + s[:n] + "\x1b\\")
		s = s[n:]
	}
	return b.String()
}

// toClipboard gives text to the first program that sets the desktop's clipboard. Run as programs they can be given up when the
// display hangs, and PATH counts as it is now.
func toClipboard(ctx context.Context, text string) error {
	for _, argv := range clipboards() {
		if there(argv[0]) && feed(ctx, text, argv[0], argv[1:]...) == nil {
			return nil
		}
	}
	return ErrNoCopy
}

func clipboards() [][]string {
	switch runtime.GOOS {
	case "windows":
		return [][]string{{"clip.exe"}}
	case "darwin":
		return [][]string{{"pbcopy"}}
	}
	x11 := [][]string{{"xclip", "-in", "-selection", "clipboard"}, {"xsel", "--input", "--clipboard"}}
	if os.Getenv("WAYLAND_DISPLAY") != "" {
		return append([][]string{{"wl-copy"}}, x11...)
	}
	return x11
}
