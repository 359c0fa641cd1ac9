package transporttest_test

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
)

// cable is a socket that can be unplugged.
type cable struct {
	net.PacketConn
	out atomic.Bool
}

func (c *cable) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.out.Load() {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func over(c net.PacketConn) transport.Options {
	return transport.Options{Open: func() (net.PacketConn, error) { return c, nil }}
}

// simulate runs a test on virtual time with a relay, a host and a console, 25 ms from each other.
func simulate(t *testing.T, test func(t *testing.T, p *transporttest.Pair, host *cable)) {
	synctest.Test(t, func(t *testing.T) {
		world := &simnet.Simnet{Router: &simnet.PerfectRouter{}}
		node := func(last byte) net.PacketConn {
			at := &net.UDPAddr{IP: net.IPv4(192, 0, 2, last).To4(), Port: 443}
			return world.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Latency: 25 * time.Millisecond})
		}
		relayNode, hostNode, consoleNode := node(1), &cable{PacketConn: node(2)}, node(3)
		if err := world.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { world.Close() })
		r := transporttest.NewRelay(t, relay.Config{Conn: relayNode})
		hostID, consoleID := transporttest.NewIdentity(t), transporttest.NewIdentity(t)
		code, host := transporttest.Host(t, transporttest.Dial(t, r.Addr(), hostID, over(hostNode)))
		console := transporttest.Console(t, transporttest.Dial(t, r.Addr(), consoleID, over(consoleNode)), code)
		test(t, transporttest.Join(t, host, hostID, console, consoleID), hostNode)
	})
}

func TestSilenceIsNoticed(t *testing.T) {
	simulate(t, func(t *testing.T, p *transporttest.Pair, host *cable) {
		for range 30 {
			time.Sleep(1700 * time.Millisecond)
			for who, l := range map[string]*transport.Link{"host": p.HostLink, "console": p.ConsoleLink} {
				if ago := time.Since(l.Stats().LastHeard); ago > 2500*time.Millisecond {
					t.Errorf("%s has heard nothing for %v, and nobody is silent", who, ago)
				}
			}
		}
		if rtt := p.ConsoleLink.Stats().RTT; rtt < 50*time.Millisecond || rtt > 150*time.Millisecond {
			t.Errorf("RTT %v over a path of 100 ms", rtt)
		}
		host.out.Store(true)
		time.Sleep(3 * time.Second)
		if ago := time.Since(p.ConsoleLink.Stats().LastHeard); ago < 2900*time.Millisecond || ago > 5500*time.Millisecond {
			t.Errorf("3 s after the host went silent, the last heartbeat is %v old", ago)
		}
		if err := p.ConsoleLink.Err(); err != nil {
			t.Errorf("given up after 3 s: %v", err)
		}
		started := time.Now()
		<-p.ConsoleLink.Done()
		if took := time.Since(started); took < 110*time.Second || took > 130*time.Second || !errors.Is(p.ConsoleLink.Err(), transport.ErrSilent) {
			t.Errorf("given up after %v: %v", took, p.ConsoleLink.Err())
		}
	})
}

func TestLinkOutlivesTwoMinutesOfQuiet(t *testing.T) {
	simulate(t, func(t *testing.T, p *transporttest.Pair, _ *cable) {
		time.Sleep(20 * time.Minute)
		if err := errors.Join(p.ConsoleLink.Err(), p.HostLink.Err()); err != nil {
			t.Error(err)
		}
		exchange(t, p, 64<<10)
	})
}

func TestLinkOutlivesAMinuteWithoutNetwork(t *testing.T) {
	simulate(t, func(t *testing.T, p *transporttest.Pair, host *cable) {
		host.out.Store(true)
		time.Sleep(time.Minute) // the outer connection of the host ends in this time, its channel with it at this broker
		host.out.Store(false)
		if err := errors.Join(p.ConsoleLink.Err(), p.HostLink.Err()); err != nil {
			t.Error(err)
		}
	})
}
