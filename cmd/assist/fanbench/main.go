//go:build lab

// Command fanbench measures what many agents on one session cost: real relay, real host on a display of its own, and one
// process for each agent. Every figure it judges is a ratio of two measurements of one run.
//
// It starts everything itself and ends it, and touches nothing outside of a temporary folder. An agent's process draws
// nothing: it notes when each picture is whole and how old it is by then.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"assist/cmd/assist/demo"
)

// What is measured, and the targets.
const (
	most       = 32
	window     = 10 * time.Second // of one measurement
	mostEncode = 2.0              // encoding CPU of 16 agents with one viewport, by that of one
	mostLag    = 1.2              // lag of the others while a quarter is frozen, by that before
	rounds     = 3                // of unfrozen and frozen in turns
	phase      = 6 * time.Second  // of each
	thaw       = 4 * time.Second  // until those who were frozen are back
)

func main() {
	program := flag.String("program", "bin/assist", "the program to measure")
	check := flag.Bool("check", false, "fail over the targets")
	seat := flag.String("seat", "", "be an agent in the session with this address")
	odd := flag.Int("odd", 0, "with -seat: make the viewport so much smaller")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *seat != "" {
		err = sit(ctx, *seat, *odd)
	} else {
		err = bench(ctx, *program, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanbench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, program string, check bool) error {
	stage, err := demo.Set(ctx, demo.Plan{Program: program, Script: true})
	if err != nil {
		return err
	}
	defer stage.Strike()
	busy, err := keepBusy(ctx, stage.Display)
	if err != nil {
		return err
	}
	defer busy()
	people, err := hire(ctx, program, stage, most)
	if err != nil {
		return err
	}
	defer people.fire()

	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "agents\tviewports\thost CPU\tencoding\tKB/s up\tfastest p50/p99 ms\tslowest p50/p99 ms\tpictures/s\t")
	encoding := map[int]float64{}
	for _, same := range []bool{true, false} {
		for _, n := range []int{1, 4, 16, 32} {
			if n == 1 && !same {
				continue
			}
			got, err := measure(ctx, program, stage, people[:n], same)
			if err != nil {
				return fmt.Errorf("%d agents: %w", n, err)
			}
			got.print(out, n, same)
			if same {
				encoding[n] = got.encode
			}
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	ratio := encoding[16] / encoding[1]
	fmt.Printf("encoding CPU of 16 agents with one viewport: %.2f times that of one (at most %.1f)\n", ratio, mostEncode)
	p50, p99, err := freeze(ctx, program, stage, people[:16])
	if err != nil {
		return fmt.Errorf("a quarter frozen: %w", err)
	}
	fmt.Printf("4 of 16 agents frozen: lag of the others p50 %.2f, p99 %.2f times that without (at most %.1f)\n", p50, p99, mostLag)
	if check && (ratio > mostEncode || p50 > mostLag || p99 > mostLag) {
		return fmt.Errorf("over the targets")
	}
	return nil
}
