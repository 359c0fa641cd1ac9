//go:build lab && linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/creack/pty"

	"assist/transport/transporttest"
)

const keyEvery = 100 * time.Millisecond

// losses are those of the table, each way, and what is asked for at 100 ms there and back.
var losses = []struct {
	share       float64
	median, p99 time.Duration
}{
	{0, 115 * time.Millisecond, 250 * time.Millisecond},
	{0.01, 115 * time.Millisecond, 250 * time.Millisecond},
	{0.05, 120 * time.Millisecond, 300 * time.Millisecond},
	{0.20, 130 * time.Millisecond, 400 * time.Millisecond},
	{0.29, 150 * time.Millisecond, 500 * time.Millisecond},
}

// keys types over lines that lose packets; mosh and ssh do the same over lines of the same kind, all at the same time.
func (l *lab) keys() error {
	results := make([][4]row, len(losses))
	var all sync.WaitGroup
	for i, c := range losses {
		line := transporttest.Trouble{Delay: 50 * time.Millisecond, Loss: c.share}
		all.Go(func() {
			what := fmt.Sprintf("%d keys, 100 ms there and back, %.0f %% lost each way", *keys, c.share*100)
			target := fmt.Sprintf("%s / %s", ms(c.median), ms(c.p99))
			confirmed, shown, err := l.typeOver(line)
			if err != nil {
				results[i][0] = row{what: what, target: target, result: err.Error()}
				return
			}
			ok := quantile(confirmed, 0.5) <= c.median && quantile(confirmed, 0.99) <= c.p99
			results[i][0] = row{what: what + ": until the host has confirmed them, median / p99", target: target, result: figures(confirmed), ok: ok}
			results[i][1] = row{what: "… until their picture is seen (paced to 15 a second)", target: "–", result: figures(shown), ok: true}
		})
		for j, other := range []struct {
			name string
			run  func(transporttest.Trouble) ([]time.Duration, error)
		}{{"mosh, no prediction", l.mosh}, {"ssh", l.ssh}} {
			all.Go(func() {
				took, err := other.run(line)
				result := figures(took)
				if err != nil {
					result = "not here: " + err.Error()
				}
				results[i][2+j] = row{what: "… " + other.name + ", until their echo is seen", target: "–", result: result, ok: true}
			})
		}
	}
	all.Wait()
	for _, rs := range results {
		for _, r := range rs {
			if r.what != "" {
				l.add(r.what, r.target, r.result, r.ok)
			}
		}
	}
	return nil
}

func figures(took []time.Duration) string {
	return fmt.Sprintf("%s / %s", ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
}

// typeOver types through the relay and says how long each key took to be confirmed and to be seen. One that is lost, doubled
// or out of order is an error.
func (l *lab) typeOver(c transporttest.Trouble) (confirmed, shown []time.Duration, err error) {
	quiet := c
	quiet.Loss = 0
	line, err := transporttest.NewLine(1500, quiet, 1)
	if err != nil {
		return nil, nil, err
	}
	defer line.Close()
	r, err := l.relay(line.A, line.AddrA.String()+":8443")
	if err != nil {
		return nil, nil, err
	}
	defer r.kill()
	host, console, err := l.meet(r, line.A, line.B, "relay", "relay")
	if err != nil {
		return nil, nil, err
	}
	defer host.stop()
	defer console.stop()
	time.Sleep(time.Second)
	line.Set(c)
	began := time.Now()
	console.tell("keys %d %v", *keys, keyEvery)
	if _, err := console.wait("typed", began, time.Duration(*keys)*keyEvery*2+time.Minute, func(e event) bool { return e.What == "typed" }); err != nil {
		return nil, nil, err
	}
	next := 0
	for _, e := range host.all(began) {
		if e.What != "played" {
			continue
		}
		if e.N != next {
			return nil, nil, fmt.Errorf("key %d was played in place of %d", e.N, next)
		}
		next++
	}
	if next != *keys {
		return nil, nil, fmt.Errorf("%d of %d keys were played", next, *keys)
	}
	said := console.all(began)
	return since(said, "confirmed", false), since(said, "shown", true), nil
}

// since is how long after each key was sent something happened to it. A picture shows all keys up to its number.
func since(said []event, what string, upTo bool) (took []time.Duration) {
	sent, next := map[int]int64{}, 0
	for _, e := range said {
		if e.What == "sent" {
			sent[e.N] = e.At
		}
	}
	for _, e := range said {
		if e.What != what || (e.N < next && upTo) || (what == "shown" && e.N >= len(sent)) {
			continue
		}
		if !upTo {
			next = e.N
		}
		for ; next <= e.N; next++ {
			took = append(took, time.Duration(e.At-sent[next]))
		}
	}
	slices.Sort(took)
	return took
}

// mosh types through mosh.
func (l *lab) mosh(c transporttest.Trouble) ([]time.Duration, error) {
	if _, err := exec.LookPath("mosh-server"); err != nil {
		return nil, err
	}
	line, err := transporttest.NewLine(1500, c, 1)
	if err != nil {
		return nil, err
	}
	defer line.Close()
	serve := inside(line.A, "mosh-server", "new", "-i", line.AddrA.String(), "-p", "60001", "-l", "LANG=C.UTF-8", "--", "sh", "-c", "stty raw -echo; exec "+l.self+" -role echo")
	serve.Env = append(os.Environ(), "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	said, err := serve.CombinedOutput()
	key := regexp.MustCompile(`MOSH CONNECT 60001 (\S+)`).FindSubmatch(said)
	if err != nil || key == nil {
		return nil, fmt.Errorf("mosh-server: %w: %s", err, said)
	}
	if pid := regexp.MustCompile(`pid = (\d+)`).FindSubmatch(said); pid != nil {
		defer exec.Command("kill", string(pid[1])).Run()
	}
	client := inside(line.B, "mosh-client", line.AddrA.String(), "60001")
	client.Env = append(os.Environ(), "MOSH_KEY="+string(key[1]), "MOSH_PREDICTION_DISPLAY=never", "TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	return l.echoes(client, 20)
}

// ssh types through ssh.
func (l *lab) ssh(c transporttest.Trouble) ([]time.Duration, error) {
	line, err := transporttest.NewLine(1500, c, 1)
	if err != nil {
		return nil, err
	}
	defer line.Close()
	dir, err := os.MkdirTemp(l.dir, "ssh")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	_ = os.MkdirAll("/run/sshd", 0o755)
	conf := fmt.Sprintf("Port 2222\nListenAddress %s\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n", line.AddrA, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	serve := inside(line.A, "/usr/sbin/sshd", "-D", "-f", filepath.Join(dir, "conf"))
	if err := serve.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	}()
	time.Sleep(500 * time.Millisecond)
	return l.echoes(inside(line.B, "ssh", "-tt", "-p", "2222", "-i", filepath.Join(dir, "user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "ConnectTimeout=60", "root@"+line.AddrA.String(), "stty raw -echo; exec "+l.self+" -role echo"), 0)
}

var control = regexp.MustCompile(`\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78cM])`)

// echoes types letters into a program on a terminal and says how long each took to come back. Where that skips what has been
// replaced on the screen, a letter stands for up to ahead letters before it, too.
func (l *lab) echoes(cmd *exec.Cmd, ahead int) ([]time.Duration, error) {
	args := append([]string{"-c", `stty raw -echo; exec "$@"`, "sh"}, cmd.Args...) // the local end must not echo
	raw := exec.Command("/bin/sh", args...)
	raw.Env = cmd.Env
	cmd = raw
	term, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80}) // mosh wants a size
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = term.Close()
		_ = cmd.Wait()
	}()
	seen := make(chan byte, 1<<16)
	go func() {
		defer close(seen)
		b := make([]byte, 1<<14)
		for {
			n, err := term.Read(b)
			if err != nil {
				return
			}
			for _, c := range control.ReplaceAll(b[:n], nil) {
				if c >= 'A' && c <= 'Z' || c == ready {
					seen <- c
				}
			}
		}
	}()
	if err := awaitEcho(term, seen); err != nil {
		return nil, err
	}
	var took []time.Duration
	sent, next := make([]time.Time, 0, *keys), 0
	tick := time.NewTicker(keyEvery)
	defer tick.Stop()
	late := time.After(time.Duration(*keys)*keyEvery + 30*time.Second)
	for next < *keys {
		select {
		case <-tick.C:
			if len(sent) < *keys {
				sent = append(sent, time.Now())
				_, _ = term.Write([]byte{'A' + byte((len(sent)-1)%26)})
			}
		case c, ok := <-seen:
			if !ok {
				return nil, fmt.Errorf("the program has ended after %d keys", next)
			}
			for to := next; to < len(sent) && to <= next+ahead; to++ {
				if 'A'+byte(to%26) == c {
					for ; next <= to; next++ {
						took = append(took, time.Since(sent[next]))
					}
					break
				}
			}
		case <-l.ctx.Done():
			return nil, context.Cause(l.ctx)
		case <-late:
			return nil, fmt.Errorf("%d of %d echoes were seen", next, *keys)
		}
	}
	slices.Sort(took)
	return took, nil
}

// ready is typed until it comes back.
const ready = 'z'

// awaitEcho waits for the program at the other end.
func awaitEcho(term *os.File, seen <-chan byte) error {
	for range 120 {
		_, _ = term.Write([]byte{ready})
		select {
		case _, ok := <-seen:
			if !ok {
				return fmt.Errorf("the program has ended")
			}
			time.Sleep(2 * time.Second)
			for len(seen) > 0 {
				<-seen
			}
			return nil
		case <-time.After(time.Second):
		}
	}
	return fmt.Errorf("nothing comes back")
}
