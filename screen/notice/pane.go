package notice

import (
	"errors"
	"image"

	"github.com/jezek/xgb/xproto"
)

// format is how the display wants pixels.
type format struct {
	depth  byte
	bytes  int // of a pixel
	rowPad int // rows are whole multiples of so many bytes
	swap   bool
}

// formatOf looks at the display's depth: 24 bits, or 16.
func formatOf(s *xproto.SetupInfo, screen *xproto.ScreenInfo) (format, error) {
	for _, f := range s.PixmapFormats {
		if f.Depth == screen.RootDepth && (f.BitsPerPixel == 32 || f.BitsPerPixel == 16) {
			return format{f.Depth, int(f.BitsPerPixel / 8), int(f.ScanlinePad / 8), s.ImageByteOrder == xproto.ImageOrderMSBFirst}, nil
		}
	}
	return format{}, errors.New("the display has neither 24 nor 16 bit colours")
}

// row converts one row of a drawing.
func (f format) row(out []byte, rgba []byte) []byte {
	start := len(out)
	for i := 0; i+3 < len(rgba); i += 4 {
		r, g, b := rgba[i], rgba[i+1], rgba[i+2]
		px := [4]byte{b, g, r, 0}
		if f.bytes == 2 {
			v := uint16(r>>3)<<11 | uint16(g>>2)<<5 | uint16(b>>3)
			px = [4]byte{byte(v), byte(v >> 8)}
		}
		for j := range f.bytes {
			if f.swap {
				j = f.bytes - 1 - j
			}
			out = append(out, px[j])
		}
	}
	for (len(out)-start)%f.rowPad != 0 {
		out = append(out, 0)
	}
	return out
}

// pane is one window. The drawing is its background, so the server repairs it by itself.
type pane struct {
	w       *Window
	id      xproto.Window // 0: there is none
	shown   bool
	sheet   *sheet
	at      image.Point // of its upper left corner on the display
	moved   bool        // the customer put it there
	pressed int         // index of the spot that the button went down on, -1: none
	grip    *image.Point
}

func (p *pane) rect() image.Rectangle {
	return image.Rectangle{p.at, p.at.Add(p.sheet.img.Rect.Size())}
}

// show puts a drawing on the display; place says where, for its size, unless the customer chose.
func (p *pane) show(s *sheet, place func(size image.Point) image.Point) {
	if p.shown && p.id != 0 && p.sheet == s {
		return
	}
	resized := p.sheet == nil || p.sheet.img.Rect != s.img.Rect
	p.sheet = s
	if !p.moved && (resized || !p.shown) {
		p.at = place(s.img.Rect.Size())
	}
	p.keepInside()
	p.shown = true
	if p.id == 0 {
		p.create()
	}
	p.upload()
	if resized {
		p.arrange()
	}
	xproto.MapWindow(p.w.conn, p.id)
	p.w.dirty = true
}

// hide takes the window off the display.
func (p *pane) hide() {
	if p.id != 0 {
		xproto.DestroyWindow(p.w.conn, p.id)
	}
	*p = pane{w: p.w, at: p.at, moved: p.moved, pressed: -1}
}

// create makes the window; its errors show as a window that is not there, which guard mends.
func (p *pane) create() {
	id, err := xproto.NewWindowId(p.w.conn)
	if err != nil {
		return
	}
	p.id, p.pressed, p.grip = id, -1, nil
	r := p.rect()
	const events = xproto.EventMaskButtonPress | xproto.EventMaskButtonRelease | xproto.EventMaskButtonMotion |
		xproto.EventMaskKeyPress | xproto.EventMaskVisibilityChange | xproto.EventMaskStructureNotify | xproto.EventMaskPropertyChange | xproto.EventMaskFocusChange
	xproto.CreateWindow(p.w.conn, xproto.WindowClassCopyFromParent, id, p.w.screen.Root, int16(r.Min.X), int16(r.Min.Y),
		uint16(r.Dx()), uint16(r.Dy()), 0, xproto.WindowClassInputOutput, xproto.WindowClassCopyFromParent,
		xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, events})
	const name = "assist: your screen is shared"
	xproto.ChangeProperty(p.w.conn, xproto.PropModeReplace, id, xproto.AtomWmName, xproto.AtomString, 8, uint32(len(name)), []byte(name))
}

// upload makes the drawing the window's background, in strips that fit a request.
func (p *pane) upload() {
	c, img, f := p.w.conn, p.sheet.img, p.w.format
	pix, err := xproto.NewPixmapId(c)
	if err != nil {
		return
	}
	gc, err := xproto.NewGcontextId(c)
	if err != nil {
		return
	}
	width, height := img.Rect.Dx(), img.Rect.Dy()
	xproto.CreatePixmap(c, f.depth, pix, xproto.Drawable(p.w.screen.Root), uint16(width), uint16(height))
	xproto.CreateGC(c, gc, xproto.Drawable(pix), 0, nil)
	const most = 128 << 10 // bytes of a strip; the smallest limit of a server is 256 KiB
	strip := max(1, most/(width*f.bytes+f.rowPad))
	for y := 0; y < height; y += strip {
		rows := min(strip, height-y)
		data := make([]byte, 0, most)
		for i := range rows {
			o := img.PixOffset(0, y+i)
			data = f.row(data, img.Pix[o:o+4*width])
		}
		xproto.PutImage(c, xproto.ImageFormatZPixmap, xproto.Drawable(pix), gc, uint16(width), uint16(rows), 0, int16(y), 0, f.depth, data)
	}
	xproto.ChangeWindowAttributes(c, p.id, xproto.CwBackPixmap, []uint32{uint32(pix)})
	xproto.ClearArea(c, false, p.id, 0, 0, 0, 0)
	xproto.FreeGC(c, gc)
	xproto.FreePixmap(c, pix) // the window keeps it
}

// arrange puts the window where it belongs.
func (p *pane) arrange() {
	r := p.rect()
	xproto.ConfigureWindow(p.w.conn, p.id, xproto.ConfigWindowX|xproto.ConfigWindowY|xproto.ConfigWindowWidth|xproto.ConfigWindowHeight,
		[]uint32{uint32(int32(r.Min.X)), uint32(int32(r.Min.Y)), uint32(r.Dx()), uint32(r.Dy())})
}

// keepInside keeps all of the window on the display.
func (p *pane) keepInside() {
	if p.sheet == nil {
		return
	}
	size, root := p.sheet.img.Rect.Size(), p.w.root()
	p.at.X = max(root.Min.X, min(p.at.X, root.Max.X-size.X))
	p.at.Y = max(root.Min.Y, min(p.at.Y, root.Max.Y-size.Y))
}

// spotAt is the index of the spot at a place of the window, or -1.
func (p *pane) spotAt(at image.Point) int {
	for i, s := range p.sheet.spots {
		if at.In(s.at) && !s.off {
			return i
		}
	}
	return -1
}
