//go:build desktop

package tui

import (
	"encoding/json"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"assist/screen"
)

// pane is a tmux with one window of its own, in which a shell runs the console of TestMain.
type pane struct {
	t      *testing.T
	socket string
	report string
}

// openPane starts a console in tmux and waits for it to say want.
func openPane(t *testing.T, how, want string, env ...string) *pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux")
	}
	dir, err := os.MkdirTemp("", "pane-") // what runs in it may write there until it has noticed that tmux is gone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &pane{t, filepath.Join(dir, "tmux"), filepath.Join(dir, "report")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "run.sh")
	lines := []string{"stty -a >" + filepath.Join(dir, "before"), "export ASSIST_TUI_CHILD=" + how + " ASSIST_TUI_LOG=" + p.report}
	for _, e := range env {
		lines = append(lines, "export "+e)
	}
	lines = append(lines, "echo before the console", self, `echo "exit $?"`, "stty -a >"+filepath.Join(dir, "after"), "echo after the console", "exec sleep 60")
	if err := os.WriteFile(script, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sh "+script)
	t.Cleanup(func() { p.tmux("kill-server") })
	p.waits(want)
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

func (p *pane) screen() string { return p.tmux("capture-pane", "-p") }

// still is the screen once it has come to rest.
func (p *pane) still() string {
	p.t.Helper()
	last := p.screen()
	for same, end := 0, time.Now().Add(20*time.Second); same < 10 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		now := p.screen()
		if same++; now != last {
			same, last = 0, now
		}
	}
	return last
}

// waits until the pane says want.
func (p *pane) waits(want string) string {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		s := p.screen()
		if strings.Contains(s, want) {
			return s
		}
		if time.Now().After(end) {
			p.t.Fatalf("nothing says %q in\n%s", want, s)
		}
	}
}

// keys sends keys by tmux's names; bytes sends what a terminal would.
func (p *pane) keys(k ...string) { p.t.Helper(); p.tmux(append([]string{"send-keys"}, k...)...) }
func (p *pane) bytes(s string)   { p.t.Helper(); p.tmux("send-keys", "-l", s) }
func (p *pane) value(f string) string {
	return strings.TrimSpace(p.tmux("display-message", "-p", "#{"+f+"}"))
}

// console is the process id of the console.
func (p *pane) console() int {
	p.t.Helper()
	out, err := exec.Command("pgrep", "-P", p.value("pane_pid")).Output()
	if err != nil {
		p.t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.Fields(string(out))[0])
	return pid
}

// restored checks that the terminal is as it was: main screen, caret, no mouse, same modes.
func (p *pane) restored() {
	p.t.Helper()
	s := p.waits("after the console")
	if !strings.Contains(s, "before the console") {
		p.t.Errorf("the screen from before is gone:\n%s", s)
	}
	p.unchanged()
}

// unchanged checks the modes of the terminal.
func (p *pane) unchanged() {
	p.t.Helper()
	for f, want := range map[string]string{"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "mouse_all_flag": "0", "mouse_sgr_flag": "0", "keypad_cursor_flag": "0"} {
		if got := p.value(f); got != want {
			p.t.Errorf("%s is %s, want %s", f, got, want)
		}
	}
	before, _ := os.ReadFile(filepath.Join(filepath.Dir(p.socket), "before"))
	after, _ := os.ReadFile(filepath.Join(filepath.Dir(p.socket), "after"))
	if len(before) == 0 || string(before) != string(after) {
		p.t.Errorf("stty was\n%s\nand is\n%s", before, after)
	}
}

type told struct {
	Input  []screen.Input
	Looks  []screen.Viewport
	Did    []string
	Left   bool
	Closed int
	Err    string
}

func (p *pane) told() told {
	p.t.Helper()
	var out told
	b, err := os.ReadFile(p.report)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		p.t.Fatal(err)
	}
	return out
}

func TestTmuxKeysMouseAndPasteReachTheCustomer(t *testing.T) {
	p := openPane(t, "plain", "whole screen")
	p.keys("c")
	p.waits("CONTROL")
	p.keys("a", "Enter", "C-c", "M-x", "F5", "S-Left", "ä", "BTab")
	p.bytes("\x1b[<0;41;13M\x1b[<32;51;13M\x1b[<0;51;13m\x1b[<64;51;13M")
	p.bytes("\x1b[200~pasted €\x1b[201~")
	time.Sleep(300 * time.Millisecond) // an escape key alone would swallow what follows too soon
	p.keys("C-]")
	p.waits("BROWSE")
	p.keys("q")
	p.waits("End session for everyone")
	p.keys("l")
	p.restored()
	got := p.told()
	var said []string
	for _, in := range got.Input {
		said = append(said, fmt.Sprint(in.Kind, " ", in.Key, " ", in.Mods, " ", in.Button, " ", in.At, " ", in.Steps, " ", in.Text))
	}
	none := image.Point{}
	at, to := image.Pt(972, 564), image.Pt(1218, 564)
	var want []string
	for _, in := range []screen.Input{
		{Kind: screen.KeyTap, Key: 'a'},
		{Kind: screen.KeyTap, Key: screen.KeyEnter},
		{Kind: screen.KeyTap, Key: 'c', Mods: screen.ModControl},
		{Kind: screen.KeyTap, Key: 'x', Mods: screen.ModAlt},
		{Kind: screen.KeyTap, Key: screen.KeyF5},
		{Kind: screen.KeyTap, Key: screen.KeyLeft, Mods: screen.ModShift},
		{Kind: screen.TypeText, Text: "ä"},
		{Kind: screen.KeyTap, Key: screen.KeyTab, Mods: screen.ModShift},
		{Kind: screen.ButtonPress, Button: 1, At: at},
		{Kind: screen.PointerMove, At: to},
		{Kind: screen.ButtonRelease, Button: 1, At: to},
		{Kind: screen.Wheel, At: to, Steps: image.Pt(0, -1)},
		{Kind: screen.TypeText, Text: "pasted €"},
		{Kind: screen.ReleaseAll, At: none},
	} {
		want = append(want, fmt.Sprint(in.Kind, " ", in.Key, " ", in.Mods, " ", in.Button, " ", in.At, " ", in.Steps, " ", in.Text))
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the customer got\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if !got.Left || got.Closed != 1 {
		t.Errorf("left %v, closed %d times", got.Left, got.Closed)
	}
}

func TestTmuxResize(t *testing.T) {
	p := openPane(t, "plain", "whole screen")
	p.tmux("resize-window", "-x", "120", "-y", "40")
	p.waits("web-01") // there is room for it now
	p.tmux("resize-window", "-x", "50", "-y", "10")
	p.waits("at least 60 x 16")
	p.tmux("resize-window", "-x", "80", "-y", "24")
	p.waits("BROWSE")
	p.keys("q")
	p.waits("End session")
	p.keys("l")
	p.restored()
	looks := p.told().Looks
	if last := looks[len(looks)-1]; last.Grid != image.Pt(78, 44) {
		t.Errorf("asked for %v at last", last)
	}
}

func TestTmuxTerminalIsGivenBack(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			p := openPane(t, "plain", "whole screen")
			p.keys("c")
			p.waits("CONTROL")
			if err := syscall.Kill(p.console(), sig); err != nil {
				t.Fatal(err)
			}
			p.restored()
			if got := p.told(); got.Closed != 1 {
				t.Errorf("the session was closed %d times", got.Closed)
			}
		})
	}
}

func TestTmuxConsoleEndsWithItsTerminal(t *testing.T) {
	p := openPane(t, "plain", "whole screen")
	pid := p.console()
	p.tmux("new-session", "-d", "sleep 60") // so that the server lives on
	p.tmux("kill-window", "-t", "0:0")
	for end := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the console lives on without a terminal")
		}
	}
	if got := p.told(); got.Closed != 1 {
		t.Errorf("the session was closed %d times", got.Closed)
	}
}

func TestTmuxTerminalIsGivenBackAfterAPanic(t *testing.T) {
	p := openPane(t, "panic", "after the console")
	if s := p.tmux("capture-pane", "-p", "-S", "-500"); !strings.Contains(s, "a panic of the test") || !strings.Contains(s, "before the console") {
		t.Errorf("the panic is not told, or the screen from before is gone:\n%s", s)
	}
	p.unchanged()
}

// A panic in a goroutine that is not the console's, and SIGKILL: nothing in the process can see to the terminal then.
func TestTmuxTerminalIsGivenBackByTheGuard(t *testing.T) {
	t.Run("panic elsewhere", func(t *testing.T) {
		p := openPane(t, "elsewhere", "whole screen")
		p.waits("panic: a panic elsewhere")
		p.settles() // what the shell said meanwhile may have gone with the alternate screen
		p.waits("panic: a panic elsewhere")
	})
	t.Run("SIGKILL", func(t *testing.T) {
		p := openPane(t, "plain", "whole screen")
		p.keys("c")
		p.waits("CONTROL")
		if err := syscall.Kill(p.console(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		p.waits("before the console")
		p.settles()
	})
}

// settles waits until the terminal is as it was; the guard works beside the shell that goes on.
func (p *pane) settles() {
	p.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		stty, _ := exec.Command("stty", "-a", "-F", p.value("pane_tty")).Output()
		before, _ := os.ReadFile(filepath.Join(filepath.Dir(p.socket), "before"))
		if p.value("alternate_on")+p.value("mouse_any_flag")+p.value("cursor_flag") == "001" && string(stty) == string(before) {
			return
		}
	}
	p.t.Errorf("alternate screen %s, mouse %s, caret %s", p.value("alternate_on"), p.value("mouse_any_flag"), p.value("cursor_flag"))
}

func TestTmuxColoursAndNone(t *testing.T) {
	for env, want := range map[string]string{"COLORTERM=truecolor": "[38;2;", "COLORTERM=": "[38;5;", "NO_COLOR=yes": ""} {
		t.Run(env, func(t *testing.T) {
			p := openPane(t, "plain", "whole screen", env, "TMUX=", "TERM=xterm-256color")
			s := p.tmux("capture-pane", "-p", "-e")
			coloured := strings.Contains(s, "[38;") || strings.Contains(s, "[48;")
			if want == "" && coloured || want != "" && !strings.Contains(s, want) {
				t.Errorf("%s drew %.300q", env, s)
			}
		})
	}
}
