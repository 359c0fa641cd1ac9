//go:build desktop

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"assist/cmd/assist/demo"
)

// terminals are those of Debian that run on an X server without a screen, and by what a console has to draw in them. (docs/picture.md
// tells of others.)
var terminals = []struct {
	name string
	argv []string // before the command
	env  []string
	mode string // as the doctor says it
	few  bool   // it has too few colours for that of the desktop
	keys string // pressed in the console: P is a still picture, as a Sixel
}{
	{"xterm", []string{"xterm", "-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "140x44", "-e"}, nil, "half", false, ""},
	{"xterm-sixel", []string{"xterm", "-ti", "vt340", "-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "110x40", "-e"}, nil, "half", false, "P"},
	{"mlterm", []string{"mlterm", "-w", "12", "-g", "130x44", "-e"}, []string{"LC_ALL=C.UTF-8"}, "half", true, "P"},
	{"kitty", []string{"kitty", "--config", "NONE", "-o", "initial_window_width=1000", "-o", "initial_window_height=700", "-o", "remember_window_size=no"}, []string{"LIBGL_ALWAYS_SOFTWARE=1"}, "pixels", false, ""},
	{"konsole", []string{"dbus-run-session", "--", "konsole", "--nofork", "--hide-menubar", "--hide-tabbar", "--geometry", "1000x700", "-e"}, []string{"QT_QPA_PLATFORM=xcb"}, "pixels", false, ""},
	{"screen", []string{"xterm", "-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "140x44", "-e", "env", "LC_ALL=C", "screen", "-S", "assist-in-a-test", "-c", "/dev/null"}, []string{"LC_ALL=C"}, "ascii", true, ""},
}

// TestTerminalsShowThePicture opens a console in each terminal that is installed: the doctor says there what it will draw by, and the
// colour of the customer's desktop is on the terminal's own.
func TestTerminalsShowThePicture(t *testing.T) {
	stage := setStage(t, demo.Plan{})
	const red, green, blue = 0xCC, 0x33, 0x66 // which nothing else has, and the palette of a Sixel has it
	onDisplay(t, stage.Display, "xsetroot", "-solid", fmt.Sprintf("#%02x%02x%02x", red, green, blue))
	for _, term := range terminals {
		t.Run(term.name, func(t *testing.T) {
			for _, program := range append([]string{term.argv[0]}, term.name) {
				if _, err := exec.LookPath(strings.TrimSuffix(program, "-sixel")); err != nil {
					t.Skip(err)
				}
			}
			display := bareDisplay(t)
			said := filepath.Join(t.TempDir(), "doctor.json")
			console := stage.Console()
			line := fmt.Sprintf("unset DISPLAY; %s doctor --json >%s; exec %s", built(t), said, strings.Join(console.Args, " "))
			line = strings.ReplaceAll(line, "#", `\#`)
			cmd := exec.Command(term.argv[0], append(term.argv[1:], "sh", "-c", line)...)
			cmd.Env = append(append(console.Env, "DISPLAY="+display, "LC_ALL=C.UTF-8", "TMUX=", "STY=", "COLORTERM="), term.env...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if term.name == "screen" { // it would outlive its terminal
					_ = exec.Command("screen", "-S", "assist-in-a-test", "-X", "quit").Run()
				}
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				_ = cmd.Wait()
			}()
			look := func() bool { return shareOf(t, display, red, green, blue) > 0.15 }
			if !term.few {
				eventually(t, "the desktop's colour in "+term.name, look)
			}
			eventually(t, "what the doctor says", func() bool { return doctorSays(said, "picture") != "" })
			if got := doctorSays(said, "picture"); got != term.mode {
				t.Errorf("drawn by %q, want %s", got, term.mode)
			}
			if term.keys == "" {
				return
			}
			time.Sleep(5 * time.Second) // until the console is in, which nothing tells
			fine := coloursOn(t, display)
			onDisplay(t, display, "xdotool", "key", "--clearmodifiers", term.keys)
			eventually(t, "a still picture in "+term.name, func() bool { return coloursOn(t, display) != fine && look() })
		})
	}
}

// onDisplay runs a program on a display to its end.
func onDisplay(t *testing.T, display string, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DISPLAY="+display)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", argv, err, out)
	}
}

// doctorSays is the evidence of a check in a file that the doctor wrote; empty: not yet.
func doctorSays(file, check string) string {
	var all struct{ Checks []doctorLine }
	b, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(b, &all) != nil {
		return ""
	}
	for _, c := range all.Checks {
		if c.Section == "terminal" && c.Check == check {
			return c.Evidence
		}
	}
	return ""
}

// pixelsOf is all of a display, four bytes a pixel.
func pixelsOf(t *testing.T, display string) []byte {
	t.Helper()
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := xproto.Setup(conn).DefaultScreen(conn)
	reply, err := xproto.GetImage(conn, xproto.ImageFormatZPixmap, xproto.Drawable(s.Root), 0, 0, s.WidthInPixels, s.HeightInPixels, ^uint32(0)).Reply()
	if err != nil {
		t.Fatal(err)
	}
	return reply.Data
}

// shareOf is which part of a display has about that colour.
func shareOf(t *testing.T, display string, red, green, blue int) float64 {
	t.Helper()
	b := pixelsOf(t, display)
	n := 0
	for i := 0; i+4 <= len(b); i += 4 {
		near := func(c byte, want int) bool { return int(c) > want-12 && int(c) < want+12 }
		if near(b[i], blue) && near(b[i+1], green) && near(b[i+2], red) {
			n++
		}
	}
	return float64(n) / float64(len(b)/4)
}

// coloursOn is a sum over a display that another picture changes.
func coloursOn(t *testing.T, display string) (sum uint64) {
	t.Helper()
	for i, c := range pixelsOf(t, display) {
		sum = sum*31 + uint64(c) + uint64(i&3)
	}
	return sum
}
