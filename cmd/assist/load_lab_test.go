//go:build lab

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/session/broker/store"
	"assist/transport"
	"assist/transport/wire"
)

// Of a relay that carries many sessions in which nothing happens. What is measured is the relay's own process.
const (
	loadRest    = 30 * time.Second
	loadMaxMiB  = 600
	loadMaxCore = 0.05
	loadBack    = 30 * time.Second
	loadAtOnce  = 24
)

// loadSessions is how many sessions; LOAD_SESSIONS changes it.
func loadSessions() int {
	if n, err := strconv.Atoi(os.Getenv("LOAD_SESSIONS")); err == nil && n > 0 {
		return n
	}
	return 2000
}

// TestBenchManyIdleSessions puts thousands of sessions on one relay, looks at what it costs while nothing happens, kills it, and waits until
// everyone is back. It fails over its targets.
func TestBenchManyIdleSessions(t *testing.T) {
	n := loadSessions()
	r := newLoadRelay(t)
	r.start()
	token, device := r.login()
	var all []*loadEnd
	group := new(errgroup.Group)
	group.SetLimit(loadAtOnce)
	began := time.Now()
	for i := range n {
		host := &loadEnd{r: r, i: i, id: r.identity()}
		console := &loadEnd{r: r, i: i, id: device, token: token}
		all = append(all, host, console)
		group.Go(func() error {
			if err := host.arrive(t.Context()); err != nil {
				return fmt.Errorf("host %d: %w", i, err)
			}
			console.code = host.code
			if err := console.arrive(t.Context()); err != nil {
				return fmt.Errorf("console %d: %w", i, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sessions, %d connections, made in %s", n, len(all), time.Since(began).Round(time.Second))
	before := r.cpu()
	time.Sleep(loadRest)
	core := (r.cpu() - before).Seconds() / loadRest.Seconds()
	mib := r.rss()
	t.Logf("while nothing happens: %.2f %% of a core, %d MiB resident", 100*core, mib)
	if core > loadMaxCore*float64(n)/2000 || mib > loadMaxMiB {
		t.Errorf("more than %.1f %% or %d MiB", 100*loadMaxCore, loadMaxMiB)
	}

	r.kill()
	time.Sleep(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var back atomic.Int64
	var staying sync.WaitGroup
	for _, e := range all {
		staying.Go(func() { e.stay(ctx, &back) })
	}
	r.start()
	began = time.Now()
	for back.Load() < int64(len(all)) && time.Since(began) < 4*loadBack {
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(began)
	t.Logf("%d of %d connections are back %s after the relay listened again", back.Load(), len(all), took.Round(100*time.Millisecond))
	if back.Load() < int64(len(all)) || took > loadBack {
		t.Errorf("not within %s", loadBack)
	}
	cancel()
	staying.Wait()
	for _, e := range all {
		e.leave()
	}
}

// loadRelay is the built relay in a process of its own.
type loadRelay struct {
	t      *testing.T
	dir    string
	listen string
	pin    string
	cmd    *exec.Cmd
}

func newLoadRelay(t *testing.T) *loadRelay {
	r := &loadRelay{t: t, dir: t.TempDir(), listen: "127.0.0.1:0"}
	r.run("org", "add", "acme")
	add := r.command("agent", "add", "eve@acme", "--password-stdin")
	add.Stdin = strings.NewReader("correct horse battery\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

func (r *loadRelay) command(args ...string) *exec.Cmd {
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "assist"))
	if err != nil {
		r.t.Fatal(err)
	}
	return exec.Command(path, append(append([]string{"relay"}, args...), "--data", r.dir)...)
}

func (r *loadRelay) run(args ...string) {
	r.t.Helper()
	if out, err := r.command(args...).CombinedOutput(); err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
}

func (r *loadRelay) start() {
	r.t.Helper()
	r.cmd = r.command("--listen", r.listen, "--json")
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(r.kill)
	var ready readyEvent
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&ready); err != nil {
		r.t.Fatal(err)
	}
	r.listen, r.pin = ready.Addr, ready.Fingerprint
}

func (r *loadRelay) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

func (r *loadRelay) identity() transport.Identity {
	id, err := transport.NewIdentity()
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// login puts one agent's login into the database; to hash a password a thousand times is not what is measured.
func (r *loadRelay) login() (token string, id transport.Identity) {
	r.t.Helper()
	s, err := store.Open(r.t.Context(), r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer s.Close()
	a, err := s.Agent(r.t.Context(), "eve", "acme")
	if err != nil {
		r.t.Fatal(err)
	}
	id, token = r.identity(), "a token for the load of a bench"
	now := time.Now()
	err = s.AddLogin(r.t.Context(), store.Login{
		Agent: a.ID, Device: id.Fingerprint, Name: "bench", Token: sha256.Sum256([]byte(token)), Created: now, Expires: now.Add(time.Hour),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return token, id
}

// cpu is what the relay's process has used.
func (r *loadRelay) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.Atoi(fields[11]) // proc_pid_stat(5), 14 and 15; ticks of 10 ms
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (r *loadRelay) rss() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize() >> 20
}

// loadEnd is a host (without token) or a console, as far as the relay knows it: its outer connection, its place, its bound channel.
type loadEnd struct {
	r       *loadRelay
	i       int
	id      transport.Identity
	token   string
	code    string
	outer   *transport.Outer
	replies *transport.Replies
	virtual *transport.Virtual
}

// open binds each end to a loopback address of its own network, as customers' are: the relay limits what comes from one.
func (e *loadEnd) open() (net.PacketConn, error) {
	at := netip.AddrFrom4([4]byte{127, 1, byte(e.i >> 4), byte(1 + e.i&15)})
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
}

func (e *loadEnd) arrive(ctx context.Context) error {
	var err error
	at := transport.Relay{Addr: e.r.listen, Pin: transport.Pin(e.r.pin)}
	if e.outer, err = transport.DialRelay(ctx, at, e.id, transport.Options{Open: e.open}); err != nil {
		return err
	}
	key := e.id.Fingerprint
	req := &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{Code: e.code, HostKey: key[:]}}}
	if e.token != "" {
		req = &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Token: e.token, Code: e.code}}}
	}
	if e.replies, err = e.outer.Subscribe(ctx, req); err != nil {
		return err
	}
	reply, err := e.replies.Next()
	if err != nil {
		return err
	}
	ch := reply.GetJoined().GetChannel()
	if e.token == "" {
		ch, e.code = reply.GetOpened().GetChannel(), reply.GetOpened().GetCode()
	}
	e.virtual, err = e.outer.Open(ch)
	return err
}

func (e *loadEnd) leave() {
	if e.virtual != nil {
		e.virtual.Close()
	}
	if e.replies != nil {
		e.replies.Close()
	}
	if e.outer != nil {
		e.outer.Close()
	}
	e.virtual, e.replies, e.outer = nil, nil, nil
}

// stay comes back when the relay was lost, as consoles and hosts do, and counts itself once.
func (e *loadEnd) stay(ctx context.Context, back *atomic.Int64) {
	select {
	case <-e.outer.Done():
	case <-ctx.Done():
		return
	}
	for pause := 250 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		e.leave()
		if e.arrive(ctx) == nil {
			back.Add(1)
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func init() { // thousands of sockets
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}
