package theme

import (
	"fmt"
	"image/color"
	"math"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// contrast is the ratio of WCAG 2.1, 1.4.3.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func luminance(c color.Color) float64 {
	channel := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*channel(r) + 0.7152*channel(g) + 0.0722*channel(b)
}

func TestEverythingCanBeRead(t *testing.T) {
	for _, dark := range []bool{true, false} {
		th := New(dark, colorprofile.TrueColor)
		ground := color.Color(color.White)
		if dark {
			ground = lipgloss.Color("#1e1e1e")
		}
		for name, s := range map[string]lipgloss.Style{
			"Dim": th.Dim, "Accent": th.Accent, "Good": th.Good, "Warn": th.Warn, "Bad": th.Bad, "Panel": th.Panel, "PanelDim": th.PanelDim,
			"PanelKey": th.PanelKey, "PanelGood": th.PanelGood, "PanelWarn": th.PanelWarn, "PanelBad": th.PanelBad, "PanelPick": th.PanelPick,
			"Bar": th.Bar, "BarDim": th.BarDim, "BarKey": th.BarKey, "BarGood": th.BarGood, "BarWarn": th.BarWarn, "BarBad": th.BarBad,
			"TagBrowse": th.TagBrowse, "TagControl": th.TagControl, "TagType": th.TagType,
			"Member 1": th.Member(1), "Member 2": th.Member(2), "Member 3": th.Member(3), "Member 4": th.Member(4),
		} {
			back := ground
			if _, none := s.GetBackground().(lipgloss.NoColor); !none {
				back = s.GetBackground()
			}
			if c := contrast(s.GetForeground(), back); c < 4.5 {
				t.Errorf("dark=%v %s: contrast %.2f, want 4.5 (WCAG 2.1 AA)", dark, name, c)
			}
		}
	}
}

func TestNoColourMeansNone(t *testing.T) {
	th := New(true, colorprofile.ASCII)
	for i, s := range []lipgloss.Style{th.Bar, th.Accent, th.TagControl, th.PanelBad, th.Member(3)} {
		for _, c := range []color.Color{s.GetForeground(), s.GetBackground()} {
			if _, none := c.(lipgloss.NoColor); !none {
				t.Errorf("style %d has the colour %s", i, fmt.Sprint(c))
			}
		}
	}
}
