//go:build desktop

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"assist/cmd/assist/demo"
)

// setWork is a server without a display whose host allows everything that verbs need, and its folder for files.
func setWork(t *testing.T) (*demo.Stage, string) {
	t.Helper()
	t.Setenv("DISPLAY", "")
	files, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return setStage(t, demo.Plan{Text: true, Host: []string{
		"--yes", "--allow", "view,control,chat,file,run", "--files", files, "--shell", "PS1='$ ' exec bash --norc -i",
	}}), files
}

// outcome is what a verb said.
type outcome struct {
	out, err string
	code     int
}

// askVerb runs a verb of the built binary as the stage's agent.
func askVerb(t *testing.T, stage *demo.Stage, stdin io.Reader, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(built(t), args...)
	cmd.Env = append(os.Environ(), stage.Environment()...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// contract plays what scripts rely on; where is CODE, URL or MACHINE.
func contract(t *testing.T, stage *demo.Stage, where, files string) {
	t.Helper()
	want := func(s outcome, code int, out string) {
		t.Helper()
		if s.code != code || !strings.Contains(s.out, out) {
			t.Errorf("exit code %d, want %d; stdout %.300q, want %q; stderr %q", s.code, code, s.out, out, s.err)
		}
	}
	want(askVerb(t, stage, nil, "wait", where, "--for", "joined", "--timeout", "30s"), 0, "")
	want(askVerb(t, stage, nil, "exec", where, "--", "exit", "7"), 7, "")
	want(askVerb(t, stage, nil, "exec", where, "--", "sh", "-c", "exit 7"), 7, "")
	want(askVerb(t, stage, nil, "exec", where, "--", "kill -9 $$"), 128+9, "")
	if s := askVerb(t, stage, strings.NewReader("abc\n"), "exec", where, "--", "tr a-z A-Z; echo err >&2"); s.out != "ABC\n" || !strings.HasSuffix(s.err, "err\n") || s.code != 0 {
		t.Errorf("streams: %+v", s)
	}
	big := strings.Repeat("0123456789abcdef", 1<<17)
	if s := askVerb(t, stage, strings.NewReader(big), "exec", where, "--", "cat"); s.out != big || s.code != 0 {
		t.Errorf("%d bytes of %d came back, exit code %d: %s", len(s.out), len(big), s.code, s.err)
	}
	want(askVerb(t, stage, nil, "exec", where, "--json", "--", "echo hi; exit 3"), 3, `{"status":3,"stdout":"hi\n","stderr":""}`)

	mark := "mark" + hex.EncodeToString([]byte(where))[:6]
	want(askVerb(t, stage, nil, "key", where, "ctrl+u"), 0, "")
	want(askVerb(t, stage, nil, "type", where, "echo "+mark+"-$((40+2))\n"), 0, "")
	eventually(t, "what was typed", func() bool {
		return strings.Contains(askVerb(t, stage, nil, "screen", where, "--text").out, mark+"-42\n")
	})
	var screen struct {
		Columns int
		Lines   []struct {
			Text  string
			Cells []struct{ Text string }
		}
	}
	if s := askVerb(t, stage, nil, "screen", where, "--json"); json.Unmarshal([]byte(s.out), &screen) != nil || screen.Columns == 0 || len(screen.Lines[0].Cells) != screen.Columns {
		t.Errorf("%.200s, %s", s.out, s.err)
	}
	want(askVerb(t, stage, nil, "screen", where, "--png", filepath.Join(t.TempDir(), "x.png")), 1, "")

	dir := t.TempDir()
	for name, b := range map[string][]byte{"empty" + mark: nil, "it's a $(touch x) name;" + mark: []byte("hello")} {
		writeFile(t, filepath.Join(dir, name), string(b), 0o644)
		sum := sha256.Sum256(b)
		want(askVerb(t, stage, nil, "put", where, filepath.Join(dir, name), ".", "--json"), 0, hex.EncodeToString(sum[:]))
		if there, err := os.ReadFile(filepath.Join(files, name)); err != nil || !bytes.Equal(there, b) {
			t.Errorf("%s there: %v", name, err)
		}
		want(askVerb(t, stage, nil, "get", where, name, filepath.Join(dir, "back"), "--force"), 0, "")
		if here, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || !bytes.Equal(here, b) {
			t.Errorf("%s back: %v", name, err)
		}
		want(askVerb(t, stage, nil, "put", where, filepath.Join(dir, name)), 1, "") // it is there
	}
	for _, dst := range []string{"../up", "/etc/passwd.new", "a\nb", "a\x1b[2Jb"} {
		want(askVerb(t, stage, nil, "put", where, filepath.Join(dir, "back"), dst), 2, "")
	}
	want(askVerb(t, stage, nil, "get", where, "/etc/passwd", dir), 2, "")
	want(askVerb(t, stage, nil, "get", where, "nothing", dir), 1, "")
	want(askVerb(t, stage, nil, "say", "--session", where, "done "+mark), 0, "")
}

func TestVerbsWithoutAConsole(t *testing.T) {
	stage, files := setWork(t)
	contract(t, stage, stage.URL, files)
	if s := askVerb(t, stage, nil, "exec", "00000000", "--", "true"); s.code != exitCode {
		t.Errorf("an unknown code: %+v", s)
	}
}

// TestVerbsThroughTheConsole works in the session that a console is in: nobody else comes in for it.
func TestVerbsThroughTheConsole(t *testing.T) {
	stage, files := setWork(t)
	console := openTerminal(t, stage.Environment(), 100, 30, built(t), "join", stage.URL)
	console.await("BROWSE", "$")
	ended := make(chan outcome, 1)
	go func() { ended <- askVerb(t, stage, nil, "wait", stage.Code, "--for", "ended", "--json") }()
	contract(t, stage, stage.Code, files)
	var roster []struct{ Consoles int }
	if s := askVerb(t, stage, nil, "roster", "--json"); json.Unmarshal([]byte(s.out), &roster) != nil || len(roster) != 2 || roster[1].Consoles != 1 {
		t.Errorf("in the session: %s", s.out)
	}
	if s := askVerb(t, stage, nil, "chat"); !strings.Contains(s.out, "runs: exit 7") || !strings.Contains(s.out, "has sent the file") {
		t.Errorf("the chat does not tell: %s", s.out)
	}
	if s := askVerb(t, stage, nil, "end", "--yes"); s.code != 0 {
		t.Errorf("%+v", s)
	}
	if s := <-ended; s.code != 0 || !strings.Contains(s.out, `"for":"ended"`) {
		t.Errorf("%+v", s)
	}
}

// TestExecInATerminal runs a full-screen program there, with a terminal of its own.
func TestExecInATerminal(t *testing.T) {
	stage, _ := setWork(t)
	term := openTerminal(t, append(stage.Environment(), "TERM=xterm-256color"), 90, 25, built(t), "exec", stage.URL, "--tty", "--", "stty size; exec less /etc/services")
	term.await("tcp")
	term.keys("q")
	if code := term.awaitExit(); code != "0" {
		t.Errorf("exit code %s:\n%s", code, term.screen())
	}
	term = openTerminal(t, stage.Environment(), 90, 25, built(t), "exec", stage.URL, "--tty", "--", "stty size; cat")
	term.await("25 90")
	term.keys("Enter", "~")
	term.text(".")
	if code := term.awaitExit(); code != "130" {
		t.Errorf("exit code %s:\n%s", code, term.screen())
	}
}

// TestLostLink: what runs there when the host is gone is lost, and says so as ssh does.
func TestLostLink(t *testing.T) {
	stage, _ := setWork(t)
	out, errs := &bytes.Buffer{}, &bytes.Buffer{}
	cmd := exec.Command(built(t), "exec", stage.URL, "--", "echo ready; sleep 1000")
	cmd.Env = append(os.Environ(), stage.Environment()...)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = io.MultiWriter(out, w), errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(stage.HostPID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitLost || !strings.Contains(errs.String(), "was lost") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestLargeFileOverACutLink sends and gets 1 GiB. Once the program is killed in the middle and run again, once the host does not
// answer for longer than a link lasts, and the same run goes on.
func TestLargeFileOverACutLink(t *testing.T) {
	stage, files := setWork(t)
	src := filepath.Join(t.TempDir(), "large")
	sum := fill(t, src, 1<<30)
	there := filepath.Join(files, "large")

	put := exec.Command(built(t), "put", stage.URL, src)
	put.Env = append(os.Environ(), stage.Environment()...)
	if err := put.Start(); err != nil {
		t.Fatal(err)
	}
	awaitSize(t, partFile(files, "large"), 100<<20)
	_ = put.Process.Kill()
	_ = put.Wait()
	if _, err := os.Stat(there); err == nil {
		t.Fatal("half a file has its name")
	}
	checkMoved(t, askVerb(t, stage, nil, "put", stage.URL, src, "--json"), sum, 90<<20)
	checkFile(t, there, sum)

	back := t.TempDir()
	done := make(chan outcome, 1)
	go func() { done <- askVerb(t, stage, nil, "get", stage.URL, "large", back, "--json") }()
	awaitSize(t, partFile(back, "large"), 100<<20)
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := syscall.Kill(stage.HostPID, s); err != nil {
			t.Fatal(err)
		}
		if s == syscall.SIGSTOP {
			time.Sleep(6 * time.Second) // longer than either end waits for the other
		}
	}
	checkMoved(t, <-done, sum, 90<<20)
	checkFile(t, filepath.Join(back, "large"), sum)
	for _, dir := range []string{files, back} {
		if all, _ := os.ReadDir(dir); len(all) != 1 {
			t.Errorf("%s has %d names", dir, len(all))
		}
	}
}

// fill writes n bytes that no two pieces of are alike, and returns their SHA-256.
func fill(t *testing.T, name string, n int64) string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zero, err := os.Open("/dev/urandom")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	h := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, h), zero, n); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func partFile(dir, name string) string { return filepath.Join(dir, "."+name+".assist-part") }

func awaitSize(t *testing.T, name string, n int64) {
	t.Helper()
	eventually(t, "bytes in "+filepath.Base(name), func() bool {
		fi, err := os.Stat(name)
		return err == nil && fi.Size() >= n
	})
}

func checkMoved(t *testing.T, s outcome, sum string, from int64) {
	t.Helper()
	var line struct {
		Size   int64
		SHA256 string
		From   int64 `json:"resumed_from"`
	}
	if err := json.Unmarshal([]byte(s.out), &line); err != nil || s.code != 0 || line.SHA256 != sum || line.From < from {
		t.Fatalf("%+v", s)
	}
}

func checkFile(t *testing.T, name, sum string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil || hex.EncodeToString(h.Sum(nil)) != sum {
		t.Errorf("%s: %v, another checksum", name, err)
	}
}
