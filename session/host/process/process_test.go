//go:build unix

package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ran is what a command said and how it ended.
type ran struct {
	Result
	out, err string
}

func run(t *testing.T, s Spec, meanwhile func(*Process)) ran {
	t.Helper()
	p, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	var busy sync.WaitGroup
	if meanwhile != nil {
		busy.Go(func() { meanwhile(p) })
	}
	var out, errs bytes.Buffer
	keep := func(to *bytes.Buffer) func([]byte) error {
		return func(b []byte) error { to.Write(b); return nil }
	}
	result := p.Wait(keep(&out), keep(&errs))
	busy.Wait()
	return ran{result, out.String(), errs.String()}
}

func TestOutputAndStatus(t *testing.T) {
	for _, x := range []struct {
		script string
		want   ran
	}{
		{"exit 7", ran{Result{Status: 7}, "", ""}},
		{"echo one; echo two >&2", ran{Result{}, "one\n", "two\n"}},
		{"kill -9 $$", ran{Result{Signal: 9}, "", ""}},
		{"no-such-program-here", ran{Result{Status: 127}, "", ""}},
		{"printf '%s' \"$WORD\"", ran{Result{}, "a b", ""}},
	} {
		got := run(t, Spec{Script: x.script, Env: []string{"WORD=a b"}}, func(p *Process) { _ = p.Stdin().Close() })
		if x.want.Status == 127 {
			got.err = ""
		}
		if got != x.want {
			t.Errorf("%s: %+v", x.script, got)
		}
	}
}

func TestFolder(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, Spec{Script: "pwd -P", Folder: dir}, nil); got.out != dir+"\n" {
		t.Errorf("%+v", got)
	}
	if _, err := Start(Spec{Script: "pwd", Folder: filepath.Join(dir, "no")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestStdinAndMuchOutput(t *testing.T) {
	const size = 5 << 20
	got := run(t, Spec{Script: "cat; echo done >&2"}, func(p *Process) {
		_, _ = io.Copy(p.Stdin(), strings.NewReader(strings.Repeat("x", size)))
		_ = p.Stdin().Close()
	})
	if len(got.out) != size || got.err != "done\n" || got.Status != 0 {
		t.Errorf("%d bytes of %d, %q, %+v", len(got.out), size, got.err, got.Result)
	}
}

func TestSignalsReachTheGroup(t *testing.T) {
	got := run(t, Spec{Script: "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 0.05; done"}, func(p *Process) {
		time.Sleep(200 * time.Millisecond)
		p.Signal(int(syscall.SIGINT))
	})
	if got.out != "ready\ncaught\n" || got.Status != 3 {
		t.Errorf("%+v", got)
	}
}

// TestWhatItStartedEndsWithIt: children that hold the pipe neither outlive a command nor hold it up.
func TestWhatItStartedEndsWithIt(t *testing.T) {
	for name, x := range map[string]struct {
		script string
		kill   bool
	}{
		"left behind": {"sleep 1000 & echo $!", false},
		"killed":      {"sleep 1000 & echo $!; sleep 1000", true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Start(Spec{Script: x.script})
			if err != nil {
				t.Fatal(err)
			}
			pid := 0
			result := p.Wait(func(b []byte) error {
				pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
				if x.kill {
					p.Kill()
				}
				return nil
			}, func([]byte) error { return nil })
			if err != nil || x.kill != (result.Signal == int(syscall.SIGKILL)) {
				t.Errorf("%v, %+v", err, result)
			}
			for end := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("process %d lives on", pid)
				}
			}
			p.Signal(int(syscall.SIGTERM)) // nobody's number any more: nothing happens
		})
	}
}

// alive says whether a process runs; a dead one that nobody has asked about does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !os.IsNotExist(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestTerminal(t *testing.T) {
	got := run(t, Spec{Script: "stty size; read x; stty size; echo got $x; exit 4", Columns: 90, Rows: 30}, func(p *Process) {
		time.Sleep(200 * time.Millisecond)
		p.Resize(100, 40)
		_, _ = p.Stdin().Write([]byte("word\n"))
	})
	for _, want := range []string{"30 90\r\n", "40 100\r\n", "got word\r\n"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in %q", want, got.out)
		}
	}
	if got.Status != 4 {
		t.Errorf("%+v", got)
	}
}

func TestNobodyReads(t *testing.T) {
	p, err := Start(Spec{Script: "yes | head -c 1000000; exit 5"})
	if err != nil {
		t.Fatal(err)
	}
	gone := func([]byte) error { return errors.New("gone") }
	if got := p.Wait(gone, gone); got.Status != 5 {
		t.Errorf("%+v", got)
	}
}
