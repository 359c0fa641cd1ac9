package tui

import (
	"image"
	"testing"

	"assist/screen/raster"
	"assist/tui/painter"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
)

// What real terminals answered when AskColours was tried in them.
func TestColoursOfAnswers(t *testing.T) {
	for answer, want := range map[string]colorprofile.Profile{
		"\x1bP1$r0;48:2::1:2:3m\x1b\\": colorprofile.TrueColor, // xterm 379
		"\x1bP1$r48:2:1:2:3m\x1b\\":    colorprofile.TrueColor, // kitty 0.26
		"\x1bP1$r0;48;5;16m\x1b\\":     colorprofile.ANSI256,   // mlterm 3.9
		"\x1bP1$r0m\x1b\\":             colorprofile.Unknown,
		"\x1bP0$r\x1b\\":               colorprofile.Unknown,
		"":                             colorprofile.Unknown,
	} {
		if got := coloursOf(answer); got != want {
			t.Errorf("%q: %v, want %v", answer, got, want)
		}
	}
}

// The ways that the terminals that were tried are drawn in, by what they say.
func TestTheBestWayIsChosen(t *testing.T) {
	for _, c := range []struct {
		t    Terminal
		p    colorprofile.Profile
		want raster.Mode
	}{
		{Terminal{Name: "XTerm(379)"}, colorprofile.TrueColor, raster.Half},
		{Terminal{Name: "Konsole 22.12.3", Images: true}, colorprofile.TrueColor, raster.Pixels},
		{Terminal{Name: "kitty(0.26.5)", Images: true}, colorprofile.TrueColor, raster.Pixels},
		{Terminal{Name: "kitty(0.26.5)", Images: true}, colorprofile.ANSI, raster.Sextant},
		{Terminal{Name: "kitty(0.41.1)"}, colorprofile.TrueColor, raster.Octant},
		{Terminal{Name: "foot(1.13.1)"}, colorprofile.TrueColor, raster.Sextant},
		{Terminal{Name: "foot(1.21.0)"}, colorprofile.TrueColor, raster.Octant},
		{Terminal{Name: "foot(1.21.0)", Wide: true}, colorprofile.TrueColor, raster.Sextant},
		{Terminal{Name: "VTE(7006)"}, colorprofile.TrueColor, raster.Sextant},
		{Terminal{Name: "VTE(8001)"}, colorprofile.TrueColor, raster.Octant},
		{Terminal{Name: "iTerm2 3.5.2"}, colorprofile.TrueColor, raster.Pixels},
		{Terminal{}, colorprofile.ANSI, raster.Half},
		{Terminal{Latin: true, Wide: true}, colorprofile.ANSI, raster.ASCII},
		{Terminal{Name: "tmux 3.3a", Wide: true}, colorprofile.TrueColor, raster.Half},
		{Terminal{Name: "tmux 3.5a", Behind: []string{"kitty(0.41.1)"}, Passes: true}, colorprofile.TrueColor, raster.Pixels},
		{Terminal{Name: "tmux 3.5a", Behind: []string{"kitty(0.41.1)"}}, colorprofile.TrueColor, raster.Octant},
		{Terminal{Name: "tmux 3.3a", Wide: true, Behind: []string{"kitty(0.26.5)"}, Passes: true}, colorprofile.TrueColor, raster.Sextant},
		{Terminal{Name: "tmux 3.5a", Behind: []string{"foot(1.21.0)", "XTerm(379)"}, Passes: true}, colorprofile.TrueColor, raster.Half},
		{Terminal{Name: "tmux 3.5a", Behind: []string{""}, Passes: true}, colorprofile.TrueColor, raster.Half},
	} {
		if got := c.t.Mode(c.p); got != c.want {
			t.Errorf("%+v with %v: %v, want %v", c.t, c.p, got, c.want)
		}
	}
}

// A console hears the answers one by one, and what a person has chosen stays.
func TestAnswersChangeTheDrawing(t *testing.T) {
	m := newModel(t.Context(), newFake(), Options{Env: []string{"TERM=xterm"}, painter: painter.New(nil), Around: func() ([]string, bool) { return []string{"kitty(0.41.1)"}, true }}.filled())
	m.profile = colorprofile.ANSI
	expect := func(what string, want raster.Mode) {
		t.Helper()
		if got := m.viewer.Mode(); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	if m.handle(tea.CursorPositionMsg{X: 2, Y: painter.LatinRow}) == nil {
		t.Error("what was drawn before stays")
	}
	expect("an é is two characters", raster.ASCII)
	m.handle(tea.CursorPositionMsg{X: 1, Y: painter.LatinRow})
	expect("an é is one", raster.Half)
	more := m.handle(uv.UnknownDcsEvent("\x1bP1$r48:2:1:2:3m\x1b\\"))
	if more == nil {
		t.Fatal("24 bits are not taken")
	}
	m.handle(more())
	if m.profile != colorprofile.TrueColor {
		t.Errorf("colours are %v", m.profile)
	}
	around := m.handle(tea.TerminalVersionMsg{Name: "tmux 3.5a"})
	if around == nil {
		t.Fatal("tmux is not asked what is around it")
	}
	m.handle(around())
	expect("tmux in kitty", raster.Pixels)
	m.nextGlyphs()
	chosen := m.viewer.Mode()
	m.handle(aroundMsg{[]string{"XTerm(379)"}, false})
	expect("chosen by hand", chosen)
	if m.cellSize(image.Pt(7, 15)); m.draws.cell != image.Pt(7, 15) {
		t.Errorf("%v", m.draws.cell)
	}
}
