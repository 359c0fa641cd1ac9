package dialog

import (
	"image"

	"assist/tui/cell"
	"assist/tui/keys"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// Help lists every key, what it does, and why it does not work now where it does not.
type Help struct {
	Now  keys.Now
	Exit string
	top  int
	rows int
	room int
}

// Press scrolls; any other key closes.
func (h *Help) Press(k tea.KeyPressMsg) (Answer, bool) {
	last := max(0, h.rows-h.room)
	switch k.String() {
	case "down", "j":
		h.top = min(h.top+1, last)
	case "up", "k":
		h.top = max(h.top-1, 0)
	case "pgdown", "space":
		h.top = min(h.top+h.room, last)
	case "pgup":
		h.top = max(h.top-h.room, 0)
	default:
		return nil, true
	}
	return nil, false
}

// Hint tells the keys.
func (h *Help) Hint() string {
	if h.rows > h.room {
		return "Up/Down scroll, any other key closes"
	}
	return "any key closes"
}

// keyColumn is how wide the column of keys is.
const keyColumn = 10

// View draws the list.
func (h *Help) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(84, limit)
	lines := h.lines(t, inner)
	h.rows, h.room = len(lines), max(1, limit.Y-4)
	h.top = min(h.top, max(0, h.rows-h.room))
	end := min(len(lines), h.top+h.room)
	return frame(t, "Keys"+more(h.top, len(lines)-end), lines[h.top:end], inner)
}

func (h *Help) lines(t theme.Theme, inner int) []string {
	var out []string
	add := func(show, help, why string) {
		for i, l := range cell.Wrap(help, inner-keyColumn) {
			if i > 0 {
				show = ""
			}
			style := t.Panel
			if why != "" {
				style = t.PanelDim
			}
			out = append(out, t.PanelKey.Render(cell.Fit(show, keyColumn))+style.Render(l))
		}
		for _, l := range cell.Wrap(why, inner-keyColumn) {
			if why != "" {
				out = append(out, t.PanelDim.Render(cell.Fit("", keyColumn)+"not now: "+l))
			}
		}
	}
	for _, section := range keys.Sections() {
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, t.PanelTitle.Render(string(section)))
		for _, k := range keys.Everything() {
			if k.Section == section {
				add(k.Show, k.Help, k.Why(h.Now))
			}
		}
	}
	out = append(out, "", t.PanelTitle.Render("In control"))
	add(h.Exit, "back to browsing; pressed twice it goes to the customer", "")
	out = append(out, "", t.PanelTitle.Render("Mouse while browsing"))
	add("wheel", "zoom about the place under the mouse", "")
	add("drag", "move the view", "")
	return out
}
