package tui

import (
	"assist/tui/dialog"

	tea "charm.land/bubbletea/v2"
)

// sharedMsg is what came of copying, mailing or saving something.
type sharedMsg struct {
	how string
	err error
}

// openInvite shows the form and the open invitations.
func (m *model) openInvite() {
	m.invite = &dialog.Invite{Now: m.now, Open: m.state.Invites}
	m.dialog = m.invite
}

// showInvites brings an open dialog up to date.
func (m *model) showInvites() {
	if m.invite != nil && m.dialog == dialog.Dialog(m.invite) {
		m.invite.Show(m.state.Invites)
	}
}

// toClipboard puts a text on the clipboard: by the hook where there is one, else through the terminal (OSC 52).
func (m *model) toClipboard(text string) tea.Cmd {
	if m.opt.Copy == nil {
		m.shared(sharedMsg{how: "sent to the terminal's clipboard; not every terminal takes it"})
		return tea.SetClipboard(text)
	}
	hook := m.opt.Copy
	return func() tea.Msg {
		how, err := hook(text)
		return sharedMsg{"copied: " + how, err}
	}
}

// mailInvite opens the mail program.
func (m *model) mailInvite(a dialog.MailInvite) tea.Cmd {
	if m.opt.Email == nil {
		m.shared(sharedMsg{how: "there is no mail program here; y copies the address"})
		return nil
	}
	hook := m.opt.Email
	return func() tea.Msg {
		how, err := hook(a.URL, a.Code)
		return sharedMsg{how, err}
	}
}

// shared says what came of it, in the dialog while it is open.
func (m *model) shared(msg sharedMsg) {
	text := msg.how
	if msg.err != nil {
		text = "not done: " + msg.err.Error()
	}
	if m.invite != nil && m.dialog == dialog.Dialog(m.invite) {
		m.invite.Said = text
		return
	}
	m.say(text)
}
