package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptPatience is how long a script waits for what has to happen; it is no measure of speed.
const scriptPatience = 20 * time.Second

// TestMain lets a script run the verbs by the name assist: the test binary is the program then.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"assist": main, "stubconsole": stubConsole})
}

// TestScripts runs every verb as a script. Beside testscript's own commands there are
//
//	relay NAME [FLAG...]     starts assist relay on a free port of loopback with its data in $WORK/NAME, and waits until it
//	                         serves; then $NAME is its address, $NAME_KEY its fingerprint, $NAME_METRICS where
//	                         --metrics are. "relay NAME --listen $NAME" starts
//	                         it again where it was
//	end NAME [SIGNAL]        ends it (SIGTERM), and wants exit code 0 (unless SIGNAL is KILL)
//	exits CODE assist ...    runs it, and wants that exit code; stdin, stdout and stderr as with exec
//	user NAME                another person from here on: config and state folders of their own
//	console CODE             starts a console that is in a session of its own, without a relay, and waits until it answers
//	watched CODE PROGRAMS    waits until so many programs wait with that console for what comes
//	fetch URL                GETs it without checking the certificate: status and body become stdout
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"relay": scriptRelay, "end": scriptEnd, "exits": scriptExits, "user": scriptUser, "fetch": scriptFetch,
			"console": scriptConsole,
			"watched": scriptWatched,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("ASSIST_KEYRING", "off")
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "data"))
			e.Setenv("XDG_RUNTIME_DIR", filepath.Join(e.WorkDir, "run"))
			become(e.Setenv, e.WorkDir, "me")
			e.Values[relaysKey{}] = map[string]*scriptedRelay{}
			return nil
		},
	})
}

type relaysKey struct{}

type scriptedRelay struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // after done
}

func relaysOf(ts *testscript.TestScript) map[string]*scriptedRelay {
	return ts.Value(relaysKey{}).(map[string]*scriptedRelay)
}

func become(setenv func(k, v string), work, name string) {
	setenv("XDG_CONFIG_HOME", filepath.Join(work, "users", name, "config"))
	setenv("XDG_STATE_HOME", filepath.Join(work, "users", name, "state"))
}

func scriptUser(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: user NAME")
	}
	become(ts.Setenv, ts.Getenv("WORK"), args[0])
}

func scriptRelay(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: relay NAME [FLAG...]")
	}
	name := args[0]
	dir := ts.MkAbs(name)
	cmd := exec.Command(inPath(ts, "assist"), append([]string{"relay", "--listen", "127.0.0.1:0", "--data", dir, "--json"}, args[1:]...)...)
	cmd.Env = append(os.Environ(), "ASSIST_KEYRING=off")
	cmd.Dir = ts.MkAbs(".")
	log, err := os.Create(ts.MkAbs(name + ".log"))
	ts.Check(err)
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	r := &scriptedRelay{cmd: cmd, done: make(chan struct{})}
	relaysOf(ts)[name] = r
	ready := make(chan map[string]string, 1)
	go func() {
		var said map[string]string
		line, _ := bufio.NewReader(out).ReadBytes('\n')
		_ = json.Unmarshal(line, &said) // nil is noticed below
		ready <- said
		_, _ = io.Copy(io.Discard, out)
		r.err = cmd.Wait()
		close(r.done)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-r.done
	})
	select {
	case said := <-ready:
		if said["event"] != "ready" {
			ts.Fatalf("the relay says %v: %s", said, ts.ReadFile(name+".log"))
		}
		ts.Setenv(name, said["addr"])
		ts.Setenv(name+"_KEY", said["fingerprint"])
		ts.Setenv(name+"_METRICS", said["metrics"])
	case <-time.After(scriptPatience):
		ts.Fatalf("the relay is not ready: %s", ts.ReadFile(name+".log"))
	}
}

func scriptEnd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 || relaysOf(ts)[args[0]] == nil {
		ts.Fatalf("usage: end NAME [SIGNAL]")
	}
	r := relaysOf(ts)[args[0]]
	sig := syscall.SIGTERM
	if len(args) > 1 {
		sig = map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[1]]
	}
	ts.Check(r.cmd.Process.Signal(sig))
	select {
	case <-r.done:
	case <-time.After(scriptPatience):
		ts.Fatalf("the relay does not stop")
	}
	if r.err != nil && sig != syscall.SIGKILL {
		ts.Fatalf("the relay ends with %v: %s", r.err, ts.ReadFile(args[0]+".log"))
	}
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptFetch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: fetch URL")
	}
	client := &http.Client{Timeout: scriptPatience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	resp, err := client.Get(args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s", resp.StatusCode, body)
}

// inPath finds a program where the script would.
func inPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && !st.IsDir() && !strings.HasSuffix(path, "/") {
			return path
		}
	}
	ts.Fatalf("no %s in PATH", name)
	return ""
}
