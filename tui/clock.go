package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// A second that changes nothing on the screen is not worth waking for: the clock stands still while nothing shows the time or
// goes away with it.

// clocked says whether something does.
func (m *model) clocked() bool {
	return m.state.Phase != In || m.showRoster || m.dialog != nil || m.message != "" || !m.notices.Empty()
}

// second takes what has had its time away, and goes on if something else is left.
func (m *model) second() tea.Cmd {
	m.notices.Expire(m.now())
	if !m.now().Before(m.messageEnd) {
		m.message = ""
	}
	m.ticking = false
	return m.tick()
}

// tick starts the clock if it is needed and stands still.
func (m *model) tick() tea.Cmd {
	if m.ticking || !m.clocked() {
		return nil
	}
	m.ticking = true
	return m.after(time.Second, secondMsg{})
}
