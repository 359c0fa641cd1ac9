package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"assist/transport/udp"
	"assist/transport/wire"
)

// where answers a question about its sender's address, if the rate of hints allows.
func (f *lane) where(d udp.Datagram) {
	nonce, err := wire.ParseWhere(d.B)
	if err != nil {
		f.count.malformed.Add(1)
		return
	}
	if f.hints.Allow() {
		f.answer(wire.AppendHere(nil, nonce, d.Addr.AddrPort), d.Addr)
	}
}

// second is a port beside the relay's, on which only such questions are answered: what a NAT shows there and here tells its kind.
type second struct {
	c   *net.UDPConn
	fwd *forwarder
}

func listenSecond(main netip.AddrPort, fwd *forwarder) (*second, error) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: main.Addr().AsSlice(), Zone: main.Addr().Zone()})
	if err != nil {
		return nil, err
	}
	return &second{c, fwd}, nil
}

func (s *second) port() uint16 { return s.c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// run answers until ctx ends.
func (s *second) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { _ = s.c.Close() })
	defer stop()
	b := make([]byte, 2048)
	for {
		n, from, err := s.c.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		nonce, bad := wire.ParseWhere(b[:n])
		if err != nil || bad != nil || !s.fwd.hints.Allow() {
			continue
		}
		at := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		_, _ = s.c.WriteToUDPAddrPort(wire.AppendHere(nil, nonce, at), from) // asked again when it is lost
	}
}

// SecondPort is the port of Where questions beside the one of Addr; 0 where there is none.
func (s *Server) SecondPort() uint16 {
	if s.second == nil {
		return 0
	}
	return s.second.port()
}
