package tui

import (
	"image"
	"strings"

	"assist/screen/raster"
	"assist/tui/painter"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// What a console asks its terminal beyond question, once it knows more, and what the answers mean. A terminal that says nothing gets
// what every terminal has.

// AskColours sets a colour of 24 bits and asks what became of it (DECRQSS of SGR): a terminal that is reached by ssh says TERM=xterm
// whatever it can.
const AskColours = "\x1b7\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b8"

// coloursOf reads the answer: all of them, the palette of 256, or Unknown.
func coloursOf(answer string) colorprofile.Profile {
	body, ok := strings.CutPrefix(answer, "\x1bP1$r")
	body = strings.ReplaceAll(body, ":", ";") // xterm and others put colons between the parts of a colour
	switch {
	case !ok:
		return colorprofile.Unknown
	case strings.Contains(body, "48;2;"):
		return colorprofile.TrueColor
	case strings.Contains(body, "48;5;"):
		return colorprofile.ANSI256
	}
	return colorprofile.Unknown
}

// coloursTold goes on with more colours than the environment promised.
func (m *model) coloursTold(answer string) tea.Cmd {
	more := coloursOf(answer)
	if m.opt.ColorProfile != colorprofile.Unknown || more <= m.profile {
		return nil
	}
	return func() tea.Msg { return tea.ColorProfileMsg{Profile: more} } // for Bubble Tea, too
}

// widthTold takes the answers about how far two characters moved the cursor, which the painter has asked when it began. It says
// whether the terminal turned out to show no Unicode.
func (m *model) widthTold(at image.Point) (latin bool) {
	was := m.draws.latin
	switch at.Y {
	case painter.LatinRow:
		m.draws.latin = at.X != 1
	case painter.OctantRow:
		m.draws.wide = at.X != 1
	}
	return m.draws.latin && !was
}

// askers are terminals that understand the question for images, by the beginning of their names.
var askers = []string{"kitty", "ghostty", "wezterm", "konsole", "contour"}

// askMore asks what only a terminal of that name would understand, when the name has come.
func (m *model) askMore() tea.Cmd {
	if m.draws.asked || m.draws.name == "" {
		return nil
	}
	m.draws.asked = true
	name := strings.ToLower(m.draws.name)
	switch {
	case strings.HasPrefix(name, "tmux"):
		return m.lookAround()
	case strings.HasPrefix(name, "iterm2"):
		m.draws.images = true
		m.choose()
	}
	ask := ""
	if m.profile < colorprofile.TrueColor && m.opt.ColorProfile == colorprofile.Unknown {
		ask = AskColours
	}
	if m.opt.painter != nil {
		for _, a := range askers {
			if strings.HasPrefix(name, a) {
				ask += painter.AskImages
			}
		}
	}
	if ask == "" {
		return nil
	}
	return tea.Raw(ask)
}

// Terminal is what a terminal has said, for those who want to know what a console would do in it.
type Terminal struct {
	Name   string // by XTVERSION
	Images bool   // it has answered painter.AskImages
	Latin  bool   // it shows no Unicode
	Wide   bool   // an octant is not one cell wide
	Behind []string
	Passes bool // tmux lets images through
}

// Mode is what a console would draw the picture by.
func (t Terminal) Mode(p colorprofile.Profile) raster.Mode {
	d := draws{name: t.Name, images: t.Images || strings.HasPrefix(t.Name, "iTerm2"), latin: t.Latin, wide: t.Wide}
	if t.Behind != nil {
		d.around(t.Behind, t.Passes)
	}
	return d.best(p)
}

// Colours is how many colours a console would use: what the environment says, or more if the terminal does (answer, to AskColours).
func Colours(env []string, answer string) colorprofile.Profile {
	if p := profile(env); p != colorprofile.Unknown {
		return p
	}
	return max(colorprofile.Env(env), coloursOf(answer))
}

// aroundMsg is in which terminals tmux is shown, and whether it lets images through to them.
type aroundMsg struct {
	terminals []string
	passes    bool
}

// lookAround asks tmux about the terminals behind it, which answer no question themselves.
func (m *model) lookAround() tea.Cmd {
	if m.opt.Around == nil {
		return nil
	}
	return func() tea.Msg {
		terminals, passes := m.opt.Around()
		return aroundMsg{terminals, passes}
	}
}
