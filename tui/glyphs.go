package tui

import (
	"fmt"
	"image"
	"slices"
	"strings"

	"assist/screen"
	"assist/screen/raster"
	"assist/tui/cell"
	"assist/tui/painter"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// draws is what is known about what the terminal draws.
type draws struct {
	name   string // and version, as it says itself
	images bool   // it has answered a question of the graphics protocol
	asked  bool   // that question
	sixel  bool
	cell   image.Point // pixels of a cell; zero: it did not say
	chosen bool        // a person has chosen the glyphs
}

// told takes what the terminal says about itself; false: msg is something else.
func (m *model) told(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case tea.TerminalVersionMsg:
		m.draws.name = msg.Name
	case uv.PrimaryDeviceAttributesEvent:
		m.draws.sixel = slices.Contains(msg, 4) // xterm's ctlseqs, "Send Device Attributes"
		return true
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeSynchronizedOutput && m.opt.painter != nil {
			m.opt.painter.Report(msg.Value == ansi.ModeSet || msg.Value == ansi.ModeReset || msg.Value == ansi.ModePermanentlySet)
		}
		return true
	case uv.CellSizeEvent:
		m.cellSize(msg)
		return true
	case uv.KittyGraphicsEvent:
		m.draws.images = m.draws.images || string(msg.Payload) == "OK"
	default:
		return false
	}
	if m.opt.painter == nil {
		m.draws.images = false
	} else {
		m.opt.painter.SetImages(m.draws.protocol())
	}
	switch {
	case m.opt.Glyphs != nil, m.draws.chosen:
	case m.draws.images && m.profile >= colorprofile.ANSI256:
		m.viewer.SetMode(raster.Pixels)
	default:
		m.viewer.SetMode(glyphsOf(m.draws.name))
	}
	return true
}

// protocol is by which sequences the terminal takes images, if it takes any.
func (d draws) protocol() painter.Protocol {
	switch {
	case strings.HasPrefix(d.name, "iTerm2"):
		return painter.ITerm
	case strings.HasPrefix(d.name, "tmux"):
		return painter.Holders
	}
	return painter.Kitty
}

// askers are terminals that understand the question for images, by the beginning of their names.
var askers = []string{"kitty", "ghostty", "wezterm", "konsole", "contour"}

// askMore asks what only a terminal of that name would understand.
func (m *model) askMore() tea.Cmd {
	if m.draws.asked || m.opt.painter == nil {
		return nil
	}
	name := strings.ToLower(m.draws.name)
	if strings.HasPrefix(name, "iterm2") {
		m.draws.asked, m.draws.images = true, true
		return func() tea.Msg { return tea.TerminalVersionMsg{Name: m.draws.name} }
	}
	for _, a := range askers {
		if strings.HasPrefix(name, a) {
			m.draws.asked = true
			return tea.Raw(painter.AskImages)
		}
	}
	return nil
}

// finest are terminals that draw fine glyphs by themselves, whatever the font has, by the beginning of the name that they give,
// and since which version.
var finest = []struct {
	name  string
	since [2]int
	mode  raster.Mode
}{
	{"kitty", [2]int{0, 41}, raster.Octant},
	{"foot", [2]int{1, 21}, raster.Octant},
	{"ghostty", [2]int{1, 2}, raster.Octant},
	{"kitty", [2]int{0, 20}, raster.Sextant},
	{"foot", [2]int{1, 8}, raster.Sextant},
	{"ghostty", [2]int{1, 0}, raster.Sextant},
	{"wezterm", [2]int{20220000, 0}, raster.Sextant},
	{"vte", [2]int{6200, 0}, raster.Sextant},
	{"contour", [2]int{0, 3}, raster.Sextant},
}

// glyphsOf is what a terminal is known to draw: half-blocks unless its name tells more. Inside tmux it is tmux that answers, and
// what stands behind it is not known.
func glyphsOf(name string) raster.Mode {
	name = strings.ToLower(name)
	for _, t := range finest {
		rest, is := strings.CutPrefix(name, t.name)
		if !is {
			continue
		}
		var v [2]int
		n, _ := fmt.Sscanf(strings.TrimLeft(rest, " ("), "%d.%d", &v[0], &v[1])
		if n > 0 && (v[0] > t.since[0] || v[0] == t.since[0] && v[1] >= t.since[1]) {
			return t.mode
		}
	}
	return raster.Half
}

// glyphNames are the modes in words.
var glyphNames = map[raster.Mode]string{
	raster.Half: "half-blocks", raster.Quadrant: "quadrants", raster.Sextant: "sextants", raster.Octant: "octants", raster.ASCII: "letters only",
	raster.Pixels: "images",
}

// nextGlyphs goes on to the next mode that the terminal may be able to draw.
func (m *model) nextGlyphs() {
	all := raster.Modes()
	if m.draws.images {
		all = append(all, raster.Pixels)
	}
	m.draws.chosen = true
	next := all[(slices.Index(all, m.viewer.Mode())+1)%len(all)]
	m.viewer.SetMode(next)
	m.say("drawn by " + glyphNames[next] + "; G goes on where they look wrong")
}

// monitorName says which monitor is in view.
func monitorName(all []screen.Monitor, n int) string {
	if n == 0 {
		return "all monitors"
	}
	return fmt.Sprintf("monitor %d of %d, %s", n, len(all), cell.Clean(all[n-1].Name))
}
