//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"assist/session/inner"
)

// watchSize tells when the terminal gets another size, until stop.
func watchSize(fd int) (sizes <-chan *inner.RunSize, stop func()) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGWINCH)
	out, over := make(chan *inner.RunSize), make(chan struct{})
	go func() {
		for {
			select {
			case <-got:
				select {
				case out <- sizeOf(fd):
				case <-over:
					return
				}
			case <-over:
				return
			}
		}
	}()
	return out, func() {
		signal.Stop(got)
		close(over)
	}
}
