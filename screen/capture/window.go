package capture

import (
	"image"
	"sync"

	"github.com/jezek/xgb/xproto"
)

// activeAtom is the property of the root window in which a window manager says who has the keyboard (EWMH, _NET_ACTIVE_WINDOW).
type activeAtom struct {
	once sync.Once
	atom xproto.Atom
}

// ActiveWindow is where the window is that has the keyboard, with its frame where that can be told, in display pixels; false:
// the window manager does not say, or none has it. Another goroutine than the one that grabs may call it.
func (x *X11) ActiveWindow() (image.Rectangle, bool) {
	x.active.once.Do(func() {
		if r, err := xproto.InternAtom(x.conn, false, uint16(len("_NET_ACTIVE_WINDOW")), "_NET_ACTIVE_WINDOW").Reply(); err == nil {
			x.active.atom = r.Atom
		}
	})
	if x.active.atom == 0 {
		return image.Rectangle{}, false
	}
	p, err := xproto.GetProperty(x.conn, false, x.root, x.active.atom, xproto.AtomWindow, 0, 1).Reply()
	if err != nil || p.Format != 32 || len(p.Value) < 4 {
		return image.Rectangle{}, false
	}
	w := xproto.Window(uint32(p.Value[0]) | uint32(p.Value[1])<<8 | uint32(p.Value[2])<<16 | uint32(p.Value[3])<<24)
	if w == 0 || w == x.root {
		return image.Rectangle{}, false
	}
	return x.outline(w)
}

// outline is the window's frame: the ancestor that is a child of the root window.
func (x *X11) outline(w xproto.Window) (image.Rectangle, bool) {
	for range 8 {
		t, err := xproto.QueryTree(x.conn, w).Reply()
		if err != nil {
			return image.Rectangle{}, false
		}
		if t.Parent == x.root || t.Parent == 0 {
			break
		}
		w = t.Parent
	}
	g, err := xproto.GetGeometry(x.conn, xproto.Drawable(w)).Reply()
	if err != nil {
		return image.Rectangle{}, false
	}
	at, b := image.Pt(int(g.X), int(g.Y)), 2*int(g.BorderWidth)
	r := image.Rectangle{Min: at, Max: at.Add(image.Pt(int(g.Width)+b, int(g.Height)+b))}
	r = r.Intersect(image.Rectangle{Max: x.Display().Size})
	return r, !r.Empty()
}
