package tui

import (
	"image"
	"time"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/control"
	"assist/tui/dialog"
	"assist/tui/theme"

	tea "charm.land/bubbletea/v2"
)

// leaveAnswer is how the agent wants to go.
type leaveAnswer struct {
	how session.LeaveHow
}

// askLeave asks how to go. Before one is in the session there is nothing to ask.
func (m *model) askLeave() {
	if m.state.Phase != In && m.state.Phase != Lost {
		m.quitting = true
		return
	}
	menu := &dialog.Menu{Title: "Leave"}
	if m.state.Roster.Lead != m.state.Self {
		menu.Choices = []dialog.Choice{{Text: "Leave, the session goes on", Press: "y", Answer: leaveAnswer{how: session.LeaveOnly}}}
	} else {
		menu.Lead = "You lead this session."
		menu.Choices = []dialog.Choice{
			{Text: "End session for everyone", Press: "e", Answer: leaveAnswer{how: session.EndForAll}},
			{Text: "Leave, the session goes on", Press: "l", Answer: leaveAnswer{how: session.LeaveOnly}},
		}
		menu.Choices = append(menu.Choices, m.byHandOver())
	}
	menu.Choices = append(menu.Choices, dialog.Choice{Text: "Stay", Press: "s"})
	m.dialog = menu
}

// byHandOver is the third way to go.
func (m *model) byHandOver() dialog.Choice {
	c := dialog.Choice{Text: "Hand over and leave", Press: "h", Answer: handOverAnswer{leaving: true}}
	if len(m.heirs()) == 0 {
		c.Why = "no other agent is here"
	}
	return c
}

// leave says goodbye and waits a moment for the host to hear it.
func (m *model) leave(a leaveAnswer) tea.Cmd {
	m.session.Do(Leave{How: a.how})
	m.leaving = true
	return m.after(patienceOver, goneMsg{})
}

func specialMenu() *dialog.Menu {
	menu := &dialog.Menu{Title: "Special keys"}
	for _, s := range control.Specials() {
		note := ""
		if s.Latch {
			note = "for the next key or click"
		}
		menu.Choices = append(menu.Choices, dialog.Choice{Text: s.Name, Note: note, Answer: s})
	}
	return menu
}

// endedAnswer closes the console after the session is over.
type endedAnswer struct{}

// ended takes the key that closes the console; what is to be read stands on the screen behind it.
type ended struct {
	until time.Time
	now   func() time.Time
}

// Press closes, but for keys that were typed before anyone could have read that it is over.
func (e *ended) Press(tea.KeyPressMsg) (dialog.Answer, bool) {
	return endedAnswer{}, !e.now().Before(e.until)
}

// View draws nothing: the screen behind says it all.
func (e *ended) View(theme.Theme, image.Point) cell.Block { return nil }

// Hint tells the keys.
func (e *ended) Hint() string { return "any key closes this" }
