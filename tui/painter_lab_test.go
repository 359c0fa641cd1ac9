//go:build lab

package tui

import (
	"fmt"
	"testing"
)

// TestPainterTenThousandSteps is the same as its short sister, for longer and from several beginnings.
func TestPainterTenThousandSteps(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("settled ", seed), func(t *testing.T) { walk(t, 100+seed, 1000) })
		t.Run(fmt.Sprint("hasty ", seed), func(t *testing.T) { dash(t, 200+seed, 2500) })
	}
}
