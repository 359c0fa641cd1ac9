//go:build !lab || !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "relaybench: counts CPU as Linux does; run it with make bench-relay")
	os.Exit(1)
}
