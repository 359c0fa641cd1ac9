package capture

import (
	"image"

	"github.com/jezek/xgb/randr"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// openRANDR needs version 1.5 for monitors, where two outputs that show the same are one (randrproto).
func (x *X11) openRANDR() {
	if !extension(x.conn, "RANDR", randr.Init) {
		return
	}
	v, err := randr.QueryVersion(x.conn, 1, 5).Reply()
	if err != nil {
		return
	}
	mask := uint16(randr.NotifyMaskScreenChange | randr.NotifyMaskCrtcChange | randr.NotifyMaskOutputChange)
	err = randr.SelectInputChecked(x.conn, x.root, mask).Check()
	x.randr = err == nil && (v.MajorVersion > 1 || v.MinorVersion >= 5)
}

// monitors are the screens that a person would count on a display of that size; without RANDR the display is one.
func (x *X11) monitors(size image.Point) []screen.Monitor {
	one := []screen.Monitor{{Bounds: image.Rectangle{Max: size}, Primary: true}}
	if !x.randr {
		return one
	}
	reply, err := randr.GetMonitors(x.conn, x.root, true).Reply()
	if err != nil {
		return one
	}
	var ms []screen.Monitor
	for _, m := range reply.Monitors {
		at := image.Pt(int(m.X), int(m.Y))
		b := image.Rectangle{Min: at, Max: at.Add(image.Pt(int(m.Width), int(m.Height)))}.Intersect(image.Rectangle{Max: size})
		if !b.Empty() {
			ms = append(ms, screen.Monitor{Name: x.atom(m.Name), Bounds: b, Primary: m.Primary})
		}
	}
	if len(ms) == 0 {
		return one
	}
	return ms
}

func (x *X11) atom(a xproto.Atom) string {
	reply, err := xproto.GetAtomName(x.conn, a).Reply()
	if err != nil {
		return ""
	}
	return reply.Name
}
