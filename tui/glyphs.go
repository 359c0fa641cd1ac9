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
	latin  bool        // it shows no Unicode
	wide   bool        // an octant is not one cell wide there
	behind []string    // the names of the terminals that tmux is shown in; nil: not known
	chosen bool        // a person has chosen the glyphs
}

// told takes what the terminal says about itself; false: msg is something else.
func (m *model) told(msg tea.Msg) (cmd tea.Cmd, ok bool) {
	switch msg := msg.(type) {
	case tea.TerminalVersionMsg:
		m.draws.name = msg.Name
	case uv.PrimaryDeviceAttributesEvent:
		m.draws.sixel = slices.Contains(msg, 4) // xterm's ctlseqs, "Send Device Attributes"
		return nil, true
	case tea.ModeReportMsg:
		if msg.Mode == ansi.ModeSynchronizedOutput && m.opt.painter != nil {
			m.opt.painter.Report(msg.Value == ansi.ModeSet || msg.Value == ansi.ModeReset || msg.Value == ansi.ModePermanentlySet)
		}
		return nil, true
	case uv.CellSizeEvent:
		m.cellSize(image.Pt(msg.Width, msg.Height))
		return nil, true
	case tea.CursorPositionMsg:
		if m.widthTold(image.Pt(msg.X, msg.Y)) {
			m.choose()
			return tea.ClearScreen, true // what was drawn already, too
		}
	case uv.UnknownDcsEvent:
		return m.coloursTold(string(msg)), true
	case uv.KittyGraphicsEvent:
		m.draws.images = m.draws.images || string(msg.Payload) == "OK"
	case aroundMsg:
		m.draws.around(msg.terminals, msg.passes)
	default:
		return nil, false
	}
	m.choose()
	return m.askMore(), true
}

// choose draws by the best that the terminal is known to show, unless a person has chosen.
func (m *model) choose() {
	if m.opt.painter == nil {
		m.draws.images = false
	} else {
		m.opt.painter.SetLatin(m.draws.latin)
		m.opt.painter.SetImages(m.draws.protocol())
		if m.draws.images && m.draws.cell == (image.Point{}) {
			m.cellSize(cellPixels(m.opt.Out))
		}
	}
	if m.opt.Glyphs == nil && !m.draws.chosen {
		m.viewer.SetMode(m.draws.best(m.profile))
	}
}

// best is the best way that is known to work.
func (d draws) best(p colorprofile.Profile) raster.Mode {
	switch {
	case d.latin:
		return raster.ASCII
	case d.images && p >= colorprofile.ANSI256:
		return raster.Pixels
	}
	return d.glyphs()
}

// around takes what tmux says about the terminals that it is shown in.
func (d *draws) around(terminals []string, passes bool) {
	d.behind = terminals
	d.images = passes && len(terminals) > 0 && !slices.ContainsFunc(terminals, func(name string) bool { return !holdsImages(name) })
}

// glyphs are the finest that are known to be drawn: in tmux by every terminal that it is shown in.
func (d draws) glyphs() raster.Mode {
	out := glyphsOf(d.name)
	for i, name := range d.behind {
		if g := glyphsOf(name); i == 0 || g < out { // Half, Quadrant, Sextant, Octant
			out = g
		}
	}
	if d.wide {
		out = min(out, raster.Sextant)
	}
	return out
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
	{"vte", [2]int{8000, 0}, raster.Octant},
	{"kitty", [2]int{0, 20}, raster.Sextant},
	{"foot", [2]int{1, 8}, raster.Sextant},
	{"ghostty", [2]int{1, 0}, raster.Sextant},
	{"wezterm", [2]int{20220000, 0}, raster.Sextant},
	{"vte", [2]int{6200, 0}, raster.Sextant},
	{"contour", [2]int{0, 3}, raster.Sextant},
}

// glyphsOf is what a terminal of that name is known to draw: half-blocks unless it is one of the finest.
func glyphsOf(name string) raster.Mode {
	for _, t := range finest {
		if atLeast(name, t.name, t.since) {
			return t.mode
		}
	}
	return raster.Half
}

// holdsImages says whether a terminal of that name knows images whose place is text, which is how they are shown in tmux.
func holdsImages(name string) bool {
	return atLeast(name, "kitty", [2]int{0, 28}) || atLeast(name, "ghostty", [2]int{1, 0})
}

// atLeast says whether a name, as a terminal gives it, is of that program and of that version or a later one.
func atLeast(name, program string, since [2]int) bool {
	rest, is := strings.CutPrefix(strings.ToLower(name), program)
	if !is {
		return false
	}
	var v [2]int
	n, _ := fmt.Sscanf(strings.TrimLeft(rest, " ("), "%d.%d", &v[0], &v[1])
	return n > 0 && (v[0] > since[0] || v[0] == since[0] && v[1] >= since[1])
}

// glyphNames are the modes in words.
var glyphNames = map[raster.Mode]string{
	raster.Half: "half-blocks", raster.Quadrant: "quadrants", raster.Sextant: "sextants", raster.Octant: "octants", raster.ASCII: "letters only",
	raster.Pixels: "images",
}

// nextGlyphs goes on to the next mode that the terminal may be able to draw.
func (m *model) nextGlyphs() {
	all := raster.Modes()
	if m.draws.wide {
		all = slices.DeleteFunc(all, func(g raster.Mode) bool { return g == raster.Octant })
	}
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
