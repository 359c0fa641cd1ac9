package viewer

import (
	"image"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestOthersPointersAreDrawnWithTheirNames(t *testing.T) {
	p := pane(image.Pt(24, 6))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	before := p.View()
	p.SetOthers([]Other{{At: image.Pt(250, 200), Name: "C Carla", Style: lipgloss.NewStyle(), Fill: 0x07E0}})
	after := p.View()
	if before[0] != after[0] || !strings.Contains(strings.Join(after, ""), "0;255;0m") {
		t.Errorf("no green arrow below row 0: %q", after)
	}
	if got := ansi.Strip(after[3]); !strings.Contains(got, " C Carla ") {
		t.Errorf("the name is not below the tip: %q", got)
	}
	p.SetOthers([]Other{{At: image.Pt(990, 490), Name: "A name of far too many letters", Style: lipgloss.NewStyle()}})
	if got := ansi.Strip(p.View()[5]); !strings.HasSuffix(got, " A name of far t… ") || len([]rune(got)) != 24 {
		t.Errorf("at the lower right: %q", got)
	}
	p.Lens = p.Lens.At(1, image.Pt(10, 10))
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	if got := ansi.Strip(strings.Join(p.View(), "")); strings.Contains(got, "name") {
		t.Errorf("out of view: %q", got)
	}
	p.SetOthers(nil)
	p.Lens.Scale = 0
	p.SetPicture(halves(p.Wanted(), image.Pt(1000, 500)))
	if got := p.View(); strings.Join(got, "\n") != strings.Join(before, "\n") {
		t.Errorf("the mark stays: %q", got)
	}
}
