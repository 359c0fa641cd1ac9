//go:build !lab

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "fanbench: make bench-fanout builds it (-tags lab)")
	os.Exit(2)
}
