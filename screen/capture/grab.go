package capture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"time"

	"github.com/jezek/xgb/damage"
	"github.com/jezek/xgb/xfixes"
	"github.com/jezek/xgb/xproto"

	"assist/screen"
)

// Grab brings the frame up to date and says what changed since the last one: everything at first and after the display
// changed its size, nothing when nothing did. Frame and damage hold until the next call.
func (x *X11) Grab() (*screen.Frame, screen.Damage, error) {
	for range 3 { // a display that changes its size under a read is measured again
		d, err := x.grab()
		if err == nil {
			return &x.frame, d, nil
		}
		if !errors.As(err, new(xproto.MatchError)) {
			return nil, nil, fmt.Errorf("read display %s: %w", x.name, err)
		}
		x.resized.Store(true)
	}
	return nil, nil, fmt.Errorf("read display %s: its size does not settle", x.name)
}

func (x *X11) grab() (screen.Damage, error) {
	x.found = x.found[:0]
	if x.resized.Swap(false) {
		if err := x.measure(); err != nil {
			return nil, err
		}
	}
	if size := x.Display().Size; size != x.mem.size {
		return x.whole(size)
	}
	if x.damaged.Swap(false) {
		if err := x.take(); err != nil {
			return nil, err
		}
		x.grabs = bands(x.grabs[:0], x.found)
		if err := x.read(x.grabs); err != nil {
			return nil, err
		}
	}
	if x.checkDue.Swap(false) {
		if err := x.compare(); err != nil {
			return nil, err
		}
	}
	if len(x.found) > 0 {
		x.number()
	}
	return x.found, nil
}

// number says that the frame is another one.
func (x *X11) number() {
	x.frame.Seq++
	x.frame.Time = time.Now()
}

// whole starts a frame of that size.
func (x *X11) whole(size image.Point) (screen.Damage, error) {
	x.mem.fit(x.conn, size)
	x.frame.Size, x.frame.Stride, x.frame.Pix = size, x.mem.stride(), x.mem.frame()
	x.damaged.Store(false)
	if err := x.take(); err != nil { // so that the server tells of the next damage
		return nil, x.incomplete(err)
	}
	all := image.Rectangle{Max: size}
	x.found = append(x.found[:0], all)
	x.grabs = append(x.grabs[:0], all)
	if err := x.read(x.grabs); err != nil {
		return nil, x.incomplete(err)
	}
	x.number()
	x.look(x.alive.start(x.damage != 0))
	return x.found, nil
}

// incomplete forgets a frame that was not filled, so that the next grab starts again.
func (x *X11) incomplete(err error) error {
	x.mem.size = image.Point{}
	return err
}

// take adds the damage that the server has gathered to what was found, and empties it there. The pixels are read
// afterwards, so that nothing falls between.
func (x *X11) take() error {
	if x.damage == 0 {
		return nil
	}
	on := image.Rectangle{Max: x.mem.size}
	add := func(r image.Rectangle) {
		if r = r.Intersect(on); !r.Empty() {
			x.found = append(x.found, r)
		}
	}
	direct := x.direct.open()
	pointer, err := x.direct.take(uint32(x.damage), uint32(x.region), x.root, add)
	if err == nil {
		x.glance(pointer)
	}
	if !errors.Is(err, errNotDirect) {
		return err
	}
	if direct { // it broke, perhaps with damage on its way
		add(on)
	}
	damage.Subtract(x.conn, x.damage, 0, x.region)
	reply, err := xfixes.FetchRegion(x.conn, x.region).Reply()
	if err != nil {
		return err
	}
	for _, r := range reply.Rectangles {
		at := image.Pt(int(r.X), int(r.Y))
		add(image.Rectangle{Min: at, Max: at.Add(image.Pt(int(r.Width), int(r.Height)))})
	}
	return nil
}

// compare looks at the whole frame for changes that no damage told of, and takes them.
func (x *X11) compare() error {
	before := len(x.found)
	for y := 0; y < x.mem.size.Y; y += stripe {
		if err := x.compareStripe(y, min(y+stripe, x.mem.size.Y)); err != nil {
			return err
		}
	}
	differ := append(screen.Damage(nil), x.found[before:]...)
	told := screen.Damage(nil)
	if len(differ) > 0 {
		// The server works in order: what the stripes showed is in its damage by now, if damage works.
		at := len(x.found)
		if err := x.take(); err != nil {
			return err
		}
		told = x.found[at:]
		x.grabs = bands(x.grabs[:0], told)
		if err := x.read(x.grabs); err != nil {
			return err
		}
	}
	x.look(x.alive.judge(time.Now(), differ, told))
	return nil
}

// compareStripe reads rows into the spare memory and takes those that differ.
func (x *X11) compareStripe(from, to int) error {
	stride := x.mem.stride()
	frame, now := x.mem.frame()[from*stride:to*stride], x.mem.spare()[:(to-from)*stride]
	var err error
	if x.mem.shared {
		err = x.readRows(from, to, len(x.mem.frame()))
	} else {
		err = x.readPlain(now, image.Rect(0, from, x.mem.size.X, to), from)
	}
	if err != nil || bytes.Equal(frame, now) {
		return err
	}
	first, last := -1, 0
	for y := range to - from {
		if row := now[y*stride : (y+1)*stride]; !bytes.Equal(frame[y*stride:(y+1)*stride], row) {
			copy(frame[y*stride:], row)
			if first < 0 {
				first = y
			}
			last = y
		}
	}
	x.found = append(x.found, image.Rect(0, from+first, x.mem.size.X, from+last+1))
	return nil
}

// look asks Run for the next comparison after a while.
func (x *X11) look(after time.Duration) {
	select {
	case <-x.check:
	default:
	}
	x.check <- after
}
