package transporttest_test

import (
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quic-go/quic-go/testutils/simnet"

	"assist/transport/relay"
	"assist/transport/transporttest"
)

// meter is a socket that counts what it sends.
type meter struct {
	net.PacketConn
	sent atomic.Int64
}

func (m *meter) WriteTo(b []byte, to net.Addr) (int, error) {
	m.sent.Add(1)
	return m.PacketConn.WriteTo(b, to)
}

// An end that nobody talks to keeps its connection to the relay and its address there, and says nothing else.
func TestRestIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := &simnet.Simnet{Router: &simnet.PerfectRouter{}}
		node := func(last byte) net.PacketConn {
			at := &net.UDPAddr{IP: net.IPv4(192, 0, 2, last).To4(), Port: 443}
			return world.NewEndpoint(at, simnet.NodeBiDiLinkSettings{Latency: 25 * time.Millisecond})
		}
		relayNode, host := node(1), &meter{PacketConn: node(2)}
		if err := world.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { world.Close() })
		r := transporttest.NewRelay(t, relay.Config{Conn: relayNode})
		transporttest.Host(t, transporttest.Dial(t, r.Addr(), transporttest.NewIdentity(t), over(host)))
		time.Sleep(5 * time.Second)
		before := host.sent.Load()
		time.Sleep(time.Minute)
		if n := host.sent.Load() - before; n < 6 || n > 16 {
			t.Fatalf("%d packets in a minute of rest", n)
		}
	})
}
