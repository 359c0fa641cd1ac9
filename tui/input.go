package tui

import (
	"image"

	"assist/screen"
	"assist/session"
	"assist/tui/control"
	"assist/tui/dialog"
	"assist/tui/keys"
	"assist/tui/status"

	tea "charm.land/bubbletea/v2"
)

// input hands keys, clicks and pastes to whom they belong: an open dialog, then the mode, then the console's own keys.
func (m *model) input(msg tea.Msg) tea.Cmd {
	if m.thaw(msg) {
		return nil
	}
	if m.dialog != nil {
		switch msg := msg.(type) {
		case tea.KeyPressMsg:
			return m.answer(m.dialog.Press(msg))
		case tea.PasteMsg:
			if p, ok := m.dialog.(dialog.Paster); ok {
				p.Paste(msg.Content)
			}
		}
		return nil
	}
	switch m.mode {
	case status.Control:
		m.steer(msg)
		return nil
	case status.Checkup:
		return m.examine(msg)
	case status.Type:
		if _, mouse := msg.(tea.MouseMsg); !mouse {
			return m.write(msg)
		}
	}
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return m.browse(msg)
	case tea.MouseMsg:
		m.mouse(msg)
	}
	return nil
}

// browse plays a key of the console.
func (m *model) browse(k tea.KeyPressMsg) tea.Cmd {
	press := k.String()
	if press == m.opt.ExitKey {
		m.exitAgain(k)
		return nil
	}
	key, ok := keys.Find(press)
	if m.mode == status.People {
		if press == "esc" {
			m.mode = status.Browse
			return nil
		}
		if people, mine := keys.FindPeople(press); mine {
			key, ok = people, true
		}
	}
	if !ok {
		return nil
	}
	if why := key.Why(m.keysNow()); why != "" {
		m.say(key.Show + " does not work now: " + why)
		return nil
	}
	m.message = ""
	return m.act(key.Do)
}

func (m *model) act(do keys.Action) tea.Cmd {
	switch do {
	case keys.TakeControl:
		m.takeControl()
	case keys.Invite:
		m.openInvite()
	case keys.Special:
		m.dialog = specialMenu()
	case keys.Ask:
		m.dialog = dialog.NewGrants(keys.Askable(m.keysNow()))
	case keys.Write:
		return m.openChat()
	case keys.SwitchText:
		m.switchText()
	case keys.CopyText:
		return m.copyText()
	case keys.FindWords:
		if m.showText && !m.showChat {
			m.dialog = dialog.NewFind(m.text.Found())
			return nil
		}
		cmd := m.openChat()
		m.chat.Find()
		return cmd
	case keys.CloseChat:
		if !m.showChat {
			m.text.Typed()
			m.text.Unmark()
		}
		m.showChat = false
	case keys.ScrollBack, keys.ScrollOn:
		m.scroll(do == keys.ScrollBack)
	case keys.People:
		m.togglePeople()
	case keys.Checkup:
		m.openCheckup()
	case keys.PickUp, keys.PickDown, keys.ViewOnly, keys.MayControl, keys.GiveBaton, keys.Sharing, keys.HandOver, keys.Remove:
		m.decide(do)
	case keys.Verify:
		m.dialog = dialog.NewWords(m.state.Words)
	case keys.Mouse:
		m.toggleMouse()
	case keys.Still:
		return m.still()
	case keys.Shot:
		return m.shoot()
	case keys.Help:
		m.dialog = &dialog.Help{Now: m.keysNow(), Exit: ExitName(m.opt.ExitKey)}
	case keys.Quit:
		m.askLeave()
	default:
		m.moveView(do)
	}
	return nil
}

// scroll moves in the lines of the chat, or of the text where the chat is closed.
func (m *model) scroll(back bool) {
	sign := map[bool]int{true: 1, false: -1}[back]
	if m.showText && !m.showChat {
		m.text.Scroll(sign * max(1, m.layout.picture.Dy()-2))
		return
	}
	m.chat.Scroll(sign * 5)
}

func (m *model) moveView(do keys.Action) {
	if m.showText {
		if d, ok := steps[do]; ok {
			m.text.Pan(d)
		}
		return
	}
	v := m.viewer
	switch do {
	case keys.Cycle:
		v.Lens = v.Lens.Cycle(v.Focus())
	case keys.ZoomIn:
		v.Lens = v.Lens.In(v.Focus())
	case keys.ZoomOut:
		v.Lens = v.Lens.Out(v.Focus())
	case keys.Fit:
		v.Lens.Scale = 0
	case keys.Left:
		v.Nudge(image.Pt(-1, 0))
	case keys.Right:
		v.Nudge(image.Pt(1, 0))
	case keys.Up:
		v.Nudge(image.Pt(0, -1))
	case keys.Down:
		v.Nudge(image.Pt(0, 1))
	case keys.Follow:
		v.SetFollow(v.Following().Next())
		m.say("the view " + v.Following().String())
	case keys.Read:
		v.Read()
	case keys.Overview:
		m.say(map[bool]string{true: "the whole screen in a corner while zoomed", false: "no overview"}[v.ToggleOverview()])
	case keys.Monitor:
		m.say(monitorName(m.state.Display.Monitors, v.Monitor(m.state.Display.Monitors)))
	case keys.Glyphs:
		m.nextGlyphs()
	case keys.Pin:
		m.nextPin()
	}
}

func (m *model) toggleMouse() {
	m.noMouse = !m.noMouse
	m.say(map[bool]string{true: "the mouse belongs to the terminal; m takes it back", false: "the mouse belongs to the console"}[m.noMouse])
}

// openChat shows the chat and gives it the keys.
func (m *model) openChat() tea.Cmd {
	m.showChat, m.mode = true, status.Type
	return m.chat.Focus(true)
}

// write passes a message to the chat.
func (m *model) write(msg tea.Msg) tea.Cmd {
	sent, done, cmd := m.chat.Update(msg)
	if sent != nil {
		m.session.Do(Say{Lane: sent.Lane, Text: sent.Text})
	}
	if done {
		m.mode = status.Browse
		m.chat.Focus(false)
	}
	return cmd
}

// mouse plays the mouse while browsing: the wheel zooms, a drag pans; over the chat the wheel scrolls.
func (m *model) mouse(msg tea.MouseMsg) {
	at := image.Pt(msg.Mouse().X, msg.Mouse().Y)
	if _, turned := msg.(tea.MouseWheelMsg); m.showText && !turned {
		m.textMouse(msg)
		return
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		up := msg.Button == tea.MouseWheelUp
		if at.In(m.layout.chat) {
			m.chat.Scroll(map[bool]int{true: 3, false: -3}[up])
			return
		}
		if m.showText {
			m.textMouse(msg)
			return
		}
		if p, in := m.viewer.Point(at); in && up {
			m.viewer.Lens = m.viewer.Lens.In(p)
		} else if in && msg.Button == tea.MouseWheelDown {
			m.viewer.Lens = m.viewer.Lens.Out(p)
		}
	case tea.MouseClickMsg:
		if p, small := m.viewer.InOverview(at); small && msg.Button == tea.MouseLeft {
			m.viewer.Center(p)
		} else if msg.Button == tea.MouseLeft && at.In(m.layout.picture) {
			m.dragFrom = &at
		}
	case tea.MouseMotionMsg:
		if m.dragFrom != nil && msg.Button == tea.MouseLeft {
			m.viewer.Drag(at.Sub(*m.dragFrom))
			m.dragFrom = &at
		}
	case tea.MouseReleaseMsg:
		m.dragFrom = nil
	}
}

// answer closes a dialog that is done and does what it was answered.
func (m *model) answer(a dialog.Answer, done bool) tea.Cmd {
	switch a := a.(type) {
	case dialog.CopyInvite:
		return m.toClipboard(a.URL)
	case dialog.MailInvite:
		return m.mailInvite(a)
	case Invite, RevokeInvite:
		m.session.Do(a.(Command))
	}
	if !done {
		return nil
	}
	m.dialog = nil
	switch a := a.(type) {
	case control.Special:
		m.playSpecial(a)
	case session.Grants:
		m.session.Do(AskGrants{Grants: a})
		m.say("the customer is being asked")
	case dialog.FindWords:
		return m.findText(a)
	case pasteAnswer:
		m.typed(m.control.Paste(a.text))
	case dialog.WordsRight:
		m.session.Do(ConfirmWords{})
		m.say("the words are the same: nobody listens in between")
	case dialog.WordsWrong:
		m.notices.Add("The words were wrong three times. Leave and start anew: someone may be in between.", true, m.now())
	case leaveAnswer:
		return m.leave(a)
	case handOverAnswer:
		m.chooseHeir(session.Nobody, a.leaving)
	case dialog.HandOverTo:
		m.offerLead(a)
	case offerAnswer:
		m.session.Do(AnswerHandOver{Accept: a.accept})
	case stayAnswer:
		m.handing = session.Nobody
	case goAnswer:
		return m.leave(leaveAnswer{how: session.LeaveOnly})
	case removeAnswer:
		m.session.Do(RemoveMember{Member: a.member})
	case session.ControlMode:
		m.session.Do(SetMode{Mode: a})
	case endedAnswer:
		m.quitting = true
	}
	return nil
}

// playSpecial plays an entry of the menu of special keys; control is taken for it.
func (m *model) playSpecial(s control.Special) {
	if why := m.mayControl(); why != "" {
		m.say(why)
		return
	}
	m.takeControl()
	if s.Latch {
		m.control.Latched |= s.Mods
		return
	}
	m.played(m.control.Tap(s.Key, s.Mods))
}

// steps are how far the keys move over a text that is larger than the console.
var steps = map[keys.Action]image.Point{keys.Left: {X: -8}, keys.Right: {X: 8}, keys.Up: {Y: -4}, keys.Down: {Y: 4}}

// buttons of a terminal's mouse, as X11 numbers them.
var buttons = map[tea.MouseButton]screen.Button{tea.MouseLeft: 1, tea.MouseMiddle: 2, tea.MouseRight: 3, tea.MouseBackward: 8, tea.MouseForward: 9}
