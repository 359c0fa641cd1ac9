package notice

import (
	"image"
	"slices"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// Keysyms (keysymdef.h) that mean something here.
const (
	symTab    = 0xff09
	symReturn = 0xff0d
	symPause  = 0xff13
	symEscape = 0xff1b
	symSpace  = 0x20
	symEnter  = 0xff8d // of the keypad
	symBack   = 0xfe20 // Shift and Tab
)

// handle takes one event.
func (w *Window) handle(ev xgb.Event) {
	switch ev := ev.(type) {
	case xproto.ButtonPressEvent:
		w.press(ev)
	case xproto.ButtonReleaseEvent:
		w.release(ev)
	case xproto.MotionNotifyEvent:
		w.drag(ev)
	case xproto.KeyPressEvent:
		w.key(ev)
	case xproto.FocusOutEvent:
		if w.focus != nil && ev.Event == w.focus.id && ev.Detail != xproto.NotifyDetailPointer && ev.Mode == xproto.NotifyModeNormal {
			w.lostFocus()
			w.redraw()
		}
	case xproto.VisibilityNotifyEvent:
		w.dirty = w.dirty || ev.State != xproto.VisibilityUnobscured
	case xproto.MapNotifyEvent, xproto.CreateNotifyEvent, xproto.CirculateNotifyEvent:
		w.dirty = true
	case xproto.UnmapNotifyEvent:
		w.lost(ev.Window, false)
	case xproto.DestroyNotifyEvent:
		w.lost(ev.Window, true)
	case xproto.ReparentNotifyEvent:
		w.lost(ev.Window, false)
	case xproto.PropertyNotifyEvent:
		if ev.Atom == w.atoms.opacity && ev.State == xproto.PropertyNewValue {
			xproto.DeleteProperty(w.conn, ev.Window, ev.Atom)
		}
	case xproto.ConfigureNotifyEvent:
		w.configured(ev)
	case xproto.MappingNotifyEvent:
		if ev.Request == xproto.MappingKeyboard {
			w.grabStopKey()
		}
	}
}

// pane is the window with that number, or nil.
func (w *Window) pane(id xproto.Window) *pane {
	for _, p := range w.panes() {
		if p.id == id && p.shown {
			return p
		}
	}
	return nil
}

// lost brings a window back that somebody took away.
func (w *Window) lost(id xproto.Window, destroyed bool) {
	p := w.pane(id)
	if p == nil {
		return
	}
	if destroyed {
		p.id = 0
	} else {
		xproto.MapWindow(w.conn, id)
	}
	w.mend(p)
}

// configured undoes what somebody did to a window, and follows the display's size.
func (w *Window) configured(ev xproto.ConfigureNotifyEvent) {
	w.dirty = true
	if ev.Window == w.screen.Root {
		w.screen.WidthInPixels, w.screen.HeightInPixels = ev.Width, ev.Height
		for _, p := range w.panes() {
			if p.shown {
				p.keepInside()
				p.arrange()
			}
		}
		w.redraw()
		return
	}
	p := w.pane(ev.Window)
	if p == nil || p.grip != nil {
		return
	}
	if now := image.Rect(int(ev.X), int(ev.Y), int(ev.X)+int(ev.Width), int(ev.Y)+int(ev.Height)); now != p.rect() {
		p.arrange()
	}
}

// press begins a press of a spot, or a drag.
func (w *Window) press(ev xproto.ButtonPressEvent) {
	p := w.pane(ev.Event)
	if p != nil && p == w.chat && (ev.Detail == xproto.ButtonIndex4 || ev.Detail == xproto.ButtonIndex5) {
		w.scroll(map[bool]int{true: 3, false: -3}[ev.Detail == xproto.ButtonIndex4])
		return
	}
	if p == nil || ev.Detail != xproto.ButtonIndex1 {
		return
	}
	at := image.Pt(int(ev.EventX), int(ev.EventY))
	if p == w.ask || p == w.chat {
		w.takeFocus(p, ev.Time)
		w.redraw()
	}
	if p.pressed = p.spotAt(at); p.pressed < 0 {
		p.grip = &at
	}
}

// takeFocus gives a window the keyboard after the customer clicked into it, and remembers who had it.
func (w *Window) takeFocus(p *pane, at xproto.Timestamp) {
	r, err := xproto.GetInputFocus(w.conn).Reply()
	if err != nil || r.Focus == p.id {
		return
	}
	if w.focus == nil {
		w.before = r.Focus
	}
	w.focus = p
	w.writing.Store(p == w.chat) // before it is so, that no key of an agent comes in between
	if xproto.SetInputFocusChecked(w.conn, xproto.InputFocusPointerRoot, p.id, at).Check() != nil {
		w.lostFocus()
		return
	}
	w.nowWriting(p == w.chat)
}

// giveFocus gives the keyboard back, if p has it.
func (w *Window) giveFocus(p *pane) {
	if w.focus != p || p == nil {
		return
	}
	if r, err := xproto.GetInputFocus(w.conn).Reply(); err == nil && r.Focus == p.id {
		xproto.SetInputFocus(w.conn, xproto.InputFocusPointerRoot, w.before, xproto.TimeCurrentTime)
	}
	w.lostFocus()
}

// lostFocus is that the keyboard went elsewhere.
func (w *Window) lostFocus() {
	w.focus, w.before = nil, 0
	w.nowWriting(false)
}

// release does what was pressed, if the pointer is still there.
func (w *Window) release(ev xproto.ButtonReleaseEvent) {
	p := w.pane(ev.Event)
	if p == nil || ev.Detail != xproto.ButtonIndex1 {
		return
	}
	i := p.pressed
	p.pressed, p.grip = -1, nil
	if i >= 0 && i == p.spotAt(image.Pt(int(ev.EventX), int(ev.EventY))) {
		w.do(p.sheet.spots[i])
	}
}

// drag moves a window with the pointer, all of it staying on the display.
func (w *Window) drag(ev xproto.MotionNotifyEvent) {
	p := w.pane(ev.Event)
	if p == nil || p.grip == nil {
		return
	}
	p.at, p.moved = image.Pt(int(ev.RootX), int(ev.RootY)).Sub(*p.grip), true
	p.keepInside()
	p.arrange()
	w.announce()
}

// do is what pressing a spot does.
func (w *Window) do(s spot) {
	q := w.content.Question
	switch s.does {
	case doStop:
		w.act(Stop{})
	case doRefuse:
		w.answer(nil)
	case doAllow:
		if q != nil && time.Since(w.choice.since) >= q.grace() {
			w.answer(allowed(q, s.grant, w.choice.ticked))
		}
	case doChat:
		w.openChat(!w.talk.open)
	case doSend:
		w.send()
	case doTakeBack:
		w.act(TakeBack{Member: s.member, Grants: s.grant})
	case doTick:
		if w.choice.ticked[s.grant[0]] {
			delete(w.choice.ticked, s.grant[0])
		} else {
			w.choice.ticked[s.grant[0]] = true
		}
		w.redraw()
	}
}

func (w *Window) answer(allow []string) {
	if q := w.content.Question; q != nil {
		w.act(Answer{Serial: q.Serial, Allow: allow})
	}
}

// key handles the stop key, wherever the keyboard is, and the keys of a question that the customer clicked into.
func (w *Window) key(ev xproto.KeyPressEvent) {
	if slices.Contains(w.pause, ev.Detail) {
		w.act(Stop{})
		return
	}
	if w.chat.shown && w.pane(ev.Event) == w.chat {
		w.typed(ev)
		return
	}
	if w.pane(ev.Event) != w.ask || w.content.Question == nil {
		return
	}
	r, err := xproto.GetKeyboardMapping(w.conn, ev.Detail, 1).Reply()
	if err != nil || len(r.Keysyms) == 0 {
		return
	}
	spots := w.ask.sheet.spots
	switch r.Keysyms[0] {
	case symEscape:
		w.answer(nil)
	case symTab, symBack:
		step := 1
		if ev.State&xproto.ModMaskShift != 0 {
			step = len(spots) - 1
		}
		w.choice.focus = (w.choice.focus + step) % len(spots)
		w.redraw()
	case symReturn, symEnter, symSpace:
		if s := spots[w.choice.focus%len(spots)]; !s.off {
			w.do(s)
		}
	}
}

// grabStopKey takes the Pause key for the whole display, with any modifiers.
func (w *Window) grabStopKey() {
	for _, code := range w.pause {
		xproto.UngrabKey(w.conn, code, w.screen.Root, xproto.ModMaskAny)
	}
	w.pause = nil
	w.stops.Store(false)
	s := xproto.Setup(w.conn)
	r, err := xproto.GetKeyboardMapping(w.conn, s.MinKeycode, byte(s.MaxKeycode-s.MinKeycode+1)).Reply()
	if err != nil {
		return
	}
	for i, sym := range r.Keysyms {
		code := s.MinKeycode + xproto.Keycode(i/int(r.KeysymsPerKeycode))
		if sym != symPause || slices.Contains(w.pause, code) {
			continue
		}
		err := xproto.GrabKeyChecked(w.conn, false, w.screen.Root, xproto.ModMaskAny, code,
			xproto.GrabModeAsync, xproto.GrabModeAsync).Check()
		if err == nil {
			w.pause = append(w.pause, code)
			w.stops.Store(true)
		}
	}
}
