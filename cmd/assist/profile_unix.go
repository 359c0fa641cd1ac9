//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"
)

// profiled gives a verb that runs for long a flag by which its CPU time can be looked into, as the benches do: from the first
// SIGUSR1 to the second.
func profiled(cmd *cobra.Command) *cobra.Command {
	var file string
	cmd.Flags().StringVar(&file, "cpuprofile", "", "write a CPU profile to FILE, from one SIGUSR1 to the next")
	_ = cmd.Flags().MarkHidden("cpuprofile") // it exists
	run := cmd.RunE
	cmd.RunE = func(c *cobra.Command, args []string) error {
		if file == "" {
			return run(c, args)
		}
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer f.Close()
		ask, done := make(chan os.Signal, 1), make(chan struct{})
		signal.Notify(ask, syscall.SIGUSR1)
		defer func() {
			signal.Stop(ask)
			close(ask)
			<-done
		}()
		go func() {
			defer close(done)
			defer pprof.StopCPUProfile()
			if _, asked := <-ask; asked && pprof.StartCPUProfile(f) == nil {
				<-ask
			}
		}()
		return run(c, args)
	}
	return cmd
}
