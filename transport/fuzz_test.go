package transport

import (
	"bytes"
	"net/netip"
	"testing"

	"assist/transport/udp"
	"assist/transport/wire"
)

// FuzzReceive gives an end whatever a relay can send it.
func FuzzReceive(f *testing.F) {
	relay := netip.MustParseAddrPort("192.0.2.1:443")
	secret := make([]byte, wire.SecretLen)
	f.Add(append(wire.Forward{Channel: 7, Peer: 1}.Append(nil), bytes.Repeat([]byte{0x40}, 50)...), 61)
	f.Add(bytes.Repeat(append(wire.Forward{Channel: 7, Peer: 1}.Append(nil), 0x40), 3), 12)
	f.Add(wire.BindAck{Channel: 7, Counter: 1, Observed: relay}.Append(nil, secret), 51)
	f.Add(wire.Challenge{Channel: 7, Counter: 1}.Append(nil, secret), 100)
	f.Add(wire.Rebind{Channel: 7}.Append(nil, secret), 100)
	f.Add(wire.Unknown{Channel: 7}.Append(nil), 100)
	f.Fuzz(func(t *testing.T, b []byte, seg int) {
		if len(b) == 0 || len(b) > 1<<16 || seg <= 0 || seg > 1<<16 {
			return
		}
		p := newPort()
		o := &Outer{relay: relay, port: p}
		v := newVirtual()
		r, err := newRoute(o, v, &wire.Channel{Id: 7, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		defer r.cancel()
		v.route.Store(r)
		p.attach(r)
		p.Receive(udp.Datagram{B: b, Seg: seg, Addr: udp.Addr{AddrPort: relay}})
		got, buf := 0, make([]byte, len(b))
		for more := len(v.in.filling.marks); more > 0; more-- {
			if err := v.in.wait(); err != nil {
				t.Fatal(err)
			}
			n, from := v.in.take(buf)
			if from == nil || n == 0 {
				t.Errorf("%d bytes from %v", n, from)
			}
			got += n
		}
		if got > len(b) {
			t.Errorf("%d bytes became %d", len(b), got)
		}
	})
}
