package transporttest_test

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

const oneWay = 25 * time.Millisecond

var relayIP = netip.MustParseAddr("192.0.2.1")

// internet is a relay, a host and a console behind boxes of those kinds, with a link that was made through the relay.
func internet(t *testing.T, host, console transporttest.NAT, path transport.Path, test func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair)) {
	synctest.Test(t, func(t *testing.T) {
		n := transporttest.NewInternet(t, oneWay)
		end := func(i byte, kind transporttest.NAT) transport.Options {
			public := netip.AddrFrom4([4]byte{198, 51, 100, i})
			own := public
			if kind != transporttest.Open {
				own = netip.AddrFrom4([4]byte{10, 0, i, 2})
			}
			return transport.Options{Path: path, Open: func() (net.PacketConn, error) {
				return n.Listen(netip.AddrPortFrom(own, 4000), public, kind), nil
			}}
		}
		r := transporttest.NewRelay(t, relay.Config{Conn: n.Listen(netip.AddrPortFrom(relayIP, 443), relayIP, transporttest.Open)})
		at := transport.Relay{Addr: "192.0.2.1:443", Pin: r.Pin}
		hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
		code, h := transporttest.Host(t, transporttest.Dial(t, at, hostID, end(1, host)))
		c := transporttest.Console(t, transporttest.Dial(t, at, consoleID, end(2, console)), code)
		p := transporttest.Join(t, h, hostID, c, consoleID)
		t.Cleanup(h.Close)
		t.Cleanup(c.Close)
		p.HostLink.SeekDirect()
		p.ConsoleLink.SeekDirect()
		test(t, n, p)
	})
}

// within waits until both ends say that their path is that one.
func within(t *testing.T, limit time.Duration, p *transporttest.Pair, path transport.Path) time.Duration {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		took := time.Since(began)
		if p.HostLink.Stats().Path == path && p.ConsoleLink.Stats().Path == path {
			return took
		}
		if took > limit {
			t.Fatalf("host %+v, console %+v after %v", p.HostLink.Stats(), p.ConsoleLink.Stats(), took)
		}
	}
}

func TestDirectBetweenBoxes(t *testing.T) {
	for name, kinds := range map[string][2]transporttest.NAT{
		"two cones":          {transporttest.Cone, transporttest.Cone},
		"no box":             {transporttest.Open, transporttest.Open},
		"a cone and none":    {transporttest.Cone, transporttest.Open},
		"symmetric and none": {transporttest.Symmetric, transporttest.Open},
		"none and symmetric": {transporttest.Open, transporttest.Symmetric},
	} {
		t.Run(name, func(t *testing.T) {
			internet(t, kinds[0], kinds[1], transport.PathAuto, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
				took := within(t, 3*4*oneWay, p, transport.PathDirect)
				t.Logf("direct after %v, a round trip through the relay is %v", took, 4*oneWay)
				exchange(t, p, 64<<10)
				time.Sleep(time.Second)
				before := n.Passed(relayIP)
				exchange(t, p, 256<<10)
				if through := n.Passed(relayIP) - before; through > 4 {
					t.Errorf("%d packets came through the relay", through)
				}
				if s := p.ConsoleLink.Stats(); s.Changed.Path != transport.PathDirect || s.RTT > 4*oneWay {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestTwoSymmetricBoxesStayRelayed(t *testing.T) {
	internet(t, transporttest.Symmetric, transporttest.Symmetric, transport.PathAuto, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
		time.Sleep(20 * time.Second)
		exchange(t, p, 64<<10)
		if s := p.ConsoleLink.Stats(); s.Path != transport.PathRelay {
			t.Errorf("%+v", s)
		}
	})
}

func TestPinnedToTheRelayTellsNobody(t *testing.T) {
	internet(t, transporttest.Open, transporttest.Open, transport.PathRelay, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
		time.Sleep(5 * time.Second)
		exchange(t, p, 64<<10)
		if s := p.HostLink.Stats(); s.Path != transport.PathRelay {
			t.Errorf("%+v", s)
		}
	})
}

func TestPinnedToTheDirectPath(t *testing.T) {
	internet(t, transporttest.Cone, transporttest.Cone, transport.PathDirect, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
		within(t, time.Second, p, transport.PathDirect)
		time.Sleep(20 * time.Second)
		n.Cut(netip.MustParseAddr("198.51.100.1"), relayIP) // nothing goes there any more
		exchange(t, p, 64<<10)
		if p.HostLink.Stranded() || p.ConsoleLink.Stranded() {
			t.Error("stranded on a direct path")
		}
	})
	internet(t, transporttest.Symmetric, transporttest.Symmetric, transport.PathDirect, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
		exchange(t, p, 64<<10) // by the relay, for a while
		time.Sleep(7 * time.Second)
		if p.HostLink.Stranded() || p.ConsoleLink.Stranded() {
			t.Error("given up too early")
		}
		time.Sleep(4 * time.Second)
		if !p.HostLink.Stranded() || !p.ConsoleLink.Stranded() {
			t.Error("nobody says that there is no way")
		}
	})
}

func TestDirectPathIsCut(t *testing.T) {
	internet(t, transporttest.Cone, transporttest.Cone, transport.PathAuto, func(t *testing.T, n *transporttest.Internet, p *transporttest.Pair) {
		within(t, time.Second, p, transport.PathDirect)
		s, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamReport)
		if err != nil {
			t.Fatal(err)
		}
		_, echo, err := p.HostLink.AcceptStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := echo.Read(b); err != nil {
					return
				}
				echo.Write(b)
			}
		}()
		n.Cut(netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"))
		worst, b := time.Duration(0), []byte{1}
		for range 200 { // typing goes on
			began := time.Now()
			s.Write(b)
			if _, err := s.Read(b); err != nil {
				t.Fatal(err)
			}
			worst = max(worst, time.Since(began))
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("the longest gap is %v", worst)
		if worst > time.Second {
			t.Errorf("a gap of %v", worst)
		}
		within(t, time.Second, p, transport.PathRelay)
		if why := p.ConsoleLink.Stats().Changed.Why; why != "the direct path gave no answer" {
			t.Error(why)
		}
		s.Close()
	})
}
