package transport

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// wireTap is a socket that keeps what is sent.
type wireTap struct {
	net.PacketConn
	sent []tapped
}

type tapped struct {
	b  []byte
	to netip.AddrPort
}

func (w *wireTap) WriteTo(b []byte, to net.Addr) (int, error) {
	w.sent = append(w.sent, tapped{bytes.Clone(b), to.(*net.UDPAddr).AddrPort()})
	return len(b), nil
}
func (w *wireTap) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 9} }

// tapDirect is an end whose packets are seen; the other end's tag is 7, its own 9.
func tapDirect(t testing.TB) (*direct, *port, *wireTap) {
	t.Helper()
	tap := &wireTap{}
	p := newPort()
	p.sock = udp.New(tap, p, udp.Options{})
	d := &direct{
		v: newVirtual(), peer: newPeer(1), secret: bytes.Repeat([]byte{3}, wire.SecretLen), tag: 9, poke: make(chan struct{}, 1),
		seen: map[netip.AddrPort]time.Time{}, sent: map[uint64]probe{}, port: p,
	}
	d.hear(wire.Whereabouts{Seq: 1, Tag: 7, At: []netip.AddrPort{friend}}.Append(nil))
	p.know(d)
	return d, p, tap
}

var friend, stranger = netip.MustParseAddrPort("198.51.100.1:1000"), netip.MustParseAddrPort("203.0.113.66:666")

func arrive(p *port, b []byte, from netip.AddrPort) {
	p.Receive(udp.Datagram{B: bytes.Clone(b), Seg: len(b), Addr: udp.Addr{AddrPort: from}})
}

func TestProbesOfOthersAreNotAnswered(t *testing.T) {
	d, p, tap := tapDirect(t)
	relays := bytes.Repeat([]byte{4}, wire.SecretLen) // a channel's secret, which the relay has
	for name, b := range map[string][]byte{
		"forged":       wire.Probe{Tag: 9, Counter: 5}.Append(nil, relays),
		"another tag":  wire.Probe{Tag: 8, Counter: 5}.Append(nil, d.secret),
		"cut":          wire.Probe{Tag: 9, Counter: 5}.Append(nil, d.secret)[:40],
		"a forged ack": wire.ProbeAck{Tag: 9, Counter: 5, Observed: stranger}.Append(nil, relays),
	} {
		if arrive(p, b, stranger); len(tap.sent) > 0 || len(d.seen) > 0 || len(d.answers) > 0 {
			t.Errorf("%s: %v", name, tap.sent)
		}
	}
	good := wire.Probe{Tag: 9, Counter: 6}.Append(nil, d.secret)
	arrive(p, good, friend)
	if len(tap.sent) != 1 || tap.sent[0].to != friend || len(tap.sent[0].b) > len(good) {
		t.Fatalf("an authentic probe: %v", tap.sent)
	}
	ack, err := wire.ParseProbeAck(tap.sent[0].b)
	if err != nil || ack != (wire.ProbeAck{Tag: 7, Counter: 6, Observed: friend}) || !wire.Authentic(tap.sent[0].b, d.secret) {
		t.Errorf("%+v, %v", ack, err)
	}
	arrive(p, good, stranger) // recorded, and sent from elsewhere
	arrive(p, wire.Probe{Tag: 9, Counter: 3}.Append(nil, d.secret), stranger)
	if len(tap.sent) != 1 || d.takes(stranger) {
		t.Errorf("a recorded probe was answered: %v", tap.sent[1:])
	}
}

func TestAcksCountFromWhereTheProbeWent(t *testing.T) {
	d, p, _ := tapDirect(t)
	s := &seeker{direct: d}
	s.ask(time.Now(), p, friend)
	counter := d.counter
	ack := wire.ProbeAck{Tag: 9, Counter: counter, Observed: friend}.Append(nil, d.secret)
	arrive(p, ack, stranger)
	arrive(p, wire.ProbeAck{Tag: 9, Counter: counter + 1, Observed: friend}.Append(nil, d.secret), friend) // never asked
	if len(d.answers) > 0 {
		t.Fatalf("%v", d.answers)
	}
	s.ask(time.Now(), p, friend)
	arrive(p, wire.ProbeAck{Tag: 9, Counter: d.counter, Observed: friend}.Append(nil, d.secret), friend)
	if len(d.answers) != 1 || d.answers[0].from != friend {
		t.Errorf("%v", d.answers)
	}
}

// Packets with the right tag from an address that was not proven go nowhere.
func TestDirectPacketsNeedAProvenAddress(t *testing.T) {
	d, p, _ := tapDirect(t)
	packet := append(wire.Forward{Channel: 9}.Append(nil), 0x40, 1, 2, 3)
	arrive(p, packet, stranger)
	if n := len(d.v.in.filling.marks); n != 0 {
		t.Errorf("%d packets of a stranger", n)
	}
	arrive(p, wire.Probe{Tag: 9, Counter: 1}.Append(nil, d.secret), friend)
	arrive(p, packet, friend)
	if n := len(d.v.in.filling.marks); n != 1 {
		t.Errorf("%d packets of the other end", n)
	}
}

// Whoever is at the other end of a link cannot have this one probe what is not another machine, nor more than a few addresses.
func TestWhatIsProbed(t *testing.T) {
	d, _, _ := tapDirect(t)
	odd := []string{"127.0.0.1:22", "[::1]:22", "0.0.0.0:1", "224.0.0.1:1", "255.255.255.255:1", "[fe80::1]:1", "192.0.2.1:0", "192.0.2.7:7"}
	var at []netip.AddrPort
	for _, a := range odd {
		at = append(at, netip.MustParseAddrPort(a))
	}
	d.hear(wire.Whereabouts{Seq: 2, Tag: 7, At: at}.Append(nil))
	if got := (&seeker{direct: d}).targets(); !slices.Equal(got, at[7:]) {
		t.Errorf("%v", got)
	}
	d.hear(wire.Whereabouts{Seq: 1, Tag: 6, At: []netip.AddrPort{stranger}}.Append(nil)) // older
	if d.told.Tag != 7 {
		t.Error("older whereabouts count")
	}
	for i := range 50 {
		d.theirs = 0
		arrive(d.port, wire.Probe{Tag: 9, Counter: 1}.Append(nil, d.secret), netip.AddrPortFrom(stranger.Addr(), uint16(i+1)))
	}
	if len(d.seen) > maxSeen {
		t.Errorf("%d addresses", len(d.seen))
	}
}

func FuzzDirect(f *testing.F) {
	secret := bytes.Repeat([]byte{3}, wire.SecretLen)
	f.Add(wire.Probe{Tag: 9, Counter: 5}.Append(nil, secret))
	f.Add(wire.ProbeAck{Tag: 9, Counter: 5, Observed: friend}.Append(nil, secret))
	f.Add(append(wire.Forward{Channel: 9}.Append(nil), 0x40))
	f.Add(wire.Whereabouts{Seq: 5, Heard: 1, Tag: 3, At: []netip.AddrPort{friend}}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		d, p, tap := tapDirect(t)
		arrive(p, b, stranger)
		for _, s := range tap.sent {
			if len(s.b) > len(b) || s.to != stranger {
				t.Errorf("%x is answered by %x to %v", b, s.b, s.to)
			}
		}
		d.hear(b)
		if w, err := wire.ParseWhereabouts(b); err == nil {
			if again, err := wire.ParseWhereabouts(w.Append(nil)); err != nil || again.Tag != w.Tag || !slices.Equal(again.At, w.At) {
				t.Errorf("%x: %+v, then %+v %v", b, w, again, err)
			}
		}
	})
}
