package relay

import (
	"bytes"
	"net/netip"
	"testing"

	"assist/transport/udp"
	"assist/transport/wire"
)

// FuzzReceive gives the forwarder whatever can come from the network. Whatever it answers is not more than it got, and what
// it forwards goes to a bound end only.
func FuzzReceive(f *testing.F) {
	from := netip.MustParseAddrPort("192.0.2.1:1000")
	bound := netip.MustParseAddrPort("192.0.2.2:2000")
	build := func() (*lane, *end, *end) {
		fwd := newForwarder()
		lane := fwd.newLane()
		g := &Group{fwd: fwd, peers: map[uint16]*end{}}
		host := &end{group: g, peer: 0, channel: 1, secret: make([]byte, wire.SecretLen)}
		console := &end{group: g, peer: 1, channel: 2, secret: make([]byte, wire.SecretLen)}
		fwd.channels[1], fwd.channels[2] = host, console
		g.peers[0], g.peers[1] = host, console
		host.addr.Store(&whereabouts{lane, udp.Addr{AddrPort: from}})
		console.addr.Store(&whereabouts{lane, udp.Addr{AddrPort: bound}})
		return lane, host, console
	}
	secret := make([]byte, wire.SecretLen)
	f.Add(append(wire.Forward{Channel: 1, Peer: 1}.Append(nil), bytes.Repeat([]byte{0x40}, 50)...), 30)
	f.Add(append(wire.Forward{Channel: 2, Peer: 0}.Append(nil), bytes.Repeat([]byte{0x40}, 50)...), 1200)
	f.Add(wire.Bind{Channel: 2, Counter: 5}.Append(nil, secret), 100)
	f.Add(bytes.Repeat(wire.Bind{Channel: 9, Counter: 5}.Append(nil, secret), 3), 51)
	f.Fuzz(func(t *testing.T, b []byte, seg int) {
		if len(b) == 0 || len(b) > 1<<16 || seg <= 0 || seg > 1<<16 {
			return
		}
		lane, _, _ := build()
		lane.Receive(udp.Datagram{B: bytes.Clone(b), Seg: seg, Addr: udp.Addr{AddrPort: from}})
		out := 0
		for _, d := range lane.out {
			out += len(d.B)
			if at := d.Addr.AddrPort; at != from && at != bound {
				t.Errorf("sends to %v", at)
			}
		}
		if out > len(b) {
			t.Errorf("%d bytes are answered by %d", len(b), out)
		}
	})
}
