package raster

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestCardsShowEveryMode(t *testing.T) {
	seen := map[string]Mode{}
	for _, m := range Modes() {
		for _, d := range []Depth{TrueColor, Colors256, Colors16, Mono} {
			rows := Card(m, d)
			if len(rows) != cardSize.Y+1 {
				t.Fatalf("%v: %d rows", m, len(rows))
			}
			for _, r := range rows[:cardSize.Y] {
				if w := ansi.StringWidthWc(r); w != cardSize.X+2 {
					t.Errorf("%v: a row of %d cells: %q", m, w, r)
				}
			}
			if d == TrueColor {
				text := ansi.Strip(strings.Join(rows[:cardSize.Y], "\n"))
				if other, twice := seen[text]; twice {
					t.Errorf("%v looks like %v", m, other)
				}
				seen[text] = m
			}
		}
	}
}
