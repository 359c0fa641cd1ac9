package transport

import (
	"net"
	"sync"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// minPacket is the size in bytes of QUIC packets on both layers: the smallest that QUIC allows (RFC 9000, 14). With the
// forward header, UDP and IPv6 (11 + 8 + 40) it fits the smallest MTU of IPv6, 1280 (RFC 8200, 5).
const minPacket = 1200

// plainVirtual is a Virtual as quic-go's simplest kind of connection.
type plainVirtual struct{ v *Virtual }

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// send puts the header before each of the packets in b and sends them in as few system calls as the socket can.
func (v *Virtual) send(b []byte, seg int, to net.Addr) error {
	number, ok := peerOf(to)
	if !ok {
		return net.InvalidAddrError("not a peer")
	}
	r := v.route.Load()
	h := wire.Forward{Channel: r.channel, Peer: number}
	p := buffers.Get().(*[]byte)
	out := (*p)[:0]
	for len(b) > 0 {
		n := min(seg, len(b))
		out = append(h.Append(out), b[:n]...)
		b = b[n:]
	}
	err := r.outer.sock.Send(udp.Datagram{B: out, Seg: seg + wire.ForwardHeader, Addr: r.to})
	*p = out
	buffers.Put(p)
	_ = err // a closed socket is a lost path, not the end of the link: it may be bound to another
	return nil
}

func (c plainVirtual) ReadFrom(b []byte) (int, net.Addr, error) {
	if err := c.v.in.wait(); err != nil {
		return 0, nil, err
	}
	n, from := c.v.in.take(b)
	return n, from, nil
}

func (c plainVirtual) WriteTo(b []byte, to net.Addr) (int, error) {
	return len(b), c.v.send(b, len(b), to)
}

func (c plainVirtual) Close() error                      { c.v.in.close(); return nil }
func (c plainVirtual) LocalAddr() net.Addr               { return peerAddr(c.v.route.Load().self) }
func (c plainVirtual) SetDeadline(t time.Time) error     { return c.SetReadDeadline(t) }
func (c plainVirtual) SetReadDeadline(t time.Time) error { c.v.in.setDeadline(t); return nil }

// Sending does not wait.
func (c plainVirtual) SetWriteDeadline(time.Time) error { return nil }

// The inbox has its own limit.
func (c plainVirtual) SetReadBuffer(int) error  { return nil }
func (c plainVirtual) SetWriteBuffer(int) error { return nil }
