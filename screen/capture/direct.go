package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/shm"
	"github.com/jezek/xgb/xproto"
)

// direct is a second connection to a display on this machine, for the four requests of every frame. The goroutine that asks
// writes and reads by itself, in the kernel: an answer through xgb passes through three goroutines and wakes as many
// threads, which costs more than the small frames themselves. What it names (damage, region, shared memory) belongs to the
// first connection; X11 lets all programs of a display use them. Whatever goes wrong closes it, and xgb serves again.
type direct struct {
	majors directMajors

	mu  sync.Mutex
	fd  int // -1: closed
	seq uint16
	in  *bufio.Reader // an answer is most often one read
	buf []byte
}

// socket reads from a file descriptor.
type socket int

func (s socket) Read(p []byte) (int, error) { return readLocal(int(s), p) }

// directMajors are the numbers that the server gave the extensions.
type directMajors struct{ damage, xfixes, shm byte }

// patience is how long a read waits for the server, in seconds. A server that stops for longer is served over xgb again.
const patience = 10

// errNotDirect asks for the way over xgb.
var errNotDirect = errors.New("no direct connection")

// Minor numbers of the requests (damageproto, fixesproto, shmproto) and the number of QueryPointer (X11).
const (
	queryVersion = 0
	subtract     = 3
	fetchRegion  = 19
	getImage     = 4
	queryPointer = 38
)

// openDirect tries to open it. Where it cannot be had the result is closed, which is fine.
func openDirect(conn *xgb.Conn, display string) *direct {
	d := &direct{fd: -1, buf: make([]byte, 4096)}
	conn.ExtLock.RLock()
	d.majors = directMajors{conn.Extensions["DAMAGE"], conn.Extensions["XFIXES"], conn.Extensions["MIT-SHM"]}
	conn.ExtLock.RUnlock()
	fd, err := dialLocal(display)
	if err != nil {
		return d
	}
	d.fd, d.in = fd, bufio.NewReaderSize(socket(fd), 8<<10)
	if err := d.greet(display); err != nil {
		d.close()
	}
	return d
}

func (d *direct) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop()
}

func (d *direct) open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fd >= 0
}

func (d *direct) drop() {
	if d.fd >= 0 {
		closeLocal(d.fd)
		d.fd = -1
	}
}

// greet is the connection setup (X11, "Connection Setup"), and the versions without which the extensions do not answer.
func (d *direct) greet(display string) error {
	if err := writeLocal(d.fd, helloTo(display)); err != nil {
		return err
	}
	if _, err := io.ReadFull(d.in, d.buf[:8]); err != nil {
		return err
	}
	if d.buf[0] != 1 {
		return errNotDirect
	}
	if _, err := d.in.Discard(int(binary.LittleEndian.Uint16(d.buf[6:])) * 4); err != nil {
		return err
	}
	for _, v := range []struct {
		major        byte
		first, after uint32
	}{{d.majors.xfixes, 5, 0}, {d.majors.damage, 1, 1}} {
		if v.major == 0 {
			continue
		}
		if err := d.send(words(v.major, queryVersion, v.first, v.after)); err != nil {
			return err
		}
		if _, err := d.answer(); err != nil {
			return err
		}
	}
	return nil
}

// numberOf is the number of a display on this machine.
func numberOf(display string) (string, bool) {
	host, rest, ok := strings.Cut(display, ":")
	if !ok || host != "" && host != "unix" {
		return "", false
	}
	number, _, _ := strings.Cut(rest, ".")
	_, err := strconv.ParseUint(number, 10, 16)
	return number, err == nil
}

// helloTo is the first message to a display, with the cookie for it.
func helloTo(display string) []byte {
	name, cookie := cookieOf(display)
	hello := binary.LittleEndian.AppendUint16([]byte{'l', 0, 11, 0, 0, 0}, uint16(len(name)))
	hello = append(binary.LittleEndian.AppendUint16(hello, uint16(len(cookie))), 0, 0)
	return pad(append(pad(append(hello, name...)), cookie...))
}

// words is one request of 32-bit words after its head (X11, "Request Format").
func words(major, minor byte, body ...uint32) []byte {
	b := make([]byte, 0, 32)
	b = binary.LittleEndian.AppendUint16(append(b, major, minor), uint16(1+len(body)))
	for _, w := range body {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

// send writes requests and counts them.
func (d *direct) send(requests ...[]byte) error {
	if d.fd < 0 {
		return errNotDirect
	}
	all := requests[0]
	for _, r := range requests[1:] {
		all = append(all, r...)
	}
	if err := writeLocal(d.fd, all); err != nil {
		d.drop()
		return errNotDirect
	}
	d.seq += uint16(len(requests))
	return nil
}

// answer is the reply to the newest request.
func (d *direct) answer() ([]byte, error) { return d.answerTo(d.seq) }

// answerTo reads up to and with the answer to a request. A refusal is an xgb error of the kind that xgb would give for a
// size that does not fit; every other closes the connection.
func (d *direct) answerTo(seq uint16) ([]byte, error) {
	for {
		if _, err := io.ReadFull(d.in, d.buf[:32]); err != nil {
			d.drop()
			return nil, errNotDirect
		}
		kind, of := d.buf[0], binary.LittleEndian.Uint16(d.buf[2:])
		switch {
		case kind == 1 && of == seq:
			return d.rest()
		case kind == 0 && of == seq && d.buf[1] == xproto.BadMatch:
			return nil, xproto.MatchError{Sequence: seq, NiceName: "Match"}
		case kind == 0 || kind == 1 || kind == 35: // a refusal, an answer to nothing, an event of unknown length
			d.drop()
			return nil, errNotDirect
		}
	}
}

// rest reads what follows the 32 bytes of a reply.
func (d *direct) rest() ([]byte, error) {
	more := int(binary.LittleEndian.Uint32(d.buf[4:])) * 4
	if need := 32 + more; need > len(d.buf) {
		if more > maxRegion {
			d.drop()
			return nil, fmt.Errorf("%w: reply of %d bytes", errNotDirect, more)
		}
		d.buf = append(d.buf[:32], make([]byte, more)...)
	}
	if more > 0 {
		if _, err := io.ReadFull(d.in, d.buf[32:32+more]); err != nil {
			d.drop()
			return nil, errNotDirect
		}
	}
	return d.buf[:32+more], nil
}

// maxRegion is the longest region that is taken, in bytes: two million rectangles are more than any display has.
const maxRegion = 16 << 20

// take empties a damage object and gives what was in it to add. Where the pointer is comes with it.
func (d *direct) take(damage, region uint32, root xproto.Window, add func(image.Rectangle)) (pointer image.Point, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err = d.send(words(d.majors.damage, subtract, damage, 0, region), words(d.majors.xfixes, fetchRegion, region),
		words(queryPointer, 0, uint32(root)))
	if err != nil {
		return image.Point{}, err
	}
	reply, err := d.answerTo(d.seq - 1)
	if err != nil {
		return image.Point{}, err
	}
	for b := reply[32:]; len(b) >= 8; b = b[8:] {
		at := pointIn(b)
		size := image.Pt(int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:])))
		add(image.Rectangle{Min: at, Max: at.Add(size)})
	}
	if reply, err = d.answer(); err != nil {
		return image.Point{}, err
	}
	return pointIn(reply[16:]), nil
}

// pointIn is two signed coordinates.
func pointIn(b []byte) image.Point {
	return image.Pt(int(int16(binary.LittleEndian.Uint16(b))), int(int16(binary.LittleEndian.Uint16(b[2:]))))
}

// rows reads whole rows of a window into shared memory, at their place from offset on.
func (d *direct) rows(root xproto.Window, seg shm.Seg, width, from, to, offset int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.send(words(d.majors.shm, getImage, uint32(root), uint32(from)<<16, uint32(to-from)<<16|uint32(width),
		^uint32(0), xproto.ImageFormatZPixmap, uint32(seg), uint32(offset)))
	if err != nil {
		return err
	}
	_, err = d.answer()
	return err
}

// pointer asks where the pointer is.
func (d *direct) pointer(root xproto.Window) (image.Point, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.send(words(queryPointer, 0, uint32(root))); err != nil {
		return image.Point{}, err
	}
	reply, err := d.answer()
	if err != nil {
		return image.Point{}, err
	}
	return pointIn(reply[16:]), nil
}
