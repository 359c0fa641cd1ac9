package dialog

import (
	"image"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Grants asks which grants to ask the customer for; its answer is a session.Grants.
type Grants struct {
	choices []session.Grants
	picked  session.Grants
	at      int
}

// usual is what is picked at first; what more there is has to be wanted.
const usual = session.View | session.Control | session.Chat

// NewGrants offers the grants in from, the usual ones picked.
func NewGrants(from session.Grants) *Grants {
	g := &Grants{picked: from & usual}
	for bit := session.Grants(1); bit <= session.AllGrants; bit <<= 1 {
		if from&bit != 0 {
			g.choices = append(g.choices, bit)
		}
	}
	return g
}

// meaning says what a grant allows.
var meaning = map[session.Grants]string{
	session.View: "see the screen", session.Control: "use keyboard and mouse", session.Chat: "write to the customer",
	session.Diag: "read how the machine is doing", session.Clipboard: "share the clipboard", session.File: "send and fetch files",
	session.Run: "run commands",
}

// Press picks and asks.
func (g *Grants) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch k.String() {
	case "esc", "q", "ctrl+c":
		return nil, true
	case "up", "k", "shift+tab":
		g.at = (g.at + len(g.choices) - 1) % len(g.choices)
	case "down", "j", "tab":
		g.at = (g.at + 1) % len(g.choices)
	case "space", "x":
		g.picked ^= g.choices[g.at]
	case "enter":
		if g.picked == 0 {
			return nil, true
		}
		return g.picked, true
	}
	return nil, false
}

// Hint tells the keys.
func (g *Grants) Hint() string { return "Space picks, Enter asks the customer, Esc closes" }

// View draws the list.
func (g *Grants) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(48, limit)
	lines := []string{t.Panel.Render(cell.Fit("The customer is asked whether you may", inner)), ""}
	for i, c := range g.choices {
		box := "[ ] "
		if g.picked&c != 0 {
			box = "[x] "
		}
		text := cell.Fit(box+c.String()+": "+meaning[c], inner-2)
		if i == g.at {
			lines = append(lines, t.PanelPick.Render("> "+text))
		} else {
			lines = append(lines, t.Panel.Render("  "+text))
		}
	}
	return frame(t, "Ask for more", lines, inner)
}
