package relay_test

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a relay and its counters.
type rig struct {
	*transporttest.Relay
	metrics *prometheus.Registry
	group   *relay.Group
}

func newRig(t *testing.T) rig {
	reg := prometheus.NewRegistry()
	r := transporttest.NewRelay(t, relay.Config{Registerer: reg})
	return rig{r, reg, r.Server.NewGroup()}
}

// count is the value of a metric, all labels together unless one is given.
func (r rig) count(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var n float64
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "assist_relay_"+name && (label == "" || m.Label[0].GetValue() == label) {
				n += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return n
}

// peer is an end that speaks packets by hand.
type peer struct {
	t  *testing.T
	c  *net.UDPConn
	ch *wire.Channel
	n  uint64
}

func (r rig) socket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(r.Server.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (r rig) join(t *testing.T, number uint32) *peer {
	t.Helper()
	ch, err := r.group.Join(number)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t: t, c: r.socket(t), ch: ch}
}

func (p *peer) send(b []byte) {
	p.t.Helper()
	if _, err := p.c.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// read is the next packet, nil if none comes for a while.
func (p *peer) read(patience time.Duration) []byte {
	p.t.Helper()
	p.c.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2048)
	n, err := p.c.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

const (
	soon  = 10 * time.Second       // it comes, however busy the machine is
	quiet = 100 * time.Millisecond // it does not come
)

func (p *peer) next() []byte {
	p.t.Helper()
	b := p.read(soon)
	if b == nil {
		p.t.Fatal("no answer")
	}
	return b
}

func (p *peer) bindWith(token [wire.TokenLen]byte) {
	p.n++
	p.send(wire.Bind{Channel: p.ch.Id, Counter: p.n, Token: token}.Append(nil, p.ch.Secret))
}

// bind binds the address and returns where the relay sees it.
func (p *peer) bind() netip.AddrPort {
	p.t.Helper()
	p.bindWith([wire.TokenLen]byte{})
	c, err := wire.ParseChallenge(p.next())
	if err != nil {
		p.t.Fatal(err)
	}
	p.bindWith(c.Token)
	b := p.next()
	ack, err := wire.ParseBindAck(b)
	if err != nil || !wire.Authentic(b, p.ch.Secret) || ack.Counter != p.n {
		p.t.Fatalf("ack %+v, %v", ack, err)
	}
	return ack.Observed
}

func (p *peer) forward(to uint16, payload string) []byte {
	return append(wire.Forward{Channel: p.ch.Id, Peer: to}.Append(nil), payload...)
}

// long is a payload longer than any hint.
const long = "a packet that is longer than a hint"

func (p *peer) wantPacket(from uint16, payload string) {
	p.t.Helper()
	b := p.next()
	h, err := wire.ParseForward(b)
	if err != nil || h.Channel != p.ch.Id || h.Peer != from || string(b[wire.ForwardHeader:]) != payload {
		p.t.Fatalf("got %x (%+v, %v), want %q from %d", b, h, err, payload, from)
	}
}

func TestPacketsGoBetweenHostAndConsolesOnly(t *testing.T) {
	r := newRig(t)
	host, one, two := r.join(t, 0), r.join(t, 1), r.join(t, 2)
	for _, p := range []*peer{host, one, two} {
		if at := p.bind(); at.String() != p.c.LocalAddr().String() {
			t.Errorf("%v is observed as %v", p.c.LocalAddr(), at)
		}
	}
	one.send(one.forward(0, "up"))
	host.wantPacket(1, "up")
	host.send(host.forward(1, "down one"))
	host.send(host.forward(2, "down two"))
	one.wantPacket(0, "down one")
	two.wantPacket(0, "down two")

	one.send(one.forward(2, long)) // console to console
	one.send(one.forward(7, long)) // nobody
	one.send(one.forward(0, "last"))
	host.wantPacket(1, "last")
	if b := two.read(quiet); b != nil {
		t.Errorf("a console got %x from another", b)
	}
	if n := r.count(t, "dropped_packets_total", "no_peer"); n != 2 {
		t.Errorf("%v packets without a peer, want 2", n)
	}
	if n := r.count(t, "forwarded_packets_total", ""); n != 4 {
		t.Errorf("%v packets forwarded, want 4", n)
	}
}

func TestForgedAndReplayedBindsAreIgnored(t *testing.T) {
	r := newRig(t)
	host, console := r.join(t, 0), r.join(t, 1)
	host.bind()
	console.bind()
	thief := &peer{t: t, c: r.socket(t), ch: console.ch}

	recorded := wire.Bind{Channel: console.ch.Id, Counter: console.n}.Append(nil, console.ch.Secret)
	thief.send(recorded)
	older := wire.Bind{Channel: console.ch.Id, Counter: 0}.Append(nil, console.ch.Secret)
	thief.send(older)
	forged := wire.Bind{Channel: console.ch.Id, Counter: 1 << 40}.Append(nil, bytes.Repeat([]byte{1}, wire.SecretLen))
	thief.send(forged)
	thief.send(forged[:20])
	if b := thief.read(quiet); b != nil {
		t.Errorf("the thief got %x", b)
	}
	host.send(host.forward(1, "for the console"))
	console.wantPacket(0, "for the console")
	for label, want := range map[string]float64{"replayed": 2, "forged": 1} {
		if n := r.count(t, "binds_total", label); n != want {
			t.Errorf("%v %s binds, want %v", n, label, want)
		}
	}
	if n := r.count(t, "dropped_packets_total", "malformed"); n != 1 {
		t.Errorf("%v malformed packets, want 1", n)
	}
}

func TestAnAddressIsBoundOnlyWhenItReceives(t *testing.T) {
	r := newRig(t)
	host, console := r.join(t, 0), r.join(t, 1)
	host.bind()
	console.bindWith([wire.TokenLen]byte{}) // the challenge goes to the address that is claimed
	first, err := wire.ParseChallenge(console.next())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &peer{t: t, c: r.socket(t), ch: console.ch, n: console.n}
	elsewhere.bindWith(first.Token) // a token of another address
	again, err := wire.ParseChallenge(elsewhere.next())
	if err != nil || again.Token == first.Token {
		t.Fatalf("challenge %+v, %v", again, err)
	}
	host.send(host.forward(1, long))
	if b := console.read(quiet); b != nil {
		t.Errorf("forwarded to an address that has not answered: %x", b)
	}
}

func TestUnboundAddressesGetFewAndShortHints(t *testing.T) {
	r := newRig(t)
	console := r.join(t, 1)
	stranger := &peer{t: t, c: r.socket(t), ch: &wire.Channel{Id: 12345}}

	console.send(console.forward(0, long))
	b := console.next()
	if h, err := wire.ParseRebind(b); err != nil || h.Channel != console.ch.Id || !wire.Authentic(b, console.ch.Secret) {
		t.Errorf("hint %x, %v", b, err)
	}
	console.send(console.forward(0, long)) // at once again
	if b := console.read(quiet / 4); b != nil {
		t.Errorf("hinted twice at once: %x", b)
	}
	const flood = 2000
	sent, got := 0, 0
	for range flood {
		packet := stranger.forward(0, long)
		stranger.send(packet)
		sent += len(packet)
	}
	for b := stranger.read(quiet); b != nil; b = stranger.read(quiet) {
		if h, err := wire.ParseUnknown(b); err != nil || h.Channel != 12345 {
			t.Errorf("hint %x, %v", b, err)
		}
		got += len(b)
	}
	if got == 0 || got > sent/10 {
		t.Errorf("%d bytes answered %d", got, sent)
	}
	stranger.send(stranger.forward(0, "short"))
	if b := stranger.read(quiet); b != nil {
		t.Errorf("a short packet is answered by %x", b)
	}
}

func TestWhoLeavesIsNotReached(t *testing.T) {
	r := newRig(t)
	host, console := r.join(t, 0), r.join(t, 1)
	host.bind()
	console.bind()
	again := r.join(t, 1) // the same console comes back
	again.bind()
	host.send(host.forward(1, "to the new one"))
	again.wantPacket(0, "to the new one")
	console.send(console.forward(0, long))
	if _, err := wire.ParseUnknown(console.next()); err != nil {
		t.Errorf("the old channel: %v", err)
	}
	r.group.Leave(1)
	host.send(host.forward(1, long))
	if b := again.read(quiet); b != nil {
		t.Errorf("after it left: %x", b)
	}
	if n := r.count(t, "channels", ""); n != 1 {
		t.Errorf("%v channels, want 1", n)
	}
	r.group.Close()
	if _, err := r.group.Join(3); err == nil {
		t.Error("joined a closed group")
	}
	if n := r.count(t, "channels", ""); n != 0 {
		t.Errorf("%v channels, want 0", n)
	}
	if _, err := r.Server.NewGroup().Join(1 << 16); err == nil {
		t.Error("peer 65536 joined")
	}
}

// TestPacketsWaitForABind: who is told that the other end is there may be quicker than that end's bind.
func TestPacketsWaitForABind(t *testing.T) {
	r := newRig(t)
	host, console := r.join(t, 0), r.join(t, 1)
	console.bind()
	console.send(console.forward(0, strings.Repeat("x", 1500))) // too long to be kept
	for _, text := range []string{"one", "two", "three", "four", "five"} {
		console.send(console.forward(0, text))
	}
	console.bind() // answered: what was sent before has been seen
	host.bind()
	for _, text := range []string{"one", "two", "three", "four"} {
		host.wantPacket(1, text)
	}
	if b := host.read(quiet); b != nil {
		t.Errorf("more than wait came: %q", b)
	}
	if n := r.count(t, "dropped_packets_total", "no_peer"); n != 2 {
		t.Errorf("%v packets were dropped", n)
	}
	host.bind()
	if b := host.read(quiet); b != nil {
		t.Errorf("another bind brings %q", b)
	}
	console.send(console.forward(0, "six"))
	host.wantPacket(1, "six")
}
