package capture

import (
	"errors"
	"image"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/shm"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// stripe is how many rows the look at the whole frame compares at a time.
const stripe = 64

// memory is where pixels land: a whole frame and a stripe beside it, shared with the server or not.
type memory struct {
	shared bool // try to share; cleared when the server cannot
	seg    shm.Seg
	pix    []byte
	size   image.Point
}

func (m *memory) stride() int { return m.size.X * 4 }

// frame and spare are the two parts of the memory.
func (m *memory) frame() []byte { return m.pix[: m.size.Y*m.stride() : m.size.Y*m.stride()] }
func (m *memory) spare() []byte { return m.pix[m.size.Y*m.stride():] }

// fit gets memory for a display of that size.
func (m *memory) fit(conn *xgb.Conn, size image.Point) {
	m.free(conn)
	m.size = size
	length := (size.Y + stripe) * size.X * 4
	if m.shared {
		m.pix, m.seg = share(conn, length)
		m.shared = m.pix != nil
	}
	if !m.shared {
		m.pix = make([]byte, length)
	}
}

// free gives the memory back; without a connection the server has forgotten it by itself.
func (m *memory) free(conn *xgb.Conn) {
	if m.seg != 0 {
		if conn != nil {
			shm.Detach(conn, m.seg)
		}
		unshare(m.pix)
	}
	m.pix, m.seg, m.size = nil, 0, image.Point{}
}

// share makes shared memory and gives the server its half, or returns nil where that does not work.
func share(conn *xgb.Conn, length int) ([]byte, shm.Seg) {
	id, pix, err := makeShared(length)
	if err != nil {
		return nil, 0
	}
	seg, err := shm.NewSegId(conn)
	if err == nil {
		err = shm.AttachChecked(conn, seg, uint32(id), false).Check()
	}
	removeShared(id) // both sides hold it now; nothing is left behind when a process dies
	if err != nil {
		unshare(pix)
		return nil, 0
	}
	return pix, seg
}

// band is rows of the display, as wide as what changed in them.
type band = image.Rectangle

// near is how many rows two bands may be apart to be read as one: a request costs about as much as copying them.
const near = 16

// bands puts rectangles together that overlap in rows or nearly so. They come sorted by their upper edge, as the server
// sends a region (X11, "Regions": YX-banded).
func bands(into []band, d screen.Damage) []band {
	for _, r := range d {
		if n := len(into); n > 0 && r.Min.Y <= into[n-1].Max.Y+near && r.Max.Y >= into[n-1].Min.Y {
			into[n-1] = into[n-1].Union(r)
			continue
		}
		into = append(into, r)
	}
	return into
}

// read brings bands of the display into the frame: whole rows through shared memory, else no more than changed.
func (x *X11) read(bs []band) error {
	for _, b := range bs {
		var err error
		if x.mem.shared {
			err = x.readRows(b.Min.Y, b.Max.Y, b.Min.Y*x.mem.stride())
		} else {
			err = x.readPlain(x.mem.frame(), b, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readRows has the server write rows to an offset in the shared memory.
func (x *X11) readRows(from, to, offset int) error {
	err := x.direct.rows(x.root, x.mem.seg, x.mem.size.X, from, to, offset)
	if !errors.Is(err, errNotDirect) {
		return err
	}
	_, err = shm.GetImage(x.conn, xproto.Drawable(x.root), 0, int16(from), uint16(x.mem.size.X), uint16(to-from),
		^uint32(0), xproto.ImageFormatZPixmap, x.mem.seg, uint32(offset)).Reply()
	return err
}

// readPlain copies r of the display to dst, whose first row is row top of the display, a stripe at a time.
func (x *X11) readPlain(dst []byte, r image.Rectangle, top int) error {
	for y := r.Min.Y; y < r.Max.Y; y += stripe {
		rows := min(stripe, r.Max.Y-y)
		reply, err := xproto.GetImage(x.conn, xproto.ImageFormatZPixmap, xproto.Drawable(x.root),
			int16(r.Min.X), int16(y), uint16(r.Dx()), uint16(rows), ^uint32(0)).Reply()
		if err != nil {
			return err
		}
		width := r.Dx() * 4
		for i := range rows {
			at := (y+i-top)*x.mem.stride() + r.Min.X*4
			copy(dst[at:at+width], reply.Data[i*width:])
		}
	}
	return nil
}
