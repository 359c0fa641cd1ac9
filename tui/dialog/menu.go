package dialog

import (
	"image"
	"slices"

	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Choice is one line of a menu. The first letter of Press chooses it at once, where it is set.
type Choice struct {
	Text   string
	Note   string
	Press  string
	Answer Answer
	Why    string // not empty: cannot be chosen, for this reason
}

// Menu asks for one of several.
type Menu struct {
	Title   string
	Lead    string // said above the choices
	Choices []Choice
	at, top int
}

// Press moves and chooses.
func (m *Menu) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch s := k.String(); s {
	case "esc", "q", "ctrl+c":
		return nil, true
	case "up", "k", "shift+tab":
		m.at = (m.at + len(m.Choices) - 1) % len(m.Choices)
	case "down", "j", "tab":
		m.at = (m.at + 1) % len(m.Choices)
	case "pgup", "home":
		m.at = 0
	case "pgdown", "end":
		m.at = len(m.Choices) - 1
	case "enter", "space":
		return m.choose(m.at)
	default:
		for i, c := range m.Choices {
			if c.Press != "" && c.Press == s {
				m.at = i
				return m.choose(i)
			}
		}
	}
	return nil, false
}

func (m *Menu) choose(i int) (Answer, bool) {
	if m.Choices[i].Why != "" {
		return nil, false
	}
	return m.Choices[i].Answer, true
}

// Hint tells the keys.
func (m *Menu) Hint() string { return "Up/Down choose, Enter takes it, Esc closes" }

// View draws the choices, scrolled so that the chosen one is seen.
func (m *Menu) View(t theme.Theme, limit image.Point) cell.Block {
	want := cell.Width(m.Title) + 4
	if len(m.Choices) > limit.Y-4 {
		want += cell.Width(more(1, 1))
	}
	for _, c := range m.Choices {
		want = max(want, cell.Width(c.Text)+cell.Width(c.Note)+cell.Width(c.Why)+8)
	}
	if m.Lead != "" {
		want = max(want, min(60, cell.Width(m.Lead)))
	}
	inner := innerWidth(want, limit)
	var lines []string
	if m.Lead != "" {
		for _, l := range cell.Wrap(cell.Clean(m.Lead), inner) {
			lines = append(lines, t.Panel.Render(l))
		}
		lines = append(lines, "")
	}
	room := max(1, limit.Y-4-len(lines))
	m.top = max(0, min(m.top, m.at), m.at-room+1)
	end := min(len(m.Choices), m.top+room)
	for i := m.top; i < end; i++ {
		lines = append(lines, m.row(t, i, inner))
	}
	return frame(t, m.Title+more(m.top, len(m.Choices)-end), lines, inner)
}

// lettered says whether any choice has a letter of its own.
func (m *Menu) lettered() bool {
	return slices.ContainsFunc(m.Choices, func(c Choice) bool { return c.Press != "" })
}

func (m *Menu) row(t theme.Theme, i, inner int) string {
	c := m.Choices[i]
	mark := ""
	if m.lettered() {
		mark = cell.Fit(c.Press, 2)
	}
	if i == m.at {
		return t.PanelPick.Render(cell.Ends(" > "+mark+cell.Clean(c.Text), cell.Clean(c.Note+c.Why)+" ", inner))
	}
	if c.Why != "" {
		return t.PanelDim.Render(cell.Ends("   "+mark+cell.Clean(c.Text), cell.Clean(c.Why)+" ", inner))
	}
	text := cell.Clean(c.Text)
	left := t.Panel.Render("   ") + t.PanelKey.Render(mark) + t.Panel.Render(text)
	return left + t.PanelDim.Render(cell.Ends("", cell.Clean(c.Note)+" ", inner-cell.Width(left)))
}
