package tui

import (
	"image"
	"strings"

	"assist/tui/control"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// takeControl gives keys, clicks and pastes to the customer's machine.
func (m *model) takeControl() {
	if m.mode == status.Control {
		return
	}
	m.mode, m.message = status.Control, ""
	m.control.Releases = false // until the terminal answers; it tells in order
	m.session.Do(TakeControl{})
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
