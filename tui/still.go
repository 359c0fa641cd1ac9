package tui

import (
	"context"
	"image"
	"strings"

	"assist/screen"

	tea "charm.land/bubbletea/v2"
)

// stillMsg is a picture to be shown as a Sixel.
type stillMsg struct {
	img image.Image
	err error
}

// still asks for a picture of what is in view, to show it as a Sixel until the next key.
func (m *model) still() tea.Cmd {
	if m.draws.cell.X <= 0 || m.draws.cell.Y <= 0 {
		m.cellSize(cellPixels(m.opt.Out))
	}
	switch {
	case m.opt.painter == nil || !m.draws.sixel:
		m.say("this terminal does not say that it shows Sixels")
		return nil
	case m.draws.cell.X <= 0, m.draws.cell.Y <= 0:
		m.say("this terminal does not say how many pixels its cells have")
		return nil
	}
	m.say("the picture is on its way")
	region := m.viewer.Wanted().Region
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, stillTime)
		defer cancel()
		img, err := m.session.Still(ctx, region)
		return stillMsg{img, err}
	}
}

// mostSixel is how many pixels along each side a terminal shows for certain: xterm ignores larger ones (maxGraphicSize). foot and Konsole
// were seen to show any.
const mostSixel = 1000

// showStill shows it, if the picture is still in the view and no dialog lies on it.
func (m *model) showStill(msg stillMsg) {
	if msg.err != nil {
		m.notices.Add("No still picture: "+msg.err.Error(), true, m.now())
		return
	}
	hole := m.opt.painter.Hole()
	size := image.Pt(hole.Dx()*m.draws.cell.X, hole.Dy()*m.draws.cell.Y)
	if strings.HasPrefix(m.draws.name, "Konsole") { // it scrolls when a row below the picture is not free
		size = screen.Fit(size, image.Pt(size.X, size.Y-m.draws.cell.Y))
	}
	any := strings.HasPrefix(m.draws.name, "foot(") || strings.HasPrefix(m.draws.name, "Konsole")
	if !any && (size.X > mostSixel || size.Y > mostSixel) {
		size = screen.Fit(size, image.Pt(mostSixel, mostSixel))
	}
	if m.dialog == nil && !hole.Empty() && m.opt.painter.Freeze(msg.img, size) {
		m.say("a still picture; any key goes on")
	}
}

// thaw goes on from a still picture with the first key or click; that does nothing else.
func (m *model) thaw(msg tea.Msg) bool {
	if m.opt.painter == nil {
		return false
	}
	switch msg.(type) {
	case tea.KeyPressMsg, tea.MouseClickMsg:
		return m.opt.painter.Thaw()
	}
	return false
}

// cellSize takes how many pixels a cell has, as the terminal answers or its driver knows.
func (m *model) cellSize(pixels image.Point) {
	m.draws.cell = pixels
	if m.opt.painter != nil {
		m.opt.painter.SetCell(pixels)
	}
}
