package tui

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"time"

	"assist/screen"
	"assist/screen/raster"

	tea "charm.land/bubbletea/v2"
)

// stillTime is how long a picture at full resolution may take to arrive.
const stillTime = 60 * time.Second

// savedMsg is how saving a screenshot went.
type savedMsg struct {
	names string
	err   error
}

// shoot saves what is seen: the part of the display at its full resolution as PNG, and the cells as they are drawn as text with
// colours, for cat.
func (m *model) shoot() tea.Cmd {
	v := m.viewer.Wanted()
	pic := m.session.Picture()
	if m.opt.Save == nil || pic == nil {
		m.say("this console saves nothing")
		return nil
	}
	m.say("the picture is on its way")
	name := "assist-" + m.now().Format("20060102-150405")
	mode, depth := m.viewer.Mode(), raster.DepthOf(m.profile)
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, stillTime)
		defer cancel()
		text, err := m.opt.Save(name+".ans", ansiText(pic, mode, depth))
		if err != nil {
			return savedMsg{err: err}
		}
		img, err := m.session.Still(ctx, v.Region)
		if err != nil {
			return savedMsg{names: text, err: err}
		}
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			return savedMsg{names: text, err: err}
		}
		full, err := m.opt.Save(name+".png", file.Bytes())
		return savedMsg{names: full + " and " + text, err: err}
	}
}

// ansiText is a picture as lines of text with colours. Images have no text; they are drawn by half-blocks then.
func ansiText(p *screen.Picture, m raster.Mode, d raster.Depth) []byte {
	if m == raster.Pixels {
		m = raster.Half
	}
	var f raster.Fitter
	cells, size := f.Fit(p, m, d)
	var b []byte
	for y := range size.Y {
		b = append(raster.AppendRow(b, cells[y*size.X:(y+1)*size.X], m, d), '\n')
	}
	return b
}

// saved tells how it went.
func (m *model) saved(msg savedMsg) {
	switch {
	case msg.err != nil && msg.names != "":
		m.notices.Add(fmt.Sprintf("Saved %s, but not at full resolution: %s", msg.names, msg.err), true, m.now())
	case msg.err != nil:
		m.notices.Add("Nothing was saved: "+msg.err.Error(), true, m.now())
	default:
		m.notices.Add("Saved "+msg.names, false, m.now())
	}
}
