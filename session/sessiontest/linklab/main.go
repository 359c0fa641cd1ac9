//go:build lab && linux

// Command linklab puts the whole stack on bad lines and writes down what it does there: the built relay, and a host and a
// console with a painted display and a recorder in place of a desktop, each a process of its own in a network namespace of
// its own. Lines are TUN devices whose packets pass through this process, boxes are nftables. Everything happens in
// namespaces and on loopback; they are removed at the end.
//
// It is the parent of all processes and ends them. A row that a machine cannot do says so in place of its result; a result
// over its target makes the program fail at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	bin    = flag.String("bin", "bin/assist", "the built binary, whose relay is used")
	out    = flag.String("out", "", "file to write the table to; empty: stdout")
	only   = flag.String("rows", "keys,kill,roam,paths,partitions", "groups of rows")
	keys   = flag.Int("keys", 2000, "keystrokes at each loss")
	kills  = flag.Int("kills", 50, "kills of the relay")
	rebind = flag.Duration("rebind", time.Minute, "how long a NAT rebinds every 5 s")
	away   = flag.String("away", "5s,20s,60s", "lengths of partitions")

	role = flag.String("role", "", "what a child process is (used by the program itself)")
	ask  child
)

// row is one line of the table.
type row struct {
	what, target, result string
	ok                   bool
	group                string
}

// lab is one run.
type lab struct {
	ctx  context.Context
	dir  string
	self string
	bin  string
	rows []row
}

func main() {
	ask.flags()
	flag.Parse()
	if *role != "" {
		if err := ask.run(*role); err != nil {
			fmt.Fprintln(os.Stderr, "linklab:", *role+":", err)
			os.Exit(1)
		}
		return
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "linklab:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l := &lab{ctx: ctx}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return err
	}
	if l.bin, err = filepath.Abs(*bin); err != nil {
		return err
	}
	if l.dir, err = os.MkdirTemp("", "linklab"); err != nil {
		return err
	}
	defer os.RemoveAll(l.dir)
	if err := os.Mkdir(l.files(), 0o700); err != nil {
		return err
	}
	for _, g := range []struct {
		name string
		run  func() error
	}{{"keys", l.keys}, {"kill", l.kill}, {"roam", l.roam}, {"paths", l.paths}, {"partitions", l.partitions}} {
		if !slices.Contains(strings.Split(*only, ","), g.name) || ctx.Err() != nil {
			continue
		}
		from := len(l.rows)
		began := time.Now()
		if err := g.run(); err != nil {
			l.add(g.name, "", "could not be done here: "+err.Error(), false)
		}
		for i := range l.rows[from:] {
			l.rows[from+i].group = g.name
		}
		fmt.Fprintf(os.Stderr, "%s: %v\n", g.name, time.Since(began).Round(time.Second))
	}
	return l.write()
}

// add writes a result down.
func (l *lab) add(what, target, result string, ok bool) {
	l.rows = append(l.rows, row{what: what, target: target, result: result, ok: ok})
	fmt.Fprintf(os.Stderr, "%-60s %-28s %s\n", what, target, result)
}

// groups are those of rows, in the order of the table.
var groups = []string{"keys", "kill", "roam", "paths", "partitions"}

const (
	preface = "# Links\n\nWritten by `make lab`: the built relay, and a host and a console as processes in network namespaces. What each row does is in\n" +
		"`session/sessiontest/linklab`; the heading of a group is the command that makes it again. On virtual time, where no machine\n" +
		"is slow, `go test -v -tags lab -run TestKeysDoNotWaitForLoss ./session/sessiontest`,\n" +
		"`go test -v -run 'TestHostComesBackByItself|TestKilledRelayOfAnIdleSession|TestBadLinesAreNotBroken' ./session/sessiontest` and\n" +
		"`go test -v -run 'TestDirect|TestPinned' ./transport/transporttest` say the same of keys, of ten minutes without network, of a relay that\n" +
		"dies while nobody does anything, of lines that lose and delay packets and are not broken, and of direct paths.\n"
	heading = "\n## `make lab ROWS="
	others  = "\n## By other commands\n" // written by hand, and kept as it is
)

// write makes the table, and fails when a target was missed. Groups that were not run stay as they are in the file.
func (l *lab) write() error {
	sections, missed := l.sections()
	kept := ""
	if before, err := os.ReadFile(*out); err == nil {
		ours, rest, found := strings.Cut(string(before), others)
		if found {
			kept = others + rest
		}
		for _, part := range strings.Split(ours, heading)[1:] {
			name, rest, _ := strings.Cut(part, "`")
			if sections[name] == "" {
				sections[name] = rest
			}
		}
	}
	var b strings.Builder
	b.WriteString(preface)
	for _, g := range groups {
		if sections[g] != "" {
			b.WriteString(heading + g + "`" + sections[g])
		}
	}
	b.WriteString(kept)
	if *out == "" {
		fmt.Print(b.String())
	} else if err := os.WriteFile(*out, []byte(b.String()), 0o644); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d targets missed", missed, len(l.rows))
	}
	return nil
}

// sections are the tables of the groups that were run.
func (l *lab) sections() (out map[string]string, missed int) {
	out = map[string]string{}
	for _, r := range l.rows {
		if out[r.group] == "" {
			out[r.group] = fmt.Sprintf("\n\n%s, %d cores, load %s%s.\n\n| | target | seen |\n|---|---|---|\n",
				time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), load(), setting(r.group))
		}
		mark := ""
		if !r.ok {
			mark, missed = " **missed**", missed+1
		}
		out[r.group] += fmt.Sprintf("| %s | %s | %s%s |\n", r.what, r.target, strings.ReplaceAll(r.result, "\n", " "), mark)
	}
	return out, missed
}

// setting is what a group was run with.
func setting(group string) string {
	switch group {
	case "keys":
		return fmt.Sprintf(", KEYS=%d", *keys)
	case "kill":
		return fmt.Sprintf(", KILLS=%d", *kills)
	case "roam":
		return fmt.Sprintf(", REBIND=%v", *rebind)
	case "partitions":
		return ", AWAY=" + *away
	}
	return ""
}

// load is how busy the machine was in the last five minutes: with more than its cores, milliseconds say little.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); err == nil && len(f) > 1 {
		return f[1]
	}
	return "unknown"
}

// quantile is the share q of sorted times.
func quantile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return took[min(len(took)-1, int(float64(len(took))*q))]
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
