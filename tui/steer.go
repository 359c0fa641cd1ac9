package tui

import (
	"image"
	"strings"

	"assist/session"
	"assist/tui/cell"
	"assist/tui/control"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// takeControl gives keys, clicks and pastes to the customer's machine.
func (m *model) takeControl() {
	if m.mode == status.Control {
		return
	}
	m.session.Do(TakeControl{})
	if !m.holds() { // one at a time: it is asked for, and begins when this agent has it
		m.wanting = true
		m.say("asked for control: it begins when you have it")
		return
	}
	m.beginControl()
}

// beginControl begins to give everything to the customer's machine.
func (m *model) beginControl() {
	m.mode, m.message, m.wanting = status.Control, "", false
	m.control.Releases = false // until the terminal answers; it tells in order
}

// holds says whether this agent's input is played, as far as the agents share control.
func (m *model) holds() bool {
	r := m.state.Roster
	return r.Mode == session.Free || r.Holder == m.state.Self
}

// passOn follows control where one agent has it at a time: it begins when this agent has got what it asked for, and is over
// when another has it.
func (m *model) passOn(before session.MemberID) {
	r := m.state.Roster
	switch {
	case m.mode == status.Control && !m.holds():
		m.control.Stop()
		m.control.Releases = false
		m.mode = status.Browse
		to := "nobody"
		if who, ok := r.Member(r.Holder); ok {
			to = cell.Clean(who.Name)
		}
		m.notices.Add("Control went to "+to+".", true, m.now())
	case r.Mode == session.Free || r.Holder != m.state.Self:
	case m.wanting && m.mode == status.Browse && m.dialog == nil:
		m.beginControl()
	case before != r.Holder:
		m.notices.Add("You have control now: c uses it.", false, m.now())
	}
}

// leaveControl takes them back and lets go of everything over there.
func (m *model) leaveControl() {
	m.control.Stop()
	m.control.Releases = false
	m.mode = status.Browse
	m.session.Do(GiveControl{})
}

// steer plays a message for the customer's machine. While that takes no input, nothing but the way out works.
func (m *model) steer(msg tea.Msg) {
	if k, ok := msg.(tea.KeyPressMsg); m.deaf() != "" && !(ok && k.String() == m.opt.ExitKey) {
		return
	}
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if msg.String() == m.opt.ExitKey {
			m.leaveControl()
			m.leftAt = m.now()
			return
		}
		m.text.Typed()
		m.played(m.control.Press(msg.Key()))
	case tea.KeyReleaseMsg:
		m.played(m.control.Release(msg.Key()))
	case tea.PasteMsg:
		if len(msg.Content) > control.MaxPaste {
			m.say("that paste is too long: send it as a file, or in parts")
			return
		}
		if m.showText {
			m.pasteText(msg.Content)
			return
		}
		m.played(m.control.Paste(msg.Content))
	case tea.MouseMsg:
		m.steerMouse(msg)
	}
}

func (m *model) steerMouse(msg tea.MouseMsg) {
	if m.showText {
		m.textMouse(msg)
		return
	}
	mouse := msg.Mouse()
	at, in := m.viewer.Point(image.Pt(mouse.X, mouse.Y))
	switch msg := msg.(type) {
	case tea.MouseMotionMsg:
		if in || m.control.Dragging() {
			m.played(m.control.Move(at))
		}
	case tea.MouseReleaseMsg:
		m.played(m.control.ButtonUp(buttons[msg.Button], at))
	case tea.MouseClickMsg:
		if b := buttons[msg.Button]; in && b != 0 {
			m.played(m.control.Button(b, at, msg.Mod))
		}
	case tea.MouseWheelMsg:
		if steps := notches[msg.Button]; in {
			m.played(m.control.Wheel(steps, at, msg.Mod))
		}
	}
}

// notches is one step of the wheel in each direction.
var notches = map[tea.MouseButton]image.Point{
	tea.MouseWheelUp: {Y: -1}, tea.MouseWheelDown: {Y: 1}, tea.MouseWheelLeft: {X: -1}, tea.MouseWheelRight: {X: 1},
}

// played gives control up when the session has not taken input for so long that some would be lost.
func (m *model) played(ok bool) {
	if ok {
		return
	}
	m.leaveControl()
	m.notices.Add("The customer's machine takes no input. Control was given up; what was typed last did not arrive.", true, m.now())
}

// exitAgain is the exit key while browsing: pressed right after it led out of control, it goes to the customer after all.
func (m *model) exitAgain(k tea.KeyPressMsg) {
	if m.now().Sub(m.leftAt) > exitTwice || m.mayControl() != "" {
		m.say("c takes control; " + ExitName(m.opt.ExitKey) + " leads out of it")
		return
	}
	m.takeControl()
	m.played(m.control.Press(k.Key()))
}

// ExitName writes a key as people read it: "ctrl+]" becomes "Ctrl-]".
func ExitName(key string) string {
	parts := strings.Split(key, "+")
	for i, p := range parts {
		if len(p) > 1 {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
