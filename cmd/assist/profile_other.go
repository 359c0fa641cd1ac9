//go:build !unix

package main

import "github.com/spf13/cobra"

// profiled has no signals to go by here.
func profiled(cmd *cobra.Command) *cobra.Command { return cmd }
