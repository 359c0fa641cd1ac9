// Package theme is the colours and weights of the console, for dark and light terminals, for many and few colours and for
// none. Colour never carries a meaning alone: each thing that is coloured is also said in words.
//
// It is pure; a Theme is made once for what is known of the terminal and made anew when more is known.
package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// Theme is a set of styles. Those of the bars have their background set, the others stand on the terminal's own.
type Theme struct {
	Dark    bool
	Profile colorprofile.Profile

	Text, Dim, Strong       lipgloss.Style
	Accent, Good, Warn, Bad lipgloss.Style
	Panel, PanelTitle       lipgloss.Style // dialogs, notices
	PanelDim, PanelKey      lipgloss.Style
	PanelGood, PanelWarn    lipgloss.Style
	PanelBad, PanelPick     lipgloss.Style
	Bar, BarDim, BarStrong  lipgloss.Style
	BarKey, BarGood         lipgloss.Style
	BarWarn, BarBad         lipgloss.Style
	TagBrowse, TagControl   lipgloss.Style
	TagType, Edge           lipgloss.Style
	members                 []color.Color
	onTag                   color.Color
}

// palette is one set of colours.
type palette struct {
	barBG, barFG, panelBG, panelFG, dim, barDim, accent, good, warn, bad, onTag, edge color.Color
	members                                                                           []color.Color
}

func hex(s ...string) []color.Color {
	out := make([]color.Color, len(s))
	for i := range s {
		out[i] = lipgloss.Color(s[i])
	}
	return out
}

func darkPalette() palette {
	c := hex("#20252e", "#d5dae2", "#262c37", "#d5dae2", "#858f9e", "#99a3b2", "#79b8ff", "#6fcf97", "#e6b450", "#ff8178", "#14181f", "#4b5565")
	return palette{
		c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11],
		hex("#79b8ff", "#6fcf97", "#d2a8ff", "#f4a261", "#5ccfe6", "#ff9bb3", "#c3d82c", "#b8a1ff"),
	}
}

func lightPalette() palette {
	c := hex("#e3e7ed", "#1f2630", "#eef1f5", "#1f2630", "#626c7a", "#566070", "#0a58b5", "#146c34", "#8a5a00", "#bb1f2a", "#ffffff", "#a6b0bd")
	return palette{
		c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11],
		hex("#0a58b5", "#146c34", "#7a3db8", "#a34a00", "#006b7d", "#b0255f", "#5d6b00", "#5a45b8"),
	}
}

// basicPalette uses the 16 colours that every terminal names, so that a person's own scheme decides how they look.
func basicPalette(dark bool) palette {
	if dark {
		c := hex("8", "15", "8", "15", "7", "7", "14", "10", "11", "9", "0", "7")
		return palette{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], hex("14", "10", "13", "11", "12", "9")}
	}
	c := hex("7", "0", "7", "0", "8", "0", "4", "2", "3", "1", "15", "8")
	return palette{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], hex("4", "2", "5", "3", "6", "1")}
}

// New makes the theme for a terminal with a dark or light background that shows as many colours as p says.
func New(dark bool, p colorprofile.Profile) Theme {
	if p < colorprofile.ANSI {
		return plain(dark, p)
	}
	c := lightPalette()
	switch {
	case p == colorprofile.ANSI:
		c = basicPalette(dark)
	case dark:
		c = darkPalette()
	}
	s := lipgloss.NewStyle()
	bar, panel := s.Background(c.barBG).Foreground(c.barFG), s.Background(c.panelBG).Foreground(c.panelFG)
	tag := s.Foreground(c.onTag).Bold(true)
	return Theme{
		Dark: dark, Profile: p,
		Text: s, Dim: s.Foreground(c.dim), Strong: s.Bold(true),
		Accent: s.Foreground(c.accent), Good: s.Foreground(c.good), Warn: s.Foreground(c.warn), Bad: s.Foreground(c.bad),
		Panel: panel, PanelTitle: panel.Bold(true), PanelDim: panel.Foreground(c.barDim), PanelKey: panel.Foreground(c.accent).Bold(true),
		PanelGood: panel.Foreground(c.good), PanelWarn: panel.Foreground(c.warn), PanelBad: panel.Foreground(c.bad),
		PanelPick: s.Background(c.accent).Foreground(c.onTag).Bold(true),
		Bar:       bar, BarDim: bar.Foreground(c.barDim), BarStrong: bar.Bold(true), BarKey: bar.Foreground(c.accent).Bold(true),
		BarGood: bar.Foreground(c.good), BarWarn: bar.Foreground(c.warn).Bold(true), BarBad: bar.Foreground(c.bad).Bold(true),
		TagBrowse: tag.Background(c.accent), TagControl: tag.Background(c.warn), TagType: tag.Background(c.good),
		Edge: s.Foreground(c.edge), members: c.members, onTag: c.onTag,
	}
}

// plain carries everything by weight: bold, faint, reverse. It is what NO_COLOR asks for.
func plain(dark bool, p colorprofile.Profile) Theme {
	s := lipgloss.NewStyle()
	bold, faint, bar := s.Bold(true), s.Faint(true), s.Reverse(true)
	return Theme{
		Dark: dark, Profile: p,
		Text: s, Dim: faint, Strong: bold, Accent: bold, Good: s, Warn: bold, Bad: bold,
		Panel: s, PanelTitle: bold, PanelDim: faint, PanelKey: bold, PanelGood: s, PanelWarn: bold, PanelBad: bold, PanelPick: bar,
		Bar: bar, BarDim: bar, BarStrong: bar.Bold(true), BarKey: bar.Bold(true), BarGood: bar, BarWarn: bar.Bold(true), BarBad: bar.Bold(true),
		TagBrowse: bold, TagControl: bold.Underline(true), TagType: bold, Edge: faint,
	}
}

// Member is the style in which the n-th member is written, the same in every pane.
func (t Theme) Member(n uint32) lipgloss.Style {
	if len(t.members) == 0 {
		return t.Strong
	}
	return lipgloss.NewStyle().Foreground(t.members[int(n)%len(t.members)])
}

// Tag is the style of the n-th member's name where it lies on the picture, and the colour of its pointer; nil where there
// are no colours.
func (t Theme) Tag(n uint32) (lipgloss.Style, color.Color) {
	if len(t.members) == 0 {
		return t.Bar, nil
	}
	c := t.members[int(n)%len(t.members)]
	return lipgloss.NewStyle().Background(c).Foreground(t.onTag), c
}

// Mark is the letter of the n-th member, so that nobody is told apart by colour alone: the customer (1) has "*", agents
// count from A.
func Mark(n uint32) string {
	if n <= 1 {
		return "*"
	}
	return string(rune('A' + (n-2)%26))
}
