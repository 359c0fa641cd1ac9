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
	loadMaxCore = 5.0 // percent of one
	loadBack    = 30 * time.Second
	loadAtOnce  = 24
	loadCodes   = 4
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
	before, own, machine := r.cpu(), ownCPU(), r.machine()
	time.Sleep(loadRest)
	relay := r.cpu() - before
	rest := r.machine() - machine - relay - (ownCPU() - own)
	core, mib := ofCore(relay, loadRest), r.rss()
	t.Logf("while nothing happens: %.2f %% of a core, %d MiB resident; what else runs on this machine takes %.0f %%", core, mib, ofCore(rest, loadRest))
	if most := loadMaxCore * float64(n) / 2000; core > most || mib > loadMaxMiB {
		t.Errorf("more than %.2f %% or %d MiB", most, loadMaxMiB)
	}

	r.kill()
	time.Sleep(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var back atomic.Int64
	var staying sync.WaitGroup
	for _, e := range all {
		staying.Go(func() {
			if err := e.stay(ctx, &back); err != nil {
				t.Error(err)
			}
		})
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
	codes  chan struct{} // cap: how many tries of codes run, for an account's that run count as wrong until they are known
}

func newLoadRelay(t *testing.T) *loadRelay {
	r := &loadRelay{t: t, dir: t.TempDir(), listen: "127.0.0.1:0", codes: make(chan struct{}, loadCodes)}
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

// machine is what all of the machine's processors have done.
func (r *loadRelay) machine() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		r.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	busy := 0
	for i, v := range strings.Fields(line)[1:8] { // proc_stat(5): user, nice, system, idle, iowait, irq, softirq; ticks of 10 ms
		if n, _ := strconv.Atoi(v); i != 3 && i != 4 {
			busy += n
		}
	}
	return time.Duration(busy) * 10 * time.Millisecond
}

// ofCore is a share in percent of one processor.
func ofCore(used, of time.Duration) float64 { return 100 * used.Seconds() / of.Seconds() }

func (r *loadRelay) rss() int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize() >> 20
}

// loadEnd is a host (without token) or a console, as far as the relay knows it: its outer connection, its place, its bound channel. It comes
// back the way consoles and hosts do, by transport.Virtual.Keep on the same socket.
type loadEnd struct {
	r       *loadRelay
	i       int
	id      transport.Identity
	token   string
	code    string
	place   []byte // of a console that was there before
	virtual *transport.Virtual
	current *loadSeat // owned by Keep once stay runs
}

// loadSeat is what lasts as long as one outer connection.
type loadSeat struct {
	outer   *transport.Outer
	replies *transport.Replies
	channel *wire.Channel
}

func (s *loadSeat) leave() {
	if s != nil {
		s.replies.Close()
		s.outer.Close()
	}
}

// open binds each end to a loopback address of its own network, as customers' are: the relay limits what comes from one.
func (e *loadEnd) open() (net.PacketConn, error) {
	at := netip.AddrFrom4([4]byte{127, 1, byte(e.i % 250), byte(1 + e.i/250)})
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
}

func (e *loadEnd) arrive(ctx context.Context) error {
	seat, err := e.sit(ctx)
	if err != nil {
		return err
	}
	e.current = seat
	e.virtual, err = seat.outer.Open(seat.channel)
	return err
}

// sit connects and asks for the place, the same as before where there was one. What it began ends with leave.
func (e *loadEnd) sit(ctx context.Context) (*loadSeat, error) {
	at := transport.Relay{Addr: e.r.listen, Pin: transport.Pin(e.r.pin)}
	outer, err := transport.DialRelay(ctx, at, e.id, transport.Options{Open: e.open, Over: e.virtual})
	if err != nil {
		return nil, err
	}
	key := e.id.Fingerprint
	req := &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{Code: e.code, HostKey: key[:]}}}
	if e.token != "" {
		join := &wire.Join{Token: e.token, Place: e.place}
		if len(e.place) == 0 {
			join.Code = e.code
			e.r.codes <- struct{}{}
			defer func() { <-e.r.codes }()
		}
		req = &wire.Request{Kind: &wire.Request_Join{Join: join}}
	}
	stop := context.AfterFunc(ctx, outer.Abandon)
	defer stop()
	replies, err := outer.Subscribe(context.WithoutCancel(ctx), req)
	if err != nil {
		outer.Close()
		return nil, err
	}
	reply, err := replies.Next()
	if err != nil {
		replies.Close()
		outer.Close()
		return nil, err
	}
	ch := reply.GetOpened().GetChannel()
	if e.token == "" {
		e.code = reply.GetOpened().GetCode()
	} else {
		ch, e.place = reply.GetJoined().GetChannel(), reply.GetJoined().GetPlace()
	}
	return &loadSeat{outer, replies, ch}, nil
}

// stay counts itself when it is back; the place is kept until ctx ends.
func (e *loadEnd) stay(ctx context.Context, back *atomic.Int64) error {
	var next *loadSeat
	again := func(ctx context.Context) (*transport.Outer, *wire.Channel, error) {
		seat, err := e.sit(ctx)
		if err != nil {
			return nil, nil, err
		}
		next = seat
		return seat.outer, seat.channel, nil
	}
	once := false
	return e.virtual.Keep(ctx, again, func(err error) {
		if err != nil {
			return
		}
		e.current = next
		if !once {
			once = true
			back.Add(1)
		}
	})
}

func (e *loadEnd) leave() {
	if e.virtual != nil {
		e.virtual.Close()
	}
	e.current.leave()
}

func init() { // thousands of sockets
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}
