package dialog

import (
	"image"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// HandOverTo is the answer of HandOver.
type HandOverTo struct {
	To      session.MemberID
	Note    string
	Leaving bool // the lead leaves when it is taken
}

// MaxNote is how many characters the note of a hand-over has.
const MaxNote = 1000

// HandOver lets the lead choose who is offered the lead, and type what that agent should know.
type HandOver struct {
	Heirs   []session.Member
	Leaving bool

	at   int
	note Field
}

// NewHandOver offers the lead to one of heirs; at least one is needed. first is picked.
func NewHandOver(heirs []session.Member, first session.MemberID, leaving bool) *HandOver {
	h := &HandOver{Heirs: heirs, Leaving: leaving, note: Field{Max: MaxNote, Lines: true}}
	for i, m := range heirs {
		if m.ID == first {
			h.at = i
		}
	}
	return h
}

// Press chooses with the arrows; everything that can be typed is part of the note.
func (h *HandOver) Press(k tea.KeyPressMsg) (Answer, bool) {
	switch k.String() {
	case "esc", "ctrl+c":
		return nil, true
	case "up", "shift+tab":
		h.at = (h.at + len(h.Heirs) - 1) % len(h.Heirs)
	case "down", "tab":
		h.at = (h.at + 1) % len(h.Heirs)
	case "enter":
		return HandOverTo{To: h.Heirs[h.at].ID, Note: h.note.Text(), Leaving: h.Leaving}, true
	default:
		h.note.Press(k)
	}
	return nil, false
}

// Paste adds to the note.
func (h *HandOver) Paste(s string) { h.note.Paste(s) }

// Hint tells the keys.
func (h *HandOver) Hint() string {
	return "Up/Down who, type a note, Alt-Enter new line, Enter offers it, Esc closes"
}

// View draws the list and the note.
func (h *HandOver) View(t theme.Theme, limit image.Point) cell.Block {
	inner := innerWidth(60, limit)
	room := min(len(h.Heirs), max(1, limit.Y-13))
	top := max(0, min(h.at-room/2, len(h.Heirs)-room))
	lines := []string{t.Panel.Render("Who is to lead this session?"), ""}
	for i := top; i < top+room; i++ {
		m := h.Heirs[i]
		text := cell.Ends(theme.Mark(uint32(m.ID))+" "+cell.Clean(m.Name), cell.Clean(m.Org)+" ", inner-3)
		if i == h.at {
			lines = append(lines, t.PanelPick.Render(" > "+text))
		} else {
			lines = append(lines, t.Panel.Render("   "+text))
		}
	}
	lines = append(lines, "", t.Panel.Render("What should they know? The note is for them alone."), "")
	for _, l := range h.note.rows(t, inner-2, 4, true) {
		lines = append(lines, t.PanelKey.Render("> ")+l)
	}
	title := "Hand over the lead"
	if h.Leaving {
		title = "Hand over and leave"
	}
	return frame(t, title+more(top, len(h.Heirs)-top-room), lines, inner)
}
