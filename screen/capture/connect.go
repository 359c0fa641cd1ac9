package capture

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// connect opens the connection and says in words why it does not work.
func connect(display string) (*xgb.Conn, string, error) {
	if display == "" {
		display = os.Getenv("DISPLAY")
	}
	if display == "" {
		return nil, "", notSet()
	}
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		return nil, "", refused(display, err)
	}
	return conn, display, nil
}

func notSet() error {
	if os.Getenv("WAYLAND_DISPLAY") != "" {
		return &NoDisplayError{
			Reason: "this is a Wayland session without X11",
			Hint:   "log in to an X11 session (\"Xorg\" on the login screen) and start the host there",
		}
	}
	return &NoDisplayError{
		Reason: "DISPLAY is not set",
		Hint:   "start the host in a terminal on the desktop that is to be shared, or name its display: --display :0",
	}
}

// refused sorts what xgb says; it has no error values of its own.
func refused(display string, err error) error {
	e := &NoDisplayError{Display: display, Err: err}
	switch text := err.Error(); {
	case strings.Contains(text, "authentication refused"), strings.Contains(text, "unsupported auth"):
		e.Reason = "the X server does not let this user in"
		e.Hint = "run as the user who is logged in there, or point XAUTHORITY at that session's cookie file"
	case strings.Contains(text, "bad display string"), strings.Contains(text, "empty display string"):
		e.Reason = "this is not the name of an X11 display"
		e.Hint = "a display is named like :0 or machine:10.0"
	case strings.Contains(text, "no such file"), strings.Contains(text, "connection refused"):
		e.Reason = "no X server answers there"
		e.Hint = "echo $DISPLAY in a terminal on that desktop says its name; --display takes it"
	default:
		e.Reason = "cannot connect: " + text
		e.Hint = "check that the X server runs and that this user may reach it"
	}
	return e
}

// rootOf is the root window of the screen that the display's name asks for, if its pixels are 4 bytes: B, G, R, unused.
func rootOf(conn *xgb.Conn, display string) (xproto.Window, error) {
	setup := xproto.Setup(conn)
	if conn.DefaultScreen < 0 || conn.DefaultScreen >= len(setup.Roots) {
		return 0, &NoDisplayError{
			Display: display, Reason: fmt.Sprintf("it has no screen %d", conn.DefaultScreen), Hint: "leave out what follows the dot",
		}
	}
	s := setup.Roots[conn.DefaultScreen]
	bits := byte(0)
	for _, f := range setup.PixmapFormats {
		if f.Depth == s.RootDepth {
			bits = f.BitsPerPixel
		}
	}
	red := uint32(0)
	for _, d := range s.AllowedDepths {
		for _, v := range d.Visuals {
			if v.VisualId == s.RootVisual {
				red = v.RedMask
			}
		}
	}
	if s.RootDepth != 24 && s.RootDepth != 32 || bits != 32 || red != 0xFF0000 || setup.ImageByteOrder != xproto.ImageOrderLSBFirst {
		return 0, &NoDisplayError{
			Display: display,
			Reason:  fmt.Sprintf("its pixels have %d bits of colour in %d (red %#x); only 24 in 32 can be read", s.RootDepth, bits, red),
			Hint:    "set the X server to 24 bits of colour (DefaultDepth 24 in xorg.conf)",
		}
	}
	return s.Root, nil
}

// events guards xgb's tables of events and errors, which all connections of a process read and every Init writes.
var events sync.Mutex

// extension says whether the server has an extension, and makes xgb ready to use it. Only the first Init of an extension
// in this process touches the tables, so that opening a second display does not write under the readers of the first.
// Servers of one process are taken to number their extensions alike, or to be opened one after the other.
func extension(conn *xgb.Conn, name string, init func(*xgb.Conn) error) bool {
	events.Lock()
	defer events.Unlock()
	reply, err := xproto.QueryExtension(conn, uint16(len(name)), name).Reply()
	if err != nil || !reply.Present {
		return false
	}
	if _, known := xgb.NewEventFuncs[int(reply.FirstEvent)]; !known || reply.FirstEvent == 0 {
		return init(conn) == nil
	}
	conn.ExtLock.Lock()
	conn.Extensions[name] = reply.MajorOpcode
	conn.ExtLock.Unlock()
	return true
}
