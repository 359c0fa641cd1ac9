package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// leaveAfter is how many interrupts, while a command runs, are meant for assist itself.
const leaveAfter = 3

// forward passes on the signals that this program gets. Until begun is called, and after leaveAfter interrupts, they end it by
// cancel instead. It lasts until stop.
func forward(cancel context.CancelFunc) (sent <-chan int, begun, stop func()) {
	got := make(chan os.Signal, 4)
	signal.Notify(got, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	out, over := make(chan int, 4), make(chan struct{})
	var runs atomic.Bool
	go func() {
		for interrupts := 0; ; {
			select {
			case s := <-got:
				n, known := s.(syscall.Signal)
				if interrupts++; !known || !runs.Load() || interrupts >= leaveAfter {
					cancel()
					return
				}
				select {
				case out <- int(n):
				case <-over:
					return
				}
			case <-over:
				return
			}
		}
	}()
	return out, func() { runs.Store(true) }, func() {
		signal.Stop(got)
		close(over)
	}
}
