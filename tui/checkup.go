package tui

import (
	"errors"

	"assist/session/console"
	"assist/tui/checkup"
	"assist/tui/keys"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// openCheckup opens the diagnostics. Live values are followed while they are open; the first report is asked for at once,
// with the grant where it is missing.
func (m *model) openCheckup() {
	m.mode = status.Checkup
	m.session.Do(console.FollowLive{On: true})
	if u := m.state.Checkup; u == nil || len(u.Reports) == 0 && !u.Pulling {
		m.session.Do(console.PullReport{})
	}
}

// closeCheckup stops what was followed.
func (m *model) closeCheckup() {
	m.mode = status.Browse
	m.session.Do(console.FollowLive{})
	if u := m.state.Checkup; u != nil && u.Following {
		m.session.Do(console.FollowEvents{})
	}
}

// examine hands a message to the diagnostics.
func (m *model) examine(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if k := msg.String(); !m.check.Typing() && (k == "?" || k == "ctrl+c") {
			return m.act(map[string]keys.Action{"?": keys.Help, "ctrl+c": keys.Quit}[k])
		}
		return m.grant(m.check.Press(msg))
	case tea.PasteMsg:
		m.check.Paste(msg.Content)
	case tea.MouseWheelMsg:
		m.check.Scroll(map[bool]int{true: -3, false: 3}[msg.Button == tea.MouseWheelUp])
	}
	return nil
}

// grant carries out what the diagnostics wish for.
func (m *model) grant(w checkup.Wish) tea.Cmd {
	switch w := w.(type) {
	case checkup.Close:
		m.closeCheckup()
	case checkup.Do:
		m.session.Do(w.Command)
	case checkup.Copy:
		return m.toClipboard(w.Text)
	case checkup.Save:
		return m.save(w.Name, w.Text)
	}
	return nil
}

// save writes a file, away from Update.
func (m *model) save(name, text string) tea.Cmd {
	hook := m.opt.Save
	return func() tea.Msg {
		if hook == nil {
			return sharedMsg{err: errors.New("this console keeps no files")}
		}
		where, err := hook(name, []byte(text))
		return sharedMsg{"saved to " + where, err}
	}
}

// pullCheckup shows what is known of the machine now.
func (m *model) pullCheckup() {
	if m.state.Checkup != nil {
		m.check.Show(*m.state.Checkup)
	}
	if m.mode == status.Checkup && !m.inSession() {
		m.closeCheckup()
	}
}
