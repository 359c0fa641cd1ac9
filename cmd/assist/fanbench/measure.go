//go:build lab

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"

	"assist/cmd/assist/demo"
)

// host is a host of the bench's own, whose CPU is sampled.
type host struct {
	cmd     *exec.Cmd
	url     string
	profile string
	program string
}

func share(ctx context.Context, program string, stage *demo.Stage) (*host, error) {
	h := &host{profile: filepath.Join(stage.RelayData(), "host.profile"), program: program}
	h.cmd = exec.CommandContext(ctx, program, "host", "--relay", stage.Relay, "--relay-key", stage.Pin, "--display", stage.Display,
		"--json", "--yes", "--allow", "view,control,chat", "--cpuprofile", h.profile)
	h.cmd.Env = append(os.Environ(), stage.Environment()...)
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(out)
	line, err := r.ReadBytes('\n')
	var said struct{ URL string }
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil || said.URL == "" {
		return nil, fmt.Errorf("the host said %q: %w", line, err)
	}
	h.url = said.URL
	go func() { _, _ = io.Copy(io.Discard, r) }() // ends with the host
	return h, nil
}

// sample begins or ends the sampling of the host's CPU.
func (h *host) sample() { _ = h.cmd.Process.Signal(syscall.SIGUSR1) } // that it has gone shows elsewhere

// end stops the host and says how much of a core it encoded with while it was sampled.
func (h *host) end() (float64, error) {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	_ = h.cmd.Wait() // interrupted: that is an exit code
	out, err := exec.Command("go", "tool", "pprof", "-top", "-unit=ms", `-focus=codec\.\(\*Encoder\)\.(Encode|Mark)`, h.program, h.profile).Output()
	if err != nil {
		return 0, fmt.Errorf("read the host's profile: %w", err)
	}
	m := regexp.MustCompile(`Showing nodes accounting for ([0-9.]+)ms`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("the host's profile has no encoder in it: %s", out)
	}
	ms, err := strconv.ParseFloat(string(m[1]), 64)
	return ms / 1000 / window.Seconds(), err
}

// result is one line of the table.
type result struct {
	cpu, encode float64 // of a core
	up          float64 // bytes a second
	rate        float64 // pictures a second of the middle agent
	reports     []report
}

// measure lets a new host share with so many agents for one window.
func measure(ctx context.Context, program string, stage *demo.Stage, all people, same bool) (result, error) {
	h, err := share(ctx, program, stage)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = h.cmd.Process.Kill() }() // it has ended where all went well
	for i, p := range all {
		odd := i
		if same {
			odd = 0
		}
		if err := p.join(ctx, h.url, odd); err != nil {
			return result{}, err
		}
		defer p.leave() // again, where something went wrong
	}
	time.Sleep(4 * time.Second) // until those of one viewport share an encoder
	before, err := ticks(h.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	h.sample()
	reports, err := all.watch(ctx, window)
	if err != nil {
		return result{}, err
	}
	h.sample()
	after, err := ticks(h.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	got := result{cpu: (after - before) / window.Seconds(), reports: reports}
	var counts []int
	for _, r := range reports {
		got.up += float64(r.Bytes) / window.Seconds()
		counts = append(counts, len(r.Lags))
	}
	slices.Sort(counts)
	got.rate = float64(counts[len(counts)/2]) / window.Seconds()
	for _, p := range all { // before the host goes: a console that only loses its host looks for it, which the relay counts
		p.leave()
	}
	got.encode, err = h.end()
	return got, err
}

func (r result) print(w io.Writer, n int, same bool) {
	byLag := slices.Clone(r.reports)
	slices.SortFunc(byLag, func(a, b report) int {
		return int(1000 * (quantile(a.sorted(), 0.5) - quantile(b.sorted(), 0.5)))
	})
	lag := func(r report) string {
		s := r.sorted()
		return fmt.Sprintf("%.1f/%.1f", quantile(s, 0.5), quantile(s, 0.99))
	}
	which := map[bool]string{true: "same", false: "all different"}[same]
	fmt.Fprintf(w, "%d\t%s\t%.1f %%\t%.2f %%\t%.1f\t%s\t%s\t%.1f\t\n", n, which, 100*r.cpu, 100*r.encode, r.up/1000,
		lag(byLag[0]), lag(byLag[len(byLag)-1]), r.rate)
}

// freeze stops a quarter of the agents by SIGSTOP, in turns with not stopping them, and gives the lag of the others by that
// without.
func freeze(ctx context.Context, program string, stage *demo.Stage, all people) (p50, p99 float64, err error) {
	h, err := share(ctx, program, stage)
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	}()
	for _, p := range all {
		if err := p.join(ctx, h.url, 0); err != nil {
			return 0, 0, err
		}
		defer p.leave()
	}
	cold, others := all[:len(all)/4], all[len(all)/4:]
	signal := func(s syscall.Signal) {
		for _, p := range cold {
			_ = p.cmd.Process.Signal(s) // a process that has gone shows in the next report
		}
	}
	defer signal(syscall.SIGCONT)
	var lags [2][]float64
	for range rounds {
		for frozen := range lags {
			if frozen == 1 {
				signal(syscall.SIGSTOP)
			}
			reports, err := others.watch(ctx, phase)
			if err != nil {
				return 0, 0, err
			}
			for _, r := range reports {
				lags[frozen] = append(lags[frozen], r.Lags...)
			}
		}
		signal(syscall.SIGCONT)
		time.Sleep(thaw)
	}
	slices.Sort(lags[0])
	slices.Sort(lags[1])
	fmt.Printf("lag of the others, ms p50/p99: %.1f/%.1f without, %.1f/%.1f frozen (%d and %d pictures)\n",
		quantile(lags[0], 0.5), quantile(lags[0], 0.99), quantile(lags[1], 0.5), quantile(lags[1], 0.99), len(lags[0]), len(lags[1]))
	return quantile(lags[1], 0.5) / quantile(lags[0], 0.5), quantile(lags[1], 0.99) / quantile(lags[0], 0.99), nil
}
