// Package tunnel carries the packets of a UDP port over a WebSocket in TLS over TCP, for networks that let no UDP through:
// Dial gives one end, a Hub on the relay's HTTPS port the other. Both are a net.PacketConn, and whoever uses them does not
// know the difference: packets may be lost, and are, where TCP is slower than their sender.
//
// Each end has a goroutine that reads the WebSocket and one that writes it. What waits to be written is bounded (queueBytes
// a connection); a packet over it is dropped, as a router would. What has arrived and nobody reads is bounded, too, and the
// WebSocket is not read on before there is room. The package looks into no packet and proves nothing about the other end:
// the tunnel is a way, who talks through it has its own encryption and keys. So the TLS around it may be that of a company's
// proxy, which then sees no more than whoever carries UDP packets would.
package tunnel

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Path is where a relay's HTTPS port takes tunnels, Protocol the name of what is inside (RFC 6455, 1.9).
const (
	Path     = "/v1/packets"
	Protocol = "assist-packets-1"
)

// Limits in bytes.
const (
	maxPacket  = 2048     // more than any Ethernet frame
	maxMessage = 32 << 10 // packets that wait go together
	queueBytes = 128 << 10
	arrived    = 256 // packets
)

const writeWithin = 10 * time.Second // what the kernel does not take for so long is lost, with the connection

// A message is packets, each after its length (big-endian uint16).

// outbox is packets that wait to be written, one message after the other.
type outbox struct {
	ready chan struct{} // cap 1

	mu      sync.Mutex
	waiting []byte
}

// put adds packets of one length; what does not fit is dropped.
func (o *outbox) put(b []byte) {
	if len(b) == 0 || len(b) > maxPacket {
		return
	}
	o.mu.Lock()
	if len(o.waiting)+2+len(b) <= queueBytes {
		o.waiting = append(binary.BigEndian.AppendUint16(o.waiting, uint16(len(b))), b...)
	}
	o.mu.Unlock()
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take moves the oldest packets to b, as many as fit a message.
func (o *outbox) take(b []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(o.waiting) {
		next := n + 2 + int(binary.BigEndian.Uint16(o.waiting[n:]))
		if next > maxMessage {
			break
		}
		n = next
	}
	b = append(b[:0], o.waiting[:n]...)
	o.waiting = append(o.waiting[:0], o.waiting[n:]...)
	return b
}

// write sends what is put until ctx ends or the connection fails.
func (o *outbox) write(ctx context.Context, c *websocket.Conn) error {
	var b []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.ready:
		}
		for b = o.take(b); len(b) > 0; b = o.take(b) {
			within, cancel := context.WithTimeout(ctx, writeWithin)
			err := c.Write(within, websocket.MessageBinary, b)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}

// inbox is packets that have arrived.
type inbox struct {
	packets chan packet
	closed  chan struct{}
	once    sync.Once

	mu       sync.Mutex
	deadline chan struct{} // closed when reading has to end
	timer    *time.Timer
}

type packet struct {
	b    []byte
	from *net.UDPAddr
}

func newInbox() *inbox {
	return &inbox{packets: make(chan packet, arrived), closed: make(chan struct{}), deadline: make(chan struct{})}
}

func (in *inbox) close() { in.once.Do(func() { close(in.closed) }) }

var errMessage = errors.New("malformed message")

// read puts every packet that arrives into the inbox, until ctx ends or the connection fails.
func (in *inbox) read(ctx context.Context, c *websocket.Conn, from *net.UDPAddr) error {
	c.SetReadLimit(maxMessage)
	for {
		kind, b, err := c.Read(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageBinary {
			return errMessage
		}
		err = splitMessage(b, func(p []byte) bool {
			select {
			case in.packets <- packet{p, from}:
				return true
			case <-in.closed:
			case <-ctx.Done():
			}
			return false
		})
		if err != nil {
			return err
		}
	}
}

// splitMessage gives out the packets of a message, as long as they are wanted.
func splitMessage(b []byte, each func([]byte) bool) error {
	for len(b) > 0 {
		if len(b) < 2 {
			return errMessage
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || n > maxPacket || n > len(b)-2 {
			return errMessage
		}
		if !each(b[2 : 2+n]) {
			return net.ErrClosed
		}
		b = b[2+n:]
	}
	return nil
}

// next waits for a packet and copies it.
func (in *inbox) next(b []byte) (int, *net.UDPAddr, error) {
	in.mu.Lock()
	deadline := in.deadline
	in.mu.Unlock()
	select {
	case p := <-in.packets:
		return copy(b, p.b), p.from, nil
	case <-in.closed:
		return 0, nil, net.ErrClosed
	case <-deadline:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func (in *inbox) setDeadline(t time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.timer != nil {
		in.timer.Stop()
		in.timer = nil
	}
	select {
	case <-in.deadline:
		in.deadline = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	ch := in.deadline
	expire := func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.deadline != ch {
			return
		}
		select {
		case <-ch:
		default:
			close(ch)
		}
	}
	if d := time.Until(t); d > 0 {
		in.timer = time.AfterFunc(d, expire)
		return
	}
	select {
	case <-ch:
	default:
		close(ch)
	}
}
