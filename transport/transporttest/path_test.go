package transporttest_test

import (
	"io"
	"net"
	"testing"
	"time"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestEverythingFitsTheSmallestMTU(t *testing.T) {
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		c.Close()
	}
	r := transporttest.NewRelay(t, relay.Config{Listen: "[::1]:0"})
	narrow := transporttest.Conditions{MTU: 1280} // RFC 8200, 5
	host, console := transporttest.NewProxy(t, r.Addr(), narrow, 1), transporttest.NewProxy(t, r.Addr(), narrow, 2)
	p := transporttest.NewPair(t, host.Relay(r.Addr()), console.Relay(r.Addr()), transport.Options{})
	exchange(t, p, 1<<20)
	for _, path := range []*transporttest.Proxy{host, console} {
		if n := path.Longest.Load(); n < 1200+headers || n > 1280 {
			t.Errorf("the longest packet has %d bytes", n)
		}
		if n := path.Dropped.Load(); n != 0 {
			t.Errorf("%d packets did not fit", n)
		}
	}
}

const headers = 48 + wire.ForwardHeader

func TestLinkSurvivesLoss(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	bad := transporttest.NewProxy(t, r.Addr(), transporttest.Conditions{Loss: 0.03, Delay: 2 * time.Millisecond, Jitter: time.Millisecond}, 7)
	p := transporttest.NewPair(t, bad.Relay(r.Addr()), r.Addr(), transport.Options{})
	exchange(t, p, 256<<10)
	if bad.Dropped.Load() == 0 {
		t.Error("nothing was lost")
	}
}

func TestLinkSurvivesAnotherAddress(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	path := transporttest.NewProxy(t, r.Addr(), transporttest.Conditions{}, 1)
	p := transporttest.NewPair(t, r.Addr(), path.Relay(r.Addr()), transport.Options{})
	exchange(t, p, 64<<10)
	before := p.Console.Observed()
	path.Roam()
	ping(t, p)
	if now := p.Console.Observed(); !now.IsValid() || now == before {
		t.Errorf("observed at %v before and %v after", before, now)
	}
}

// ping sends a byte to the host and back.
func ping(t *testing.T, p *transporttest.Pair) {
	t.Helper()
	s, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamReport)
	if err != nil {
		t.Fatal(err)
	}
	_, back, err := p.HostLink.AcceptStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func TestLinkMovesToAnotherOuterConnection(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
	group := r.Server.NewGroup()
	first := transporttest.Dial(t, r.Addr(), consoleID, transport.Options{})
	host := open(t, transporttest.Dial(t, r.Addr(), hostID, transport.Options{}), join(t, group, 0))
	console := open(t, first, join(t, group, 1))
	p := transporttest.Join(t, host, hostID, console, consoleID)
	exchange(t, p, 64<<10)

	second := transporttest.Dial(t, r.Addr(), consoleID, transport.Options{})
	ch := join(t, group, 1) // as when a console comes back
	if err := console.Rebind(second, ch); err != nil {
		t.Fatal(err)
	}
	first.Close()
	ping(t, p)
	ch.Self = 9
	if err := console.Rebind(second, ch); err == nil {
		t.Error("became another peer")
	}
}

func join(t *testing.T, g *relay.Group, peer uint32) *wire.Channel {
	t.Helper()
	ch, err := g.Join(peer)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func open(t *testing.T, o *transport.Outer, ch *wire.Channel) *transport.Virtual {
	t.Helper()
	v, err := o.Open(ch)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEndsMeetOverBothFamilies(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{Listen: ":0"})
	_, port, err := net.SplitHostPort(r.Addr().Addr)
	if err != nil {
		t.Fatal(err)
	}
	at := func(ip string) transport.Relay {
		return transport.Relay{Addr: net.JoinHostPort(ip, port), Pin: r.Pin}
	}
	if c, err := net.ListenPacket("udp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		c.Close()
	}
	p := transporttest.NewPair(t, at("127.0.0.2"), at("::1"), transport.Options{})
	exchange(t, p, 1<<20)
	if a, b := p.Host.Observed(), p.Console.Observed(); !a.Addr().Is4() || b.Addr().Is4() {
		t.Errorf("host observed at %v, console at %v", a, b)
	}
}
