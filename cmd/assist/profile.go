package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// profiled gives a verb that runs for long a flag by which its CPU time can be looked into, as the benches do.
func profiled(cmd *cobra.Command) *cobra.Command {
	var file string
	cmd.Flags().StringVar(&file, "cpuprofile", "", "write a CPU profile to FILE when it ends")
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
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
		return run(c, args)
	}
	return cmd
}
