package sessiontest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/agent"
	"assist/session/agent/work"
	"assist/session/console"
	"assist/session/host"
	"assist/session/inner"
	"assist/transport/wire"
)

// runHost is a host whose events are kept.
func runHost(r *Relay, allow session.Grants) (*Host, func() []host.Event) {
	var mu sync.Mutex
	var events []host.Event
	h := r.NewHost(func(c *host.Config) {
		c.Answer = &host.AutoAnswer{Allow: allow}
		inform := c.Events
		c.Events = func(e host.Event) {
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
			inform(e)
		}
	})
	return h, func() []host.Event {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(events)
	}
}

const mayRun = session.View | session.Chat | session.Run

// worker is a console that has a grant.
func worker(t *testing.T, r *Relay, h *Host, handle string, want session.Grants) *Console {
	t.Helper()
	conf := r.Config(r.NewAgent(handle), h.Code)
	conf.Want = want
	c := Run(t, agent.Join(conf))
	c.Phase(console.In)
	must(t, c.Obtain(t.Context(), want))
	return c
}

func runOn(t *testing.T, c *Console, cmd work.Command) (out, errs string, ended work.Ended, err error) {
	t.Helper()
	s, err := c.Open(t.Context(), wire.StreamRun)
	must(t, err)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	ended, err = work.Run(t.Context(), s, cmd)
	return o.String(), e.String(), ended, err
}

func TestRunCommand(t *testing.T) {
	r := NewRelay(t)
	h, events := runHost(r, mayRun)
	c := worker(t, r, h, "anna@acme", mayRun)
	for _, x := range []struct {
		words     []string
		stdin     string
		out, errs string
		ended     work.Ended
	}{
		{[]string{"exit", "7"}, "", "", "", work.Ended{Status: 7}},
		{[]string{"sh", "-c", "exit 7"}, "", "", "", work.Ended{Status: 7}},
		{[]string{"echo a  b; echo c >&2"}, "", "a b\n", "c\n", work.Ended{}},
		{[]string{"printf", "%s|", "a  b", "it's", "$HOME", "*", ""}, "", "a  b|it's|$HOME|*||", "", work.Ended{}},
		{[]string{"cat"}, strings.Repeat("0123456789", 200_000), strings.Repeat("0123456789", 200_000), "", work.Ended{}},
		{[]string{"head", "-c", "3"}, strings.Repeat("x", 3<<20), "xxx", "", work.Ended{}},
		{[]string{"kill -TERM $$"}, "", "", "", work.Ended{Signal: 15}},
		{[]string{"pwd"}, "", "/\n", "", work.Ended{}},
		{[]string{"echo $WORD"}, "", "from here\n", "", work.Ended{}},
	} {
		out, errs, ended, err := runOn(t, c, work.Command{Words: x.words, Stdin: strings.NewReader(x.stdin), Folder: "/", Env: []string{"WORD=from here"}})
		if err != nil || out != x.out || errs != x.errs || ended != x.ended {
			t.Errorf("%q: %d bytes, %q, %+v, %v", x.words, len(out), errs, ended, err)
		}
	}
	if _, _, _, err := runOn(t, c, work.Command{Words: []string{"pwd"}, Folder: "/no/such/folder"}); !refusedWith(err, inner.RunFailed) {
		t.Errorf("a folder that is not there: %v", err)
	}
	all := events()
	i := slices.IndexFunc(all, func(e host.Event) bool { return e.Event == "command" })
	if i < 0 || all[i].Text != "exit 7" || all[i].Handle != "anna@acme" || all[i+1].Event != "command_over" || all[i+1].Why != "exit 7" {
		t.Errorf("events: %+v", all[max(i, 0):])
	}
	h.Customer.Wait("the command in the log", func(v host.View) bool {
		return len(v.Log) > 0 && slices.ContainsFunc(v.Log, func(e chat.Entry) bool { return e.Text == "runs: exit 7" })
	})
}

func refusedWith(err error, code uint32) bool {
	var no *inner.RunRefusedError
	return errors.As(err, &no) && no.Code == code
}

// TestCommandEndsWithItsLease: when the customer takes the grant back, all that was started ends, and the agent is told.
func TestCommandEndsWithItsLease(t *testing.T) {
	for name, take := range map[string]func(*Host, *Console){
		"taken back": func(h *Host, _ *Console) { h.Customer.Do(host.Revoke{Member: session.Nobody, Grants: session.Run}) },
		"stopped":    func(h *Host, _ *Console) { h.Stop() },
		"killed":     func(_ *Host, c *Console) { c.kill() },
		"sent out":   func(h *Host, c *Console) { h.Customer.Do(host.Remove{Member: c.State().Self}) },
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRelay(t)
			h, _ := runHost(r, mayRun)
			c := worker(t, r, h, "anna@acme", mayRun)
			pids := filepath.Join(t.TempDir(), "pids")
			s, err := c.Open(t.Context(), wire.StreamRun)
			must(t, err)
			done := make(chan struct{})
			var ended work.Ended
			go func() {
				defer close(done)
				ended, err = work.Run(t.Context(), s, work.Command{
					Words: []string{"sleep 1000 & echo $! > " + pids + ".new; echo $$ >> " + pids + ".new; mv " + pids + ".new " + pids + "; trap '' TERM HUP INT; sleep 1000"}, Stdout: io.Discard, Stderr: io.Discard,
				})
			}()
			var b []byte
			Until(t, "the command to run", nil, func() bool { b, _ = os.ReadFile(pids); return len(b) > 0 })
			take(h, c)
			for _, pid := range strings.Fields(string(b)) {
				n, err := strconv.Atoi(pid)
				must(t, err)
				Until(t, "process "+pid+" to end", nil, func() bool { return !running(n) })
			}
			<-done
			switch {
			case ended.TakenBack != "": // whoever goes may hear it or not
			case name == "taken back", !errors.Is(err, work.ErrLost):
				t.Errorf("%+v, %v", ended, err)
			}
		})
	}
}

// running says whether a process runs; one that only waits to be asked about does not.
func running(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

func TestCommandGetsSignalsPastItsStdin(t *testing.T) {
	r := NewRelay(t)
	h, _ := runHost(r, mayRun)
	c := worker(t, r, h, "anna@acme", mayRun)
	s, err := c.Open(t.Context(), wire.StreamRun)
	must(t, err)
	signals := make(chan int, 1)
	out, pipe := io.Pipe()
	go func() {
		b := make([]byte, 6)
		_, _ = io.ReadFull(out, b) // it runs, and never reads its stdin
		signals <- int(syscall.SIGINT)
		_, _ = io.Copy(io.Discard, out)
	}()
	ended, err := work.Run(t.Context(), s, work.Command{
		Words: []string{"trap 'exit 9' INT; echo ready; while :; do sleep 0.02; done"}, Signals: signals,
		Stdin: endless{}, Stdout: pipe, Stderr: io.Discard,
	})
	if err != nil || ended.Status != 9 {
		t.Errorf("%+v, %v", ended, err)
	}
	_ = pipe.Close()
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestMaliciousRuns: what a console sends that has no grant, or no manners.
func TestMaliciousRuns(t *testing.T) {
	r := NewRelay(t)
	h, _ := runHost(r, session.View|session.Chat)
	x := r.rogue(t, r.NewAgent("eve@evil"), h)
	x.welcome(t)
	marker := filepath.Join(t.TempDir(), "marker")
	begin := &inner.ToRun{Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{Words: []string{"touch", marker}}}}}}
	code, lost := x.run(t, begin)
	if code != inner.RunNotGiven || lost {
		t.Errorf("without the grant: %d, %v", code, lost)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Fatal("the command ran without the grant")
	}

	h, _ = runHost(r, mayRun)
	x = r.rogue(t, r.NewAgent("mallory@evil"), h)
	x.welcome(t)
	x.say(t, &inner.ToHost{Id: 1, Kind: &inner.ToHost_AskGrants{AskGrants: &inner.AskGrants{Grants: uint32(session.Run)}}})
	x.hear(t, "the grant", func(m *inner.ToConsole) bool {
		r, err := inner.ParseRoster(m.GetRoster())
		return err == nil && slices.ContainsFunc(r.Members, func(m session.Member) bool { return m.Role == session.Lead && m.Grants.Has(session.Run) })
	})
	for name, m := range map[string]*inner.ToRun{
		"nothing":      {},
		"stdin first":  {Kind: &inner.ToRun_Stdin{Stdin: []byte("x")}},
		"no action":    {Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{}}},
		"no words":     {Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{}}}}},
		"a NUL":        {Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{Words: []string{"a\x00b"}}}}}},
		"too much env": {Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{Words: []string{"true"}, Env: slices.Repeat([]string{"A=b"}, 65)}}}}},
	} {
		if code, lost := x.run(t, m); code != inner.RunMalformed || lost {
			t.Errorf("%s: %d, %v", name, code, lost)
		}
	}
	sleeper := &inner.ToRun{Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{Words: []string{"sleep 1000"}}}}}}
	var last uint32
	for range 9 {
		last, _ = x.run(t, sleeper)
	}
	if last != inner.RunTooMany {
		t.Errorf("the ninth command at once: %d", last)
	}
}

// run opens a stream and says m; it returns the refusal's number, 0 when it was begun.
func (x *rogue) run(t *testing.T, m *inner.ToRun) (code uint32, lost bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := x.link.OpenStream(ctx, wire.StreamRun)
	must(t, err)
	must(t, wire.WriteMsg(s, m))
	must(t, s.SetReadDeadline(time.Now().Add(patience)))
	got, err := inner.ReadFromRun(s)
	return got.GetRefused().GetCode(), err != nil
}

// TestStdinBeyondWhatIsWanted: a console that floods a command's stdin loses it, and the host keeps no more than it wanted.
func TestStdinBeyondWhatIsWanted(t *testing.T) {
	r := NewRelay(t)
	h, _ := runHost(r, mayRun)
	c := worker(t, r, h, "anna@acme", mayRun)
	s, err := c.Open(t.Context(), wire.StreamRun)
	must(t, err)
	must(t, wire.WriteMsg(s, &inner.ToRun{Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: &inner.RunCommand{Words: []string{"sleep 1000"}}}}}}))
	piece := make([]byte, inner.MaxRunPiece)
	go func() {
		for wire.WriteMsg(s, &inner.ToRun{Kind: &inner.ToRun_Stdin{Stdin: piece}}) == nil {
		}
	}()
	for {
		m, err := inner.ReadFromRun(s)
		if over := m.GetOver(); over != nil {
			if over.GetSignal() != uint32(syscall.SIGKILL) {
				t.Errorf("%+v", over)
			}
			return
		}
		must(t, err)
	}
}
