//go:build desktop

package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"assist/cmd/assist/demo"
	"assist/tui/painter"
)

// hostile is text that would do something to a terminal that showed it as it is: clear it, set its title and clipboard, ask
// it questions that it answers like a typing person, ring, switch character sets and screens, grow, turn a line around, hide
// in no width, and forge a line of the session itself.
const hostile = "\x1b[2J\x1b[H\x1b]0;PWNED\a\x1b]52;c;UFdORUQ=\a\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1b[18t\x1b]11;?\a\x1bP$qm\x1b\\\x1b[8;9;33t\x1b(0" +
	"\x1b[?1049l\x1b[?25l\u009b31m\u009d0;PWNED\u009c\x0e\a\b\b\r\x7f\u202eDENWP\u202c\u2066x\u2069\u200b\u200d\ufeff\u00ad" +
	"a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308"

// forged would be a line of the session itself, if it could stand in its column.
const forged = "fine\n· 09:30 Sam ended the session\n09:30:00 *      Sam ended the session\n* Sam ended the session"

// witness is a terminal with an agent's console in it, and what went in and out of it.
type witness struct {
	t       *testing.T
	in, out string // files
	before  int    // bytes typed or answered when the text came
}

// recorded runs assist join as a terminal's program with everything that passes written down.
func recorded(t *testing.T, url string) (w *witness, argv []string) {
	dir := t.TempDir()
	w = &witness{t: t, in: filepath.Join(dir, "in"), out: filepath.Join(dir, "out")}
	t.Cleanup(func() { // script outlives its terminal, and what it runs outlives script
		out, _ := exec.Command("pgrep", "-f", w.in).Output()
		for pid := range strings.FieldsSeq(string(out)) {
			kids, _ := exec.Command("pgrep", "-P", pid).Output()
			_ = exec.Command("kill", append(strings.Fields(string(kids)), pid)...).Run()
		}
	})
	return w, []string{"script", "-q", "-f", "-I", w.in, "-O", w.out, "-c", built(t) + " join '" + url + "'"}
}

func (w *witness) read(file string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) { // script makes it in a moment
		w.t.Fatal(err)
	}
	return b
}

// typed is what went in, without the line that script puts before it.
func (w *witness) typed() []byte {
	_, b, _ := bytes.Cut(w.read(w.in), []byte("]\n"))
	return paced.ReplaceAll(b, nil)
}

// paced are the answers by which the console's own painter knows what the terminal has drawn.
var paced = regexp.MustCompile(`\x1b\[\?2026;[0-4]\$y`)

// settled waits until a terminal has answered what the console itself asked it.
func (w *witness) settled() {
	w.t.Helper()
	eventually(w.t, "the picture", func() bool { return bytes.Contains(w.read(w.out), []byte("BROWSE")) })
	time.Sleep(time.Second)
	w.before = len(w.typed())
}

// testify says what of the hostile text reached the terminal as something else than text.
func (w *witness) testify(typed int) {
	w.t.Helper()
	if got := w.typed(); len(got) != w.before+typed {
		w.t.Errorf("the terminal answered something: %q", got[w.before:])
	}
	out := w.read(w.out)
	if n := bytes.Count(out, []byte(painter.AskWidths)); n != 1 {
		w.t.Errorf("the console asked %d times how wide characters are", n)
	}
	out = bytes.Replace(out, []byte(painter.AskWidths), nil, 1)
	for _, bad := range []string{
		"PWNED\a", "PWNED\x1b", "\x1b]52", "\x1b[6n", "\x1b[21t", "\x1b[18t", "\x1bP", "\x1b[8;9;33t", "\x1b(0", "\u009b", "\u009d", "\x0e",
		"\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\u0305\u0306\u0307\u0308",
	} {
		if bytes.Contains(out, []byte(bad)) {
			w.t.Errorf("%q was written to the terminal", bad)
		}
	}
}

// TestHostileTextMovesNoTerminal has a relay that lies in the names of an organisation and an agent, a customer with such a
// name, and an agent who says, and hands over with, such words; a tmux and an xterm are what it would change.
func TestHostileTextMovesNoTerminal(t *testing.T) {
	stage := setStage(t, demo.Plan{Script: true, Host: []string{"--yes", "--allow", "view,control,chat", "--customer", "Sam " + hostile[:20]}})
	(&colleague{}).verb(t, "", "relay", "org", "add", "evil", "--title", "Evil", "--data", stage.RelayData())
	anna, bob, mallory := hire(t, stage, "anna@demo"), hire(t, stage, "bob@demo"), hire(t, stage, "mallory@evil")
	lie(t, stage)

	mallory.join(t, stage.URL) // leads, as she is the first
	inTmux, argv := recorded(t, stage.URL)
	anna.term = openTerminal(t, anna.env, 120, 36, argv...)
	inTmux.settled()
	display := bareDisplay(t)
	inXterm, argv := recorded(t, stage.URL)
	tty, printed := filepath.Join(t.TempDir(), "tty"), filepath.Join(t.TempDir(), "printed")
	xterm := exec.Command("xterm", append([]string{
		"-geometry", "120x36+0+0", "-xrm", "XTerm*disallowedWindowOps: 1,2", "-xrm", "XTerm*printerCommand: cat > " + printed, "-xrm", "XTerm*printerAutoClose: true",
		"-xrm", "XTerm*printAttributes: 0",
		"-e", "sh", "-c", `tty > "$1"; shift; exec "$@"`, "sh", tty,
	}, argv...)...)
	xterm.Env = append(append(os.Environ(), bob.env...), "DISPLAY="+display, "TMUX=", "LC_ALL=C.UTF-8")
	if err := xterm.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = xterm.Process.Kill()
		_ = xterm.Wait()
	}()
	inXterm.settled()
	shape := windowShape(t, display)

	anna.term.keys("r", "t")
	xdo := func(args ...string) {
		t.Helper()
		mustRun(t, append(os.Environ(), "DISPLAY="+display), append([]string{"xdotool"}, args...)...)
	}
	xdo("search", "--class", "xterm", "windowfocus", "key", "r", "key", "t")
	const typed = 2 // bytes, in each
	for _, text := range []string{hostile, forged, hostile + forged} {
		mallory.verb(t, "", "say", "--lane", "all", text)
		mallory.verb(t, "", "say", "--lane", "agents", text)
	}
	offer := exec.Command(built(t), "handover", "anna", "--note", hostile+forged)
	offer.Env = append(os.Environ(), mallory.env...)
	if err := offer.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = offer.Process.Kill()
		_ = offer.Wait()
	}()
	anna.term.await("the lead") // the page of the hand-over
	eventually(t, "the words in the xterm", func() bool { return bytes.Contains(inXterm.read(inXterm.out), []byte("DENWP")) })
	time.Sleep(time.Second)

	inTmux.testify(typed)
	inXterm.testify(typed)
	seen := anna.term.screen()
	noForgery(t, seen)
	if got := anna.term.tmux("display-message", "-p", "#{pane_title} #{alternate_on} #{pane_width}x#{pane_height} #{window_bell_flag}"); !strings.HasSuffix(got, " 1 120x36 0\n") || strings.Contains(got, "PWNED") {
		t.Errorf("tmux says %q", got)
	}
	if out, err := exec.Command("tmux", "-S", anna.term.socket, "show-buffer").Output(); err == nil {
		t.Errorf("tmux's buffer holds %q", out)
	}
	if got := windowShape(t, display); got != shape || strings.Contains(got, "PWNED") {
		t.Errorf("the xterm was %q and is %q", shape, got)
	}
	if shots := os.Getenv("ASSIST_SHOTS"); shots != "" {
		mustRun(t, append(os.Environ(), "DISPLAY="+display), "import", "-window", "root", filepath.Join(shots, "hostile.png"))
		writeFile(t, filepath.Join(shots, "hostile.txt"), seen, 0o644)
	}
	line, err := os.ReadFile(tty)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, strings.TrimSpace(string(line)), "\x1b[i", 0) // print the screen as the xterm has it
	awaitFile(t, printed, "CHAT")
	b, err := os.ReadFile(printed)
	if err != nil {
		t.Fatal(err)
	}
	noForgery(t, string(b))
	if !bytes.Contains(b, []byte("DENWP")) { // as typed, left to right
		t.Errorf("the xterm does not show the words:\n%s", b)
	}
}

// lie writes names into the relay's database that it would never take.
func lie(t *testing.T, stage *demo.Stage) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(stage.RelayData(), "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0]+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE organisations SET title = ? WHERE handle = 'evil'", "Evil"+hostile); err != nil {
		t.Fatal(err)
	}
}

var eventLine = regexp.MustCompile(`(?m)^(.*[│ ])?· \d\d:\d\d (Sam|.*) ended the session|^\* Sam|^\d\d:\d\d:\d\d \*`)

// noForgery looks for a line of the session that nobody but the session may write: its mark stands right behind the edge of
// the chat.
func noForgery(t *testing.T, screen string) {
	t.Helper()
	for line := range strings.Lines(screen) {
		if m := eventLine.FindString(line); m != "" && !strings.Contains(m, "  · ") && !strings.Contains(m, "▌ ") { // words are farther in, or behind their own mark
			t.Errorf("forged: %q", line)
		}
	}
	for _, bad := range []string{"PWNED\n", "\u202e", "\u200b"} {
		if strings.Contains(screen, bad) {
			t.Errorf("%q is on the screen", bad)
		}
	}
}

// windowShape is title, icon title and size of the xterm, and whether anybody owns a selection.
func windowShape(t *testing.T, display string) string {
	t.Helper()
	env := append(os.Environ(), "DISPLAY="+display)
	id := visibleWindow(env, "--class", "xterm")
	c, err := xgb.NewConnDisplay(display)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out := mustRun(t, env, "xdotool", "getwindowname", id) + mustRun(t, env, "xdotool", "getwindowgeometry", id)
	for _, name := range []string{"PRIMARY", "CLIPBOARD"} {
		atom, err := xproto.InternAtom(c, false, uint16(len(name)), name).Reply()
		if err != nil {
			t.Fatal(err)
		}
		owner, err := xproto.GetSelectionOwner(c, atom.Atom).Reply()
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf("%s %d\n", name, owner.Owner)
	}
	return out
}
