//go:build lab

package consolebench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"assist/screen"
	"assist/screen/console"
	"assist/screen/console/consoletest"
	"assist/screen/console/vt"
	"assist/session"
	"assist/session/agent"
	words "assist/session/console"
	"assist/session/host"
	"assist/session/sessiontest"
	"assist/transport"
)

func TestMain(m *testing.M) {
	consoletest.Feed()
	os.Exit(m.Run())
}

const patience = 60 * time.Second

// stage is a relay, a host that shares a command, and an agent who looks and controls; all on loopback.
type stage struct {
	t     testing.TB
	relay *sessiontest.Relay
	agent *sessiontest.Console
	count *counter
}

func newStage(t testing.TB, command string) *stage {
	t.Helper()
	text, err := console.Open(console.Options{Shell: command, Size: consoletest.Size})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, relay: sessiontest.NewRelay(t)}
	h := s.relay.NewHost(func(c *host.Config) {
		c.Source, c.Injector, c.Text = nil, nil, text
		c.Answer = &host.AutoAnswer{Allow: session.AllGrants}
		c.Options.Path = transport.PathRelay
	})
	conf := s.relay.Config(s.relay.NewAgent("max@acme"), h.Code)
	conf.Options.Path = transport.PathRelay // through the proxy that counts
	conf.Relay.Addr, s.count = udpProxy(t, conf.Relay.Addr)
	s.agent = sessiontest.Run(t, agent.Join(conf))
	s.until("the text", func() bool { return s.agent.State().Phase == words.In && s.agent.State().Text.Offered })
	s.agent.LookText(true, consoletest.Size)
	s.agent.Do(words.TakeControl{})
	s.until("a state", func() bool { return s.agent.Text() != nil })
	return s
}

// until looks at every change.
func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	late := time.After(patience)
	for !ok() {
		select {
		case <-s.agent.Changed():
		case <-late:
			s.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// restTime is how long each is watched at rest: what it sends then, to know that the other side is there, is not the session's.
const restTime = 4 * time.Second

// rounds is how often each session is played; the least of each counts, for packets that a busy machine makes them send again
// say nothing about them.
const rounds = 2

// warmUp is how many keys are sent before anything is counted.
const warmUp = 80

// TestBytes plays recordings to assist, mosh and ssh at the same time and counts what each sends, both ways, from the first
// byte of the program to two seconds after the last, above what it sends at rest in as long a time.
func TestBytes(t *testing.T) {
	server := startSSHD(t)
	sessions := append([]consoletest.Session(nil), consoletest.Sessions...)
	sessions = append(sessions, consoletest.Session{Name: "flood, 3 MB", Argv: []string{"sh", "-c", "sleep 1; seq -f 'line %07g of a flood of output' 90000; sleep 30"}, Steps: []consoletest.Step{{Rest: 4 * time.Second}}})
	var rows []string
	for _, sess := range sessions {
		t.Run(sess.Name, func(t *testing.T) {
			rec, err := consoletest.Record(sess, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			least := race(t, server, rec)
			for range rounds - 1 {
				least = least.least(race(t, server, rec))
			}
			rows = append(rows, fmt.Sprintf("| %s | %d | %d | %d | %d | %.0f, %.0f, %.0f |", sess.Name, len(rec.Bytes()),
				least.bytes[0], least.bytes[1], least.bytes[2], least.rest[0], least.rest[1], least.rest[2]))
			if least.bytes[0] >= least.bytes[1] {
				t.Errorf("%d bytes, mosh %d", least.bytes[0], least.bytes[1])
			}
		})
	}
	t.Logf("bytes on the wire, both ways (payload of UDP or TCP), above what each sends at rest:\n"+
		"| session | program | assist | mosh | ssh | at rest, bytes/s: assist, mosh, ssh |\n|---|---|---|---|---|---|\n%s", strings.Join(rows, "\n"))
}

// sent is what assist, mosh and ssh sent: in all, at rest in a second, and, by the least of both, above rest.
type sent struct {
	all, bytes [3]int
	rest       [3]float64
	took       float64 // seconds
}

func (a sent) least(b sent) sent {
	for i := range a.all {
		a.all[i], a.rest[i], a.took = min(a.all[i], b.all[i]), min(a.rest[i], b.rest[i]), min(a.took, b.took)
	}
	return a.above()
}

func (a sent) above() sent {
	for i := range a.all {
		a.bytes[i] = a.all[i] - int(a.rest[i]*a.took)
	}
	return a
}

// race plays a recording to all three at once.
func race(t *testing.T, server sshd, rec *consoletest.Recording) (out sent) {
	t.Helper()
	var s *stage
	var counts []*counter
	var files []string
	for _, name := range []string{"assist", "mosh", "ssh"} {
		file := filepath.Join(t.TempDir(), name)
		if err := rec.Save(file); err != nil {
			t.Fatal(err)
		}
		command, err := consoletest.ReplayCommand(file)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		switch name {
		case "assist":
			s = newStage(t, command)
			counts = append(counts, s.count)
			defer s.same(rec)
		case "mosh":
			counts = append(counts, mosh(t, command))
		default:
			counts = append(counts, server.run(t, command))
		}
	}
	for range warmUp { // the replay reads no keys; QUIC looks for the path's MTU with the first packets of a link
		s.press('x')
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(2 * time.Second) // all have connected
	idle := totals(counts)
	time.Sleep(restTime)
	before, begun, states := totals(counts), time.Now(), s.agent.Text().Seq
	for _, f := range files {
		if err := os.WriteFile(f+".go", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(f + ".done"); err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not through", f)
			}
		}
	}
	time.Sleep(2 * time.Second)
	after := totals(counts)
	out.took = time.Since(begun).Seconds()
	for i := range out.all {
		out.rest[i] = float64(before[i]-idle[i]) / restTime.Seconds()
		out.all[i] = int(after[i] - before[i])
	}
	out = out.above()
	t.Logf("%d states; %v bytes above rest", s.agent.Text().Seq-states, out.bytes)
	return out
}

func totals(counts []*counter) (out []int64) {
	for _, c := range counts {
		out = append(out, c.sum())
	}
	return out
}

// same checks that what was counted led to the right screen.
func (s *stage) same(rec *consoletest.Recording) {
	s.t.Helper()
	term := vt.New(consoletest.Size)
	_, _ = term.Write(rec.Bytes())
	want := shown(term.Grid())
	s.until("the last screen", func() bool { return shown(s.agent.Text()) == want })
}

func shown(g *screen.TextGrid) string {
	var b strings.Builder
	for _, r := range g.Rows {
		b.WriteString(strings.TrimRight(r.Text(), " ") + "\n")
	}
	return b.String()
}

// TestKeys measures from a key to a changed cell at the agent, beside the program's own echo on a terminal of its own.
func TestKeys(t *testing.T) {
	const keys, rest = 300, 30 * time.Millisecond
	own := echoes(t, keys, rest)
	s := newStage(t, "exec cat")
	time.Sleep(300 * time.Millisecond)
	var all []time.Duration
	for i := range keys {
		x := i % 70
		if x == 0 {
			s.press(screen.KeyEnter)
			time.Sleep(10 * rest)
		}
		before := s.agent.Text().Cursor.At
		begun := time.Now()
		s.press('a' + screen.Key(i%26))
		s.until("the key's cell", func() bool { return s.agent.Text().Cursor.At != before })
		all = append(all, time.Since(begun))
		time.Sleep(rest)
	}
	p50, p95 := at(all, 0.5)-at(own, 0.5), at(all, 0.95)-at(own, 0.95)
	t.Logf("key to changed cell at the agent: p50 %v, p95 %v; the program's own echo: p50 %v, p95 %v; above it: %v, %v",
		at(all, 0.5), at(all, 0.95), at(own, 0.5), at(own, 0.95), p50, p95)
	if p50 > 5*time.Millisecond || p95 > 15*time.Millisecond {
		t.Errorf("%v and %v above the program's own echo; 5 ms and 15 ms are wanted", p50, p95)
	}
}

func (s *stage) press(k screen.Key) {
	s.t.Helper()
	s.until("input to be taken", func() bool {
		return s.agent.Input(screen.Input{Kind: screen.KeyTap, Key: k, ToText: true})
	})
}

func at(all []time.Duration, q float64) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[int(q*float64(len(all)-1))]
}

// echoes are how long the same program takes on a bare pseudo-terminal.
func echoes(t testing.TB, keys int, rest time.Duration) (all []time.Duration) {
	t.Helper()
	f, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer tty.Close()
	buf := make([]byte, 64)
	for range keys {
		begun := time.Now()
		_, _ = f.Write([]byte("a"))
		if _, err := f.Read(buf); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(begun))
		time.Sleep(rest / 10)
	}
	return all
}

// TestKeyInAFlood measures a key while 3 MB pour over the screen.
func TestKeyInAFlood(t *testing.T) {
	command, err := consoletest.FloodCommand(3 << 20)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, command)
	s.until("the program", func() bool { return strings.Contains(shown(s.agent.Text()), "ready") })
	var all []time.Duration
	done := func() bool { return strings.Contains(row(s.agent.Text(), 23), "done") }
	for i := 0; i < 40; i++ {
		key := 'a' + screen.Key(i%26)
		begun := time.Now()
		s.press(key)
		s.until("the key's cell", func() bool { return strings.Contains(row(s.agent.Text(), 23), fmt.Sprintf("<%c>", rune(key))) })
		all = append(all, time.Since(begun))
		if done() && i > 3 {
			break
		}
	}
	s.until("the end of the flood", done)
	t.Logf("%d keys in a flood of 3 MB: p50 %v, longest %v", len(all), at(all, 0.5), at(all, 1))
	if at(all, 1) > 200*time.Millisecond {
		t.Errorf("a key took %v", at(all, 1))
	}
}

func row(g *screen.TextGrid, y int) string { return g.Rows[y].Text() }
