package tui

import (
	"time"

	"assist/screen"
)

// drawn is what pictures have cost the terminal so far.
type drawn struct {
	seq  uint64 // of the newest picture that was counted
	sum  uint64 // bytes of pictures
	slow bool   // the host was told that the terminal is the limit
}

// tellDrawn tells the host how long the terminal takes for a picture, while the terminal is the limit.
func (m *model) tellDrawn(p *screen.Picture) {
	if m.opt.painter == nil || p.Seq == m.paint.seq {
		return
	}
	st := m.opt.painter.Stats()
	count := max(1, int(p.Seq)-int(m.paint.seq))
	size := (st.Picture - m.paint.sum) / uint64(count)
	m.paint.seq, m.paint.sum = p.Seq, st.Picture
	switch {
	case st.Rate > 0:
		m.paint.slow = true
		m.session.Do(Drew{Took: time.Duration(float64(size) / float64(st.Rate) * float64(time.Second))})
	case m.paint.slow:
		m.paint.slow = false
		m.session.Do(Drew{})
	}
}

// pinWords say what each pin does.
var pinWords = map[screen.Pin]string{
	screen.Auto:  "pictures as the line and this terminal take them",
	screen.Sharp: "pictures always sharp, however seldom",
	screen.Fast:  "pictures as soon as can be, rough while something moves",
	screen.Thin:  "few bytes: small, rough and seldom",
}

// nextPin asks for the next way to make pictures.
func (m *model) nextPin() {
	m.pin = m.pin.Next()
	m.session.Do(PinQuality{Pin: m.pin})
	m.say(pinWords[m.pin])
}
