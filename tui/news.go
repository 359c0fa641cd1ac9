package tui

import (
	"assist/chat"
	"assist/session"
	"assist/tui/chatbox"
	"assist/tui/dialog"
	"assist/tui/status"
)

// pull takes the news of the session.
func (m *model) pull() {
	wasDeaf, holder := m.deaf() != "", m.state.Roster.Holder
	m.state = m.session.State()
	m.wasIn = m.wasIn || m.state.Phase == In
	m.viewer.SetDisplay(m.state.Display.Size)
	m.viewer.SetPointer(m.state.Pointer)
	m.viewer.SetFocus(m.state.Focus)
	m.viewer.SetOthers(m.others())
	if p := m.session.Picture(); p != nil {
		m.viewer.SetPicture(p)
		m.tellDrawn(p)
	}
	m.pullText()
	m.pullLog()
	m.pullOutcome()
	m.showInvites()
	m.pullCheckup()
	m.passOn(holder)
	if m.mode == status.Control && m.deaf() != "" && !wasDeaf {
		m.control.Stop() // what was typed before must not arrive minutes later
	}
	if m.state.Phase == Over {
		m.over()
	} else if why := m.mayControl(); why != "" && m.mode == status.Control && m.state.Phase != Lost {
		m.leaveControl()
		m.say("control ended: " + why)
	}
}

// deaf says why the customer's machine takes no input just now; control is kept for when it does again.
func (m *model) deaf() string {
	switch {
	case m.state.Phase == Lost:
		return "no contact: keys and clicks go nowhere"
	case m.state.Roster.Paused && m.state.Roster.WhyPaused != "":
		return "input is paused: " + m.state.Roster.WhyPaused
	case m.state.Roster.Paused:
		return "input is paused"
	}
	return ""
}

// pullOutcome shows what could not be done. When input waits for control, that was it.
func (m *model) pullOutcome() {
	o := m.state.Outcome
	if o.Serial <= m.outcome {
		return
	}
	m.outcome = o.Serial
	m.notices.Add(o.Text, true, m.now())
	m.wanting = false
	if m.mode == status.Control && m.control.Waiting() > 0 {
		m.leaveControl()
	}
}

// nameOf is the name of a member, for entries of the log.
func (m *model) nameOf(id uint32) string {
	who, _ := m.state.Roster.Member(session.MemberID(id))
	return who.Name
}

func (m *model) pullLog() {
	m.chat.Self, m.chat.Unsent = m.state.Self, 0
	if m.state.Phase == Lost {
		m.chat.Unsent = m.state.Unsent
	}
	entries := m.session.Log(m.newest)
	if len(entries) == 0 {
		m.history = m.history || m.state.Phase == In
		return
	}
	m.newest = entries[len(entries)-1].Seq
	m.chat.Add(entries, m.showChat || !m.history)
	if m.history {
		for _, e := range entries {
			m.notice(e)
			m.declined(e)
		}
	}
	m.history = true
}

// notice shows what an entry of the log tells, if it is news to this agent.
func (m *model) notice(e chat.Entry) {
	mine := session.MemberID(e.From) == m.state.Self
	switch {
	case e.Kind == chat.Said && !mine && !m.showChat:
		m.notices.Add(e.Name+": "+e.Text, false, m.now())
	case chat.Passing(e.Kind) && !mine:
		m.notices.Add(chatbox.Sentence(e, m.nameOf), false, m.now())
	}
}

// over ends the console when there is nothing left to see, and else shows why it is over until a key is pressed.
func (m *model) over() {
	if m.mode == status.Control {
		m.leaveControl()
	}
	m.mode = status.Browse
	if !m.wasIn || m.leaving {
		m.quitting = true
		return
	}
	if _, open := m.dialog.(*ended); !open {
		m.dialog = &ended{until: m.now().Add(dialog.Grace), now: m.now}
	}
}
