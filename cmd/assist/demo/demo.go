// Package demo puts a relay, a customer's host and an agent on one machine, so that `assist demo` shows the whole path.
//
// It only starts the program's own verbs, as a person would type them, with folders of its own that are gone afterwards.
// Everything it started ends with it.
package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// account is the agent of the demo; its password is made anew each time and lives as long as the demo.
const account = "alex@demo"

// ready is how long each program may take until it says that it serves.
const ready = 30 * time.Second

// Stage is a relay and a host that shares a desktop, waiting for an agent who is already signed in.
type Stage struct {
	Display string // the desktop that is shared; empty: a terminal is
	Typed   string // file that what is typed into the desktop's terminal lands in; empty without script
	Code    string // of the session
	URL     string // to join it
	Relay   string // address
	Pin     string // the relay's key

	RelayPID, HostPID int

	dir       string
	self      string // this program
	processes *processes
}

// Plan is what to put on the stage.
type Plan struct {
	Program string   // path of assist itself
	Display string   // to share; empty: a desktop of its own is made
	Text    bool     // share a terminal and no desktop
	Script  bool     // nobody looks: a desktop of its own in any case, whose terminal keeps what is typed
	Host    []string // more flags for the host; none: it says yes to everything by itself
}

// Set starts everything.
func Set(ctx context.Context, plan Plan) (*Stage, error) {
	dir, err := os.MkdirTemp("", "assist-demo-")
	if err != nil {
		return nil, err
	}
	s := &Stage{Display: plan.Display, dir: dir, self: plan.Program, processes: &processes{dir: dir}}
	for _, v := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"} {
		folder := filepath.Join(dir, strings.ToLower(v))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
		s.processes.env = append(s.processes.env, v+"="+folder)
	}
	s.processes.env = append(s.processes.env, "ASSIST_KEYRING=off")
	if err := s.set(ctx, plan); err != nil {
		s.Strike()
		return nil, err
	}
	return s, nil
}

func (s *Stage) set(ctx context.Context, plan Plan) error {
	if plan.Text {
		s.Display = ""
		if plan.Script {
			s.Typed = filepath.Join(s.dir, "typed")
		}
	} else if plan.Script || s.Display == "" {
		d, err := startDesktop(ctx, s.processes, s.dir, plan.Script)
		if err != nil {
			return err
		}
		s.Display, s.Typed = d.display, d.typed
	}
	if err := s.startRelay(ctx); err != nil {
		return err
	}
	if err := s.signIn(ctx); err != nil {
		return err
	}
	return s.startHost(ctx, plan.Host)
}

func (s *Stage) startRelay(ctx context.Context) error {
	var said struct{ Event, Addr, Fingerprint string }
	pid, err := s.startVerb(ctx, &said, "ready", "relay", "--listen", "127.0.0.1:0", "--data", s.RelayData(), "--json")
	s.Relay, s.Pin, s.RelayPID = said.Addr, said.Fingerprint, pid
	return err
}

// signIn makes an organisation and an agent, and signs the agent in.
func (s *Stage) signIn(ctx context.Context) error {
	password := randomPassword()
	if err := s.verb(ctx, "", "relay", "org", "add", "demo", "--title", "Demo Support", "--data", s.RelayData()); err != nil {
		return err
	}
	if err := s.verb(ctx, password, "relay", "agent", "add", account, "--data", s.RelayData(), "--password-stdin"); err != nil {
		return err
	}
	return s.verb(ctx, password, "login", s.Relay, "--user", account, "--password-stdin", "--relay-key", s.Pin)
}

func (s *Stage) startHost(ctx context.Context, flags []string) error {
	if flags == nil {
		flags = []string{"--yes", "--allow", "view,control,chat,diag"}
	}
	shares := []string{"--display", s.Display}
	if s.Display == "" {
		shares = []string{"--text"}
		if s.Typed != "" {
			shares = append(shares, "--shell", "cat > "+s.Typed)
		}
	}
	args := append(append([]string{"host", "--relay", s.Relay, "--relay-key", s.Pin, "--json"}, shares...), flags...)
	var said struct{ Event, Code, URL string }
	pid, err := s.startVerb(ctx, &said, "code", args...)
	s.Code, s.URL, s.HostPID = said.Code, said.URL, pid
	return err
}

// Console is the command that opens the agent's console on this stage, in the terminal it is given.
func (s *Stage) Console() *exec.Cmd {
	cmd := exec.Command(s.self, "join", s.URL)
	cmd.Env = append(os.Environ(), s.processes.env...)
	return cmd
}

// Environment is what the agent of this stage has on top of the usual: folders of its own.
func (s *Stage) Environment() []string { return s.processes.env }

// Strike ends all that was started and removes its folders.
func (s *Stage) Strike() {
	s.processes.stop()
	_ = os.RemoveAll(s.dir) // a temporary folder; the system clears it too
}

// RelayData is the folder of the relay, for its local verbs.
func (s *Stage) RelayData() string { return filepath.Join(s.dir, "relay") }

// verb runs one of the program's own verbs to its end.
func (s *Stage) verb(ctx context.Context, stdin string, args ...string) error {
	cmd := exec.Command(s.self, args...)
	var words strings.Builder
	cmd.Stderr = &words
	if err := s.processes.run(ctx, cmd, strings.NewReader(stdin)); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(words.String()))
	}
	return nil
}

// startVerb starts a verb that goes on, reads its NDJSON until the event that says it is ready, into said, and returns its
// process id.
func (s *Stage) startVerb(ctx context.Context, said any, event string, args ...string) (pid int, err error) {
	cmd := exec.Command(s.self, args...)
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd.Stdout = w
	_, err = s.processes.start(ctx, cmd)
	w.Close()
	if err != nil {
		r.Close()
		return 0, err
	}
	lines := bufio.NewReader(r)
	if err := await(r, lines, said, event); err != nil {
		r.Close()
		return 0, fmt.Errorf("assist %s: it never said %q: %w", args[0], event, err)
	}
	go func() { // what it says later is nobody's, but its pipe must not fill
		_, _ = io.Copy(io.Discard, lines)
		r.Close()
	}()
	return cmd.Process.Pid, nil
}

// await reads NDJSON until the event, which it decodes into said.
func await(r *os.File, lines *bufio.Reader, said any, event string) error {
	if err := r.SetReadDeadline(time.Now().Add(ready)); err != nil {
		return err
	}
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		var kind struct{ Event string }
		if json.Unmarshal(line, &kind) != nil || kind.Event != event {
			continue
		}
		if err := json.Unmarshal(line, said); err != nil {
			return err
		}
		return r.SetReadDeadline(time.Time{})
	}
}
