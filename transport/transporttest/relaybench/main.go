//go:build lab && linux

// Command relaybench puts the relay beside coturn (TURN, channel data over UDP) and plain UDP forwarders on loopback, in one run, each in a process of its own whose
// CPU time the kernel counts (getrusage). The same end-to-end QUIC connection carries bulk bytes through each of them, and
// beside them a message of 256 bytes every 5 ms, there and back. Rounds alternate, medians are printed: CPU seconds per GB
// of bulk bytes at the forwarder, MB/s, and the message's round trip.
//
// The batched forwarder is the yardstick: recvmmsg, and GRO and GSO or sendmmsg. It does nothing but pass packets on, from a
// socket for each client, because it has no header that says who they are for.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

var (
	rounds = flag.Int("rounds", 5, "rounds, in each of which every way is measured once")
	window = flag.Duration("for", 2*time.Second, "how long to measure in a round")
	pace   = flag.Float64("pace", 0, "bulk MB/s, 0 for as much as goes")
	mode   = flag.String("mode", "both", "offload (GRO and GSO), plain (without), or both")
	check  = flag.Bool("check", false, "exit 1 if the relay takes more CPU than its targets")
	role   = flag.String("role", "", "what a child process is (used by the program itself)")
	plain  = flag.Bool("plain", false, "without GRO and GSO (used by the program itself)")
	peer   = flag.String("peer", "", "where to connect to (used by the program itself)")
	pin    = flag.String("pin", "", "key of the relay (used by the program itself)")
)

// The ways that are measured.
const (
	ours    = "relay"
	batched = "batched forwarder"
	naive   = "naive forwarder"
	coturn  = "coturn"
)

var ways = []string{ours, batched, naive, coturn}

// target is the most CPU that the relay may take, to another way's of the same round.
type target struct {
	way  string
	most float64
}

var targets = map[bool][]target{ // without GRO and GSO?
	false: {{batched, 0.7}, {coturn, 0.3}, {naive, 0.25}},
	true:  {{batched, 1.5}},
}

func main() {
	flag.Parse()
	var err error
	if *role != "" {
		err = child()
	} else {
		err = compare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "relaybench:", err)
		os.Exit(1)
	}
}

// result is one measurement.
type result struct {
	cpuPerGB, mbps float64
	p50, p99       time.Duration
}

func compare() error {
	missed := false
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%d processors, load when it began (proc_loadavg(5)): %s\n", runtime.NumCPU(), load)
	for _, plain := range []bool{false, true} {
		if (plain && *mode == "offload") || (!plain && *mode == "plain") {
			continue
		}
		got := map[string][]result{}
		for round := range *rounds {
			for i := range ways { // whoever comes first in one round comes last in the next
				way := ways[(i+round)%len(ways)]
				r, err := measure(way, plain)
				if err != nil {
					return fmt.Errorf("%s: %w", way, err)
				}
				got[way] = append(got[way], r)
			}
		}
		missed = report(got, plain) || missed
	}
	if missed && *check {
		return fmt.Errorf("over the target")
	}
	return nil
}

// report prints the medians of one mode and says whether the relay missed one of its targets.
func report(got map[string][]result, plain bool) (missed bool) {
	name := "with GRO and GSO"
	if plain {
		name = "without GRO and GSO"
	}
	fmt.Printf("%s, %d rounds of %v\n", name, *rounds, *window)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "way\tCPU s/GB\tMB/s\tp50\tp99\tCPU to batched\t")
	for _, way := range ways {
		ratios := perRound(got[way], got[batched])
		fmt.Fprintf(out, "%s\t%.2f\t%.0f\t%.2f ms\t%.2f ms\t%.2f (%.2f to %.2f)\t\n", way,
			median(column(got[way], func(r result) float64 { return r.cpuPerGB })),
			median(column(got[way], func(r result) float64 { return r.mbps })),
			median(column(got[way], func(r result) float64 { return r.p50.Seconds() * 1e3 })),
			median(column(got[way], func(r result) float64 { return r.p99.Seconds() * 1e3 })),
			median(ratios), slices.Min(ratios), slices.Max(ratios))
	}
	out.Flush()
	for _, t := range targets[plain] {
		ratio := median(perRound(got[ours], got[t.way]))
		fmt.Printf("relay to %s: %.2f, target at most %.2f\n", t.way, ratio, t.most)
		missed = missed || ratio > t.most
	}
	fmt.Println()
	return missed
}

// perRound is a's CPU to b's in each round.
func perRound(a, b []result) []float64 {
	var out []float64
	for i := range a {
		out = append(out, a[i].cpuPerGB/b[i].cpuPerGB)
	}
	return out
}

func column(rs []result, of func(result) float64) []float64 {
	var out []float64
	for _, r := range rs {
		out = append(out, of(r))
	}
	return out
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// measure runs one way once: its processes, a start that is not counted, the window.
func measure(way string, plain bool) (result, error) {
	var all []*process
	defer func() {
		for _, p := range slices.Backward(all) {
			p.stop()
		}
	}()
	start := func(role, peer, pin string) (*process, error) {
		p, err := startProcess(role, peer, pin, plain)
		if err == nil {
			all = append(all, p)
		}
		return p, err
	}
	forwarder, host, err := startPath(way, start)
	if err != nil {
		return result{}, err
	}
	consoleRole := "direct console"
	at := forwarder.ready
	if way == ours {
		consoleRole, at.Addr = "console", forwarder.ready.Addr+"/"+host.ready.Addr
	}
	if way == coturn {
		consoleRole, at.Addr = "turn console", forwarder.ready.Addr+"/"+host.ready.Addr
	}
	console, err := start(consoleRole, at.Addr, at.Pin)
	if err != nil {
		return result{}, err
	}
	time.Sleep(*window / 4)
	if _, err := console.mark(); err != nil { // forgets the round trips until here
		return result{}, err
	}
	before, at0, err := both(forwarder, host)
	if err != nil {
		return result{}, err
	}
	t0 := time.Now()
	time.Sleep(*window)
	after, at1, err := both(forwarder, host)
	if err != nil {
		return result{}, err
	}
	seconds := time.Since(t0).Seconds()
	trips, err := console.mark()
	if err != nil {
		return result{}, err
	}
	gb := float64(at1-at0) / 1e9
	if gb == 0 || len(trips.Trips) == 0 {
		return result{}, fmt.Errorf("nothing arrived")
	}
	slices.Sort(trips.Trips)
	return result{
		cpuPerGB: (after - before) / gb, mbps: gb * 1e3 / seconds,
		p50: trips.Trips[len(trips.Trips)/2], p99: trips.Trips[len(trips.Trips)*99/100],
	}, nil
}

// startPath starts the forwarder and the host, in the order that they need each other.
func startPath(way string, start func(role, peer, pin string) (*process, error)) (forwarder, host *process, err error) {
	if way == ours {
		if forwarder, err = start("relay", "", ""); err == nil {
			host, err = start("host", forwarder.ready.Addr, forwarder.ready.Pin)
		}
		return forwarder, host, err
	}
	if host, err = start("direct host", "", ""); err == nil {
		forwarder, err = start(way, host.ready.Addr, "")
	}
	return forwarder, host, err
}

// both is the CPU seconds of the forwarder and the bulk bytes at the host.
func both(forwarder, host *process) (cpu float64, bytes uint64, err error) {
	f, err := forwarder.mark()
	if err != nil {
		return 0, 0, err
	}
	h, err := host.mark()
	return f.CPU, h.Bytes, err
}

// message is what a child says: once when it is ready, then for each line on its standard input.
type message struct {
	Addr, Pin string          // when it is ready: where it is, or the code of the session
	CPU       float64         // seconds so far
	Bytes     uint64          // bulk bytes so far
	Trips     []time.Duration // round trips since the last message
}

// process is a child.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	ready message
}

func startProcess(role, peer, pin string, plain bool) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-role", role, "-peer", peer, "-pin", pin, fmt.Sprintf("-plain=%v", plain), fmt.Sprintf("-pace=%v", *pace))
	cmd.Stderr = os.Stderr
	if plain {
		cmd.Env = append(os.Environ(), "QUIC_GO_DISABLE_GSO=1")
	}
	p := &process{cmd: cmd}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	p.out.Buffer(nil, 16<<20)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if p.ready, err = p.hear(); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	return p, nil
}

func (p *process) hear() (message, error) {
	var m message
	if !p.out.Scan() {
		return m, io.ErrUnexpectedEOF
	}
	return m, json.Unmarshal(p.out.Bytes(), &m)
}

func (p *process) mark() (message, error) {
	if _, err := io.WriteString(p.in, "mark\n"); err != nil {
		return message{}, err
	}
	return p.hear()
}

func (p *process) stop() {
	_ = p.in.Close()
	done := make(chan struct{})
	time.AfterFunc(5*time.Second, func() {
		select {
		case <-done:
		default:
			_ = p.cmd.Process.Kill()
		}
	})
	_ = p.cmd.Wait() // the measurements are in; how it ends does not matter
	close(done)
}

// split takes apart what measure has put together for the console.
func split(peer string) (addr, code string) {
	addr, code, _ = strings.Cut(peer, "/")
	return addr, code
}
