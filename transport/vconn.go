package transport

import (
	"net"
	"sync"
	"time"

	"assist/transport/wire"
)

// minPacket is the size in bytes of QUIC packets on both layers: the smallest that QUIC allows (RFC 9000, 14). With the
// forward header, UDP and IPv6 (11 + 8 + 40) it fits the smallest MTU of IPv6, 1280 (RFC 8200, 5).
const minPacket = 1200

// plainVirtual is a Virtual as quic-go's simplest kind of connection.
type plainVirtual struct{ v *Virtual }

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// send sends b, packets of seg bytes each, to a peer.
func (v *Virtual) send(b []byte, seg int, to net.Addr) error {
	number, ok := peerOf(to)
	if !ok {
		return net.InvalidAddrError("not a peer")
	}
	p := v.peer(number)
	now := time.Now()
	if !v.calm.Pass(b, now) {
		return nil
	}
	if time.Duration(v.since(now)-p.heard.Load()) > holdAfter {
		p.hold(b, seg)
	}
	if d := p.direct.Load(); d != nil && d.send(b, seg, now) {
		return nil
	}
	v.route.Load().send(b, seg, p)
	return nil
}

// appendForward adds the packets in b, each with a header before it.
func appendForward(out []byte, h wire.Forward, b []byte, seg int) []byte {
	for len(b) > 0 {
		n := min(seg, len(b))
		out = append(h.Append(out), b[:n]...)
		b = b[n:]
	}
	return out
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
