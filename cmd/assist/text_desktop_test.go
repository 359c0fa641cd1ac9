//go:build desktop

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// yes is a host that asks nobody.
var yes = []string{"--yes", "--allow", "view,control,chat"}

// setText shares a shell with a short prompt, or what the flags say.
func setText(t *testing.T, flags ...string) *demo.Stage {
	t.Helper()
	t.Setenv("DISPLAY", "")
	if flags == nil {
		flags = []string{"--shell", "PS1='$ ' exec bash --norc -i"}
	}
	return setStage(t, demo.Plan{Text: true, Host: append(append([]string(nil), yes...), flags...)})
}

// TestTwoAgentsInOneTerminal is a server without a display: one agent comes over ssh from a tmux pane, one with the terminal
// alone. They edit one file in vim together, look at htop, and type while output floods.
func TestTwoAgentsInOneTerminal(t *testing.T) {
	stage := setText(t)
	file := filepath.Join(t.TempDir(), "shared.txt")
	ssh := startSSH(t)
	command := strings.Join(append([]string{"env", "COLORTERM=truecolor"}, stage.Environment()...), " ") + " " + built(t) + " join '" + stage.URL + "'"
	anna := openTerminal(t, nil, 100, 30, append(ssh, command)...)
	anna.await("BROWSE", "$")
	bob := hire(t, stage, "bob@demo")
	bob.term = openTerminal(t, bob.env, 90, 26, built(t), "join", "--shell", stage.URL)
	bob.term.await("$")

	anna.keys("c")
	anna.await("CONTROL")
	anna.text("vim -u NONE -N " + file)
	anna.keys("Enter")
	bob.term.await(filepath.Base(file))
	anna.text("ianna writes äöü, ")
	bob.term.await("anna writes äöü,")
	bob.term.text("bob writes 日本語")
	anna.await("anna writes äöü, bob writes 日本語")
	bob.term.keys("Escape")
	time.Sleep(100 * time.Millisecond) // else vim takes ESC and : for one key
	anna.text(":wq")
	anna.keys("Enter")
	awaitFile(t, file, "anna writes äöü, bob writes 日本語\n")

	bob.term.await("$ vim", "\n$") // vim is gone, and with it what it throws away of input
	bob.term.text("htop")
	bob.term.keys("Enter")
	anna.await("F10Quit", "Load average")
	bob.term.keys("F10")
	eventually(t, "htop to go", func() bool { return !strings.Contains(anna.screen(), "F10Quit") })

	anna.text("clear; seq -f 'line %.0f of a flood of output' 1 90000; echo over-$((20+3))") // 3 MB
	anna.keys("Enter")
	anna.await("over-23")
	bob.term.await("over-23", "line 90000")

	anna.keys("C-]", "PageUp")
	anna.await("lines back", "line 89970")
	anna.keys("/")
	anna.await("Find in the text")
	anna.text("line 88123 ")
	anna.keys("Enter")
	anna.await("line 88123 of")
	anna.keys("Escape")
	anna.await("over-23")

	bob.term.keys("Enter", "~")
	bob.term.text(".")
	if code := bob.term.awaitExit(); code != "0" {
		t.Errorf("left with exit code %s", code)
	}
	anna.keys("q")
	anna.await("End session for everyone")
	anna.keys("e")
	if code := anna.awaitExit(); code != "0" {
		t.Errorf("ended with exit code %s", code)
	}
}

// TestTheCustomersOwnTerminal starts the host in a terminal: the customer sees and types in the same shell, is asked, has the
// line that cannot be hidden, and stops with its key.
func TestTheCustomersOwnTerminal(t *testing.T) {
	stage := setText(t) // for its relay and its agent
	ada := openTerminal(t, []string{"DISPLAY="}, 100, 30, built(t), "host", "--relay", stage.Relay, "--relay-key", stage.Pin, "--shell", "PS1='$ ' exec bash --norc -i")
	ada.await("nobody is here yet", "$", "Ctrl-] s stops")
	ada.text("echo before-$((1+1))")
	ada.keys("Enter")
	ada.await("before-2")
	code := ""
	eventually(t, "a code", func() bool {
		_, rest, _ := strings.Cut(ada.screen(), "code ")
		if len(rest) >= 9 {
			code = strings.ReplaceAll(rest[:9], " ", "")
		}
		return len(code) == 8
	})
	bob := hire(t, stage, "bob@demo")
	bob.term = openTerminal(t, bob.env, 80, 24, built(t), "join", code, "--relay", stage.Relay)
	ada.await("Let this person in?", "bob")
	eventually(t, "a yes to seeing", func() bool {
		ada.keys("y")
		time.Sleep(300 * time.Millisecond)
		return !strings.Contains(ada.screen(), "Let this person in?")
	})
	eventually(t, "a yes to typing", func() bool {
		ada.keys("y")
		time.Sleep(300 * time.Millisecond)
		return strings.Contains(ada.screen(), "sees and types")
	})
	ada.await("SHARED: bob")
	bob.term.await("before-2")
	bob.term.keys("c")
	bob.term.await("CONTROL")
	bob.term.text("clear; printf '\\033[?1049h\\033[24;1H\\033[2J'; stty size; cat")
	bob.term.keys("Enter")
	ada.await("22 80", "SHARED: bob", "Ctrl-] s stops") // the smaller of both; the line stays whatever the program draws
	bob.term.text("seen by both")
	ada.await("seen by both")
	ada.keys("C-]", "s")
	ada.await("[exit 0]")
	bob.term.await("The session is over")
}

// TestAttachTmux shares an existing session of tmux, whose windows keep their size.
func TestAttachTmux(t *testing.T) {
	theirs := openTerminal(t, []string{"PS1=$ "}, 91, 27, "bash", "--norc")
	theirs.await("$")
	t.Setenv("TMUX", theirs.socket+",1,0")
	session := strings.TrimSpace(theirs.tmux("display-message", "-p", "#{session_name}"))
	size := func() string {
		return strings.TrimSpace(theirs.tmux("display-message", "-p", "#{window_width}x#{window_height}"))
	}
	was := size()
	stage := setText(t, "--attach", "tmux:"+session)
	bob := hire(t, stage, "bob@demo")
	bob.env = append(bob.env, "TMUX=")
	bob.term = openTerminal(t, bob.env, 70, 20, built(t), "join", "--shell", stage.URL)
	bob.term.await("$") // the customer's window is larger than this terminal: what is around the cursor is seen
	bob.term.text("echo from-$((3*3))")
	bob.term.keys("Enter")
	theirs.await("from-9")
	if got := size(); got != was {
		t.Errorf("the customer's window is %s now; it was %s", got, was)
	}
	bob.term.keys("Enter", "~")
	bob.term.text(".")
	if code := bob.term.awaitExit(); code != "0" {
		t.Errorf("left with exit code %s", code)
	}
}

// TestDemoSharesTextWithoutADisplay is what make demo does on a server.
func TestDemoSharesTextWithoutADisplay(t *testing.T) {
	cmd := exec.Command(built(t), "demo", "--script", "--json")
	cmd.Env = append(os.Environ(), "DISPLAY=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"ok":true`) || !strings.Contains(string(out), `"text":true`) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestAttachConsole shares the machine's own console: what a program writes there is seen, and what is typed arrives.
func TestAttachConsole(t *testing.T) {
	tty, err := os.OpenFile("/dev/tty0", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no console that may be used: ", err)
	}
	defer tty.Close()
	stage := setText(t, "--attach", "console")
	bob := hire(t, stage, "bob@demo")
	bob.term = openTerminal(t, bob.env, 100, 40, built(t), "join", "--shell", stage.URL)
	bob.term.await("···") // the console is smaller than this terminal
	if _, err := tty.WriteString("\x1b[2J\x1b[Hwritten to the console äöü\n"); err != nil {
		t.Fatal(err)
	}
	bob.term.await("written to the console äöü")
	typed := make(chan string, 1)
	go func() {
		line := make([]byte, 100)
		n, _ := tty.Read(line)
		typed <- string(line[:n])
	}()
	bob.term.text("typed there")
	bob.term.keys("Enter")
	select {
	case got := <-typed:
		if got != "typed there\n" {
			t.Errorf("the console got %q", got)
		}
	case <-time.After(patience):
		t.Error("what was typed does not arrive on the console")
	}
}
