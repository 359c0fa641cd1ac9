package capture

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Requests and events of the X Input Extension 2.2 that tell of raw input (XI2proto), and of QueryExtension (X11).
const (
	xiSelectEvents = 46
	xiQueryVersion = 47
	xiQueryDevice  = 48
	queryExtension = 98

	genericEvent = 35

	xiHierarchyChanged = 11
	xiRawKeyPress      = 13
	xiRawKeyRelease    = 14
	xiRawButtonPress   = 15
	xiRawMotion        = 17
)

// What counts as the customer's own input: any key or button; of the mouse moving, so many events in a moment, because a
// mouse that lies on a shaking table moves too.
const (
	ownMoves  = 3
	ownMoment = 300 * time.Millisecond
	ownEvery  = 250 * time.Millisecond // did is called no more often
	maxOwn    = 1 << 20                // bytes of one reply or event
)

// WatchOwn calls did when somebody uses the keyboard or mouse of the machine itself; what is played by XTEST does not count.
// It returns nil when ctx ends, and an error where the display cannot tell: it is on another machine, or has no X Input 2.2.
// It sleeps while there is no input.
func WatchOwn(ctx context.Context, display string, did func()) error {
	w, err := openOwn(display)
	if err != nil {
		return fmt.Errorf("watch the customer's own input: %w", err)
	}
	defer w.conn.Close()
	defer context.AfterFunc(ctx, func() { w.conn.Close() })()
	err = w.run(did)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("watch the customer's own input: %w", err)
}

// own is a connection of its own: xgb cannot read events longer than 32 bytes, and these are.
type own struct {
	conn  net.Conn
	in    *bufio.Reader
	major byte
	root  uint32
	seq   uint16
	xtest map[uint16]bool // devices that programs play on

	moves  int
	since  time.Time
	called time.Time
}

func openOwn(display string) (*own, error) {
	number, ok := numberOf(display)
	if !ok {
		return nil, errors.New("the display is not on this machine")
	}
	conn, err := net.Dial("unix", "/tmp/.X11-unix/X"+number)
	if err != nil {
		return nil, err
	}
	w := &own{conn: conn, in: bufio.NewReader(conn)}
	_ = conn.SetDeadline(time.Now().Add(patience * time.Second))
	if err := w.setUp(display); err != nil {
		conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return w, nil
}

// setUp connects, finds the extension and asks for raw events of all devices.
func (w *own) setUp(display string) error {
	if _, err := w.conn.Write(helloTo(display)); err != nil {
		return err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(w.in, head); err != nil {
		return err
	}
	setup := make([]byte, int(binary.LittleEndian.Uint16(head[6:]))*4)
	if _, err := io.ReadFull(w.in, setup); err != nil {
		return err
	}
	if head[0] != 1 || len(setup) < 32 {
		return errors.New("the X server refuses the connection")
	}
	roots := 32 + (int(binary.LittleEndian.Uint16(setup[16:]))+3)&^3 + 8*int(setup[21])
	if len(setup) < roots+4 {
		return io.ErrUnexpectedEOF
	}
	w.root = binary.LittleEndian.Uint32(setup[roots:])

	const name = "XInputExtension"
	r, err := w.ask(append(words(queryExtension, 0, uint32(len(name))), pad([]byte(name))...))
	if err != nil {
		return err
	}
	w.major = r[9]
	if r[8] == 0 {
		return errors.New("the display has no X Input Extension")
	}
	if r, err = w.ask(words(w.major, xiQueryVersion, 2|2<<16)); err != nil {
		return err
	}
	if major, minor := binary.LittleEndian.Uint16(r[8:]), binary.LittleEndian.Uint16(r[10:]); major < 2 || major == 2 && minor < 2 {
		return fmt.Errorf("the display has X Input %d.%d, 2.2 is needed", major, minor)
	}
	const all = 0 // XIAllDevices, with a mask of one word
	mask := uint32(1<<xiHierarchyChanged | 1<<xiRawKeyPress | 1<<xiRawKeyRelease | 1<<xiRawButtonPress | 1<<xiRawMotion)
	if err := w.tell(words(w.major, xiSelectEvents, w.root, 1, all|1<<16, mask)); err != nil {
		return err
	}
	return w.learn()
}

// learn asks which devices belong to XTEST.
func (w *own) learn() error {
	r, err := w.ask(words(w.major, xiQueryDevice, 0))
	if err != nil {
		return err
	}
	w.xtest = map[uint16]bool{}
	b := r[32:]
	for range binary.LittleEndian.Uint16(r[8:]) {
		if len(b) < 12 {
			return io.ErrUnexpectedEOF
		}
		id, classes, size := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
		if b = b[12:]; len(b) < (size+3)&^3 {
			return io.ErrUnexpectedEOF
		}
		w.xtest[id] = strings.Contains(string(b[:size]), "XTEST")
		b = b[(size+3)&^3:]
		for range classes {
			if len(b) < 4 || len(b) < 4*int(binary.LittleEndian.Uint16(b[2:])) || b[2]|b[3] == 0 {
				return io.ErrUnexpectedEOF
			}
			b = b[4*int(binary.LittleEndian.Uint16(b[2:])):]
		}
	}
	return nil
}

// run reads events until the connection is closed.
func (w *own) run(did func()) error {
	for {
		m, err := w.next()
		if err != nil {
			return err
		}
		if err := w.heard(m, did); err != nil {
			return err
		}
	}
}

// heard takes an event.
func (w *own) heard(m []byte, did func()) error {
	if m[0]&127 != genericEvent || m[1] != w.major || len(m) < 32 {
		return nil
	}
	kind, device := binary.LittleEndian.Uint16(m[8:]), binary.LittleEndian.Uint16(m[10:])
	if kind == xiHierarchyChanged {
		return w.learn()
	}
	if source := binary.LittleEndian.Uint16(m[20:]); source != 0 {
		device = source
	}
	if w.xtest[device] {
		return nil
	}
	now := time.Now()
	if kind == xiRawMotion {
		if now.Sub(w.since) > ownMoment {
			w.moves, w.since = 0, now
		}
		if w.moves++; w.moves < ownMoves {
			return nil
		}
	}
	if now.Sub(w.called) >= ownEvery {
		w.called = now
		did()
	}
	return nil
}

func (w *own) tell(request []byte) error {
	binary.LittleEndian.PutUint16(request[2:], uint16(len(request)/4))
	w.seq++
	_, err := w.conn.Write(request)
	return err
}

// ask sends a request and gives its reply. What happens meanwhile is dropped: it is a moment, at the start or when a device
// is plugged in.
func (w *own) ask(request []byte) ([]byte, error) {
	if err := w.tell(request); err != nil {
		return nil, err
	}
	for {
		m, err := w.next()
		switch {
		case err != nil:
			return nil, err
		case m[0] == 1 && binary.LittleEndian.Uint16(m[2:]) == w.seq:
			return m, nil
		case m[0] == 0:
			return nil, fmt.Errorf("the X server refuses request %d with error %d", m[10], m[1])
		}
	}
}

// next reads one reply, error or event, the long ones whole.
func (w *own) next() ([]byte, error) {
	m := make([]byte, 32)
	if _, err := io.ReadFull(w.in, m); err != nil {
		return nil, err
	}
	if m[0] != 1 && m[0]&127 != genericEvent {
		return m, nil
	}
	more := int64(binary.LittleEndian.Uint32(m[4:])) * 4
	if more > maxOwn {
		return nil, fmt.Errorf("a message of %d bytes", more)
	}
	m = append(m, make([]byte, more)...)
	_, err := io.ReadFull(w.in, m[32:])
	return m, err
}
