package notice

import (
	"image"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// raiseEvery is how often a window is put on top at most: another program that wants to be on top as well must not be
// given a reason to fight faster.
const raiseEvery = 200 * time.Millisecond

// stack puts the windows on top when something may cover them.
func (w *Window) stack() {
	if !w.dirty || time.Since(w.raised) < raiseEvery {
		return
	}
	w.dirty = false
	shown := []*pane{}
	for _, p := range w.panes() {
		if p.shown && p.id != 0 {
			shown = append(shown, p)
		}
	}
	if len(shown) == 0 || w.onTop(shown) {
		return
	}
	w.raised = time.Now()
	for _, p := range shown {
		xproto.ConfigureWindow(w.conn, p.id, xproto.ConfigWindowStackMode, []uint32{xproto.StackModeAbove})
	}
}

// onTop says whether these are the highest windows.
func (w *Window) onTop(panes []*pane) bool {
	r, err := xproto.QueryTree(w.conn, w.screen.Root).Reply()
	if err != nil || len(r.Children) < len(panes) {
		return false
	}
	for i, id := range r.Children[len(r.Children)-len(panes):] {
		if panes[i].id != id {
			return false
		}
	}
	return true
}

// guard looks at everything by which another program could hide a window, and undoes it.
func (w *Window) guard() {
	w.dirty = true
	for _, p := range w.panes() {
		if !p.shown {
			continue
		}
		if p.id != 0 {
			a, err := xproto.GetWindowAttributes(w.conn, p.id).Reply()
			if err != nil {
				p.id = 0
			} else if a.MapState != xproto.MapStateViewable {
				xproto.MapWindow(w.conn, p.id)
			}
		}
		w.mend(p)
	}
}

// mend makes the window again if somebody destroyed it, and puts it back as it was.
func (w *Window) mend(p *pane) {
	w.dirty = true
	if p.id == 0 {
		p.create()
		p.upload()
		xproto.MapWindow(w.conn, p.id)
		return
	}
	if g, err := xproto.GetGeometry(w.conn, xproto.Drawable(p.id)).Reply(); err == nil {
		now := image.Rect(int(g.X), int(g.Y), int(g.X)+int(g.Width), int(g.Y)+int(g.Height))
		if now != p.rect() {
			p.arrange()
		}
	}
	if t, err := xproto.QueryTree(w.conn, p.id).Reply(); err == nil && t.Parent != w.screen.Root {
		xproto.ReparentWindow(w.conn, p.id, w.screen.Root, int16(p.at.X), int16(p.at.Y))
		xproto.MapWindow(w.conn, p.id)
	}
	xproto.DeleteProperty(w.conn, p.id, w.atoms.opacity)
	for kind := range byte(3) { // what is drawn, the border, and where the pointer is felt
		w.unshape(p.id, kind)
	}
}

// unshape takes a shape off a window (Shape extension 1.1, ShapeMask with no pixmap).
func (w *Window) unshape(id xproto.Window, kind byte) {
	if w.shape == 0 {
		return
	}
	buf := make([]byte, 20)
	buf[0], buf[1] = w.shape, 2
	xgb.Put16(buf[2:], 5)
	buf[5] = kind // after the operation, 0: set
	xgb.Put32(buf[8:], uint32(id))
	w.conn.NewRequest(buf, w.conn.NewCookie(false, false))
}

// root is the whole display.
func (w *Window) root() image.Rectangle {
	return image.Rect(0, 0, int(w.screen.WidthInPixels), int(w.screen.HeightInPixels))
}

// area is the primary monitor, or the whole display where there is none.
func (w *Window) area() image.Rectangle {
	if w.randr == 0 {
		return w.root()
	}
	buf := make([]byte, 12)
	buf[0], buf[1], buf[8] = w.randr, 42, 1 // RRGetMonitors of the active ones (RANDR 1.5)
	xgb.Put16(buf[2:], 3)
	xgb.Put32(buf[4:], uint32(w.screen.Root))
	cookie := w.conn.NewCookie(true, true)
	w.conn.NewRequest(buf, cookie)
	r, err := cookie.Reply()
	if err != nil {
		return w.root()
	}
	if m := primary(r).Intersect(w.root()); m.Dx() >= askWidth && m.Dy() >= barHeight {
		return m
	}
	return w.root()
}

// primary reads the primary monitor, or the first, from the reply of RRGetMonitors.
func primary(r []byte) (out image.Rectangle) {
	if len(r) < 32 {
		return out
	}
	n, b := xgb.Get32(r[12:]), r[32:]
	for i := uint32(0); i < n && len(b) >= 24; i++ {
		x, y := int(int16(xgb.Get16(b[8:]))), int(int16(xgb.Get16(b[10:])))
		m := image.Rect(x, y, x+int(xgb.Get16(b[12:])), y+int(xgb.Get16(b[14:])))
		if b[4] != 0 {
			return m
		}
		if out.Empty() {
			out = m
		}
		size := 24 + 4*int(xgb.Get16(b[6:]))
		if size > len(b) {
			break
		}
		b = b[size:]
	}
	return out
}

// scaleOf doubles everything where pixels are small.
func scaleOf(area image.Rectangle) int {
	if area.Dy() >= 1800 {
		return 2
	}
	return 1
}

// topOf and middleOf say where a window of a size goes by itself.
func topOf(area image.Rectangle, size image.Point) image.Point {
	return image.Pt(area.Min.X+(area.Dx()-size.X)/2, area.Min.Y)
}

func middleOf(area image.Rectangle, size image.Point) image.Point {
	return image.Pt(area.Min.X+(area.Dx()-size.X)/2, area.Min.Y+(area.Dy()-size.Y)/3)
}
