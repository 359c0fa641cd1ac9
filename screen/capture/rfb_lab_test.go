//go:build lab

package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// The encodings that the client can step over without unpacking them (RFC 6143, 7.7; Tight as in the community's rfbproto).
const (
	rfbRaw   = 0
	rfbTight = 7
	rfbZRLE  = 16
)

// pull asks an RFB server for updates of the whole picture at most rate times a second and counts the bytes that come,
// until the connection is closed. Pixels are RGB565, as ours are.
func pull(conn net.Conn, encoding int32, rate int, bytes *atomic.Int64) error {
	r := bufio.NewReaderSize(counted{conn, bytes}, 1<<16)
	w, h, err := greet(conn, r)
	if err != nil {
		return fmt.Errorf("greet RFB server: %w", err)
	}
	format := []byte{0, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0} // SetPixelFormat
	encodings := binary.BigEndian.AppendUint32([]byte{2, 0, 0, 1}, uint32(encoding))   // SetEncodings
	if _, err := conn.Write(append(format, encodings...)); err != nil {
		return err
	}
	for incremental := byte(0); ; incremental = 1 {
		began := time.Now()
		ask := binary.BigEndian.AppendUint16([]byte{3, incremental, 0, 0, 0, 0}, w)
		if _, err := conn.Write(binary.BigEndian.AppendUint16(ask, h)); err != nil {
			return err
		}
		if err := update(r); err != nil {
			return err
		}
		time.Sleep(time.Second/time.Duration(rate) - time.Since(began))
	}
}

type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// greet is version 3.8 without a password.
func greet(conn net.Conn, r *bufio.Reader) (w, h uint16, err error) {
	hello := make([]byte, 12)
	if _, err := io.ReadFull(r, hello); err != nil {
		return 0, 0, err
	}
	if _, err := conn.Write([]byte("RFB 003.008\n")); err != nil {
		return 0, 0, err
	}
	n, err := r.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	if _, err := r.Discard(int(n)); err != nil {
		return 0, 0, err
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return 0, 0, err
	}
	if _, err := r.Discard(4); err != nil { // security result
		return 0, 0, err
	}
	if _, err := conn.Write([]byte{1}); err != nil { // share
		return 0, 0, err
	}
	init := make([]byte, 24)
	if _, err := io.ReadFull(r, init); err != nil {
		return 0, 0, err
	}
	_, err = r.Discard(int(binary.BigEndian.Uint32(init[20:])))
	return binary.BigEndian.Uint16(init), binary.BigEndian.Uint16(init[2:]), err
}

// update reads messages up to and with one FramebufferUpdate.
func update(r *bufio.Reader) error {
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case 0:
			head := make([]byte, 3)
			if _, err := io.ReadFull(r, head); err != nil {
				return err
			}
			for n := binary.BigEndian.Uint16(head[1:]); n > 0; n-- {
				if err := rectangle(r); err != nil {
					return err
				}
			}
			return nil
		case 2: // bell
		case 3: // the server's clipboard
			head := make([]byte, 7)
			if _, err := io.ReadFull(r, head); err != nil {
				return err
			}
			if _, err := r.Discard(int(binary.BigEndian.Uint32(head[3:]))); err != nil {
				return err
			}
		default:
			return fmt.Errorf("RFB message %d", kind)
		}
	}
}

func rectangle(r *bufio.Reader) error {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	w, h := int(binary.BigEndian.Uint16(head[4:])), int(binary.BigEndian.Uint16(head[6:]))
	switch e := int32(binary.BigEndian.Uint32(head[8:])); e {
	case rfbRaw:
		_, err := r.Discard(w * h * 2)
		return err
	case rfbZRLE:
		length := make([]byte, 4)
		if _, err := io.ReadFull(r, length); err != nil {
			return err
		}
		_, err := r.Discard(int(binary.BigEndian.Uint32(length)))
		return err
	case rfbTight:
		return tight(r, w, h)
	default:
		return fmt.Errorf("RFB encoding %d", e)
	}
}

// tight steps over one rectangle of 16-bit pixels.
func tight(r *bufio.Reader, w, h int) error {
	control, err := r.ReadByte()
	if err != nil {
		return err
	}
	switch mode := control >> 4; {
	case mode == 8: // one colour
		_, err := r.Discard(2)
		return err
	case mode > 8:
		return fmt.Errorf("tight mode %d", mode)
	}
	length := w * h * 2
	if control&0x40 != 0 {
		filter, err := r.ReadByte()
		if err != nil {
			return err
		}
		if filter == 1 { // palette
			n, err := r.ReadByte()
			if err != nil {
				return err
			}
			if _, err := r.Discard((int(n) + 1) * 2); err != nil {
				return err
			}
			length = w * h
			if n < 2 {
				length = (w + 7) / 8 * h
			}
		}
	}
	if length >= 12 {
		if length, err = compact(r); err != nil {
			return err
		}
	}
	_, err = r.Discard(length)
	return err
}

func compact(r *bufio.Reader) (n int, err error) {
	for shift := 0; shift <= 14; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		n |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
	}
	return n, nil
}
