package udp

import (
	"net"
	"time"
)

// plain moves one packet a call over any net.PacketConn.
type plain struct {
	pc  net.PacketConn
	buf []byte // owned by the reading goroutine
}

func newPlain(pc net.PacketConn) *plain {
	if c, ok := pc.(interface{ SetReadBuffer(int) error }); ok {
		_ = c.SetReadBuffer(kernelBuffer) // less than asked for is what the system allows
	}
	return &plain{pc: pc, buf: make([]byte, maxPacket)}
}

func (p *plain) batch() int { return 1 }

func (p *plain) read(in []received) (int, error) {
	for {
		n, from, err := p.pc.ReadFrom(p.buf)
		if err != nil {
			return 0, err
		}
		u, ok := from.(*net.UDPAddr)
		if n == 0 || !ok {
			continue
		}
		in[0] = received{Datagram{p.buf[:n], n, Addr{AddrPort: addrPort(u)}}, nil}
		return 1, nil
	}
}

func (p *plain) send(ds []Datagram) error {
	var first error
	for _, d := range ds {
		to := net.UDPAddrFromAddrPort(d.Addr.AddrPort)
		for b := d.B; len(b) > 0; {
			n := min(d.Seg, len(b))
			if _, err := p.pc.WriteTo(b[:n], to); err != nil && first == nil {
				first = err
			}
			b = b[n:]
		}
	}
	return first
}

func (p *plain) view(s *Socket) net.PacketConn { return plainConn{s} }

// plainConn is a Socket as quic-go's simplest kind of connection.
type plainConn struct{ s *Socket }

func (c plainConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if err := c.s.next(); err != nil {
		return 0, nil, err
	}
	r := c.s.take(1)[0]
	return copy(b, r.B), net.UDPAddrFromAddrPort(r.Addr.AddrPort), nil
}

func (c plainConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if !c.s.calm.Pass(b, time.Now()) {
		return len(b), nil
	}
	n, err := c.s.pc.WriteTo(b, to)
	if transientSend(err) {
		c.s.swallowed.Add(1)
		return len(b), nil
	}
	return n, err
}

func (c plainConn) Close() error                       { return c.s.Close() }
func (c plainConn) LocalAddr() net.Addr                { return c.s.pc.LocalAddr() }
func (c plainConn) SetDeadline(t time.Time) error      { return c.s.pc.SetDeadline(t) }
func (c plainConn) SetReadDeadline(t time.Time) error  { return c.s.pc.SetReadDeadline(t) }
func (c plainConn) SetWriteDeadline(t time.Time) error { return c.s.pc.SetWriteDeadline(t) }

// quic-go asks for larger buffers; newPlain has asked already.
func (c plainConn) SetReadBuffer(int) error  { return nil }
func (c plainConn) SetWriteBuffer(int) error { return nil }
