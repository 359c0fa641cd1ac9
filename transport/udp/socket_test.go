package udp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept keeps what is not QUIC.
type kept struct {
	packets []string
	from    Addr
	batches int
}

func (k *kept) Receive(d Datagram) {
	for b := d.B; len(b) > 0; b = b[min(d.Seg, len(b)):] {
		k.packets = append(k.packets, string(b[:min(d.Seg, len(b))]))
	}
	k.from = d.Addr
}
func (k *kept) Flush() { k.batches++ }

// kinds are the ways a socket works.
var kinds = map[string]func(t *testing.T, addr string, r Receiver) *Socket{
	"with GRO and GSO": func(t *testing.T, addr string, r Receiver) *Socket { return listen(t, addr, r, Options{}) },
	"in batches":       func(t *testing.T, addr string, r Receiver) *Socket { return listen(t, addr, r, Options{Plain: true}) },
	"from its own thread": func(t *testing.T, addr string, r Receiver) *Socket {
		return listen(t, addr, r, Options{Dedicated: true})
	},
	"one at a time": func(t *testing.T, addr string, r Receiver) *Socket {
		c, err := net.ListenPacket("udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		s := New(struct{ net.PacketConn }{c}, r, Options{}) // hides that it is a UDP socket
		t.Cleanup(func() { s.Close() })
		return s
	},
}

func listen(t *testing.T, addr string, r Receiver, opt Options) *Socket {
	s, err := Listen("udp", addr, r, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPacketsAreToldApartAndComeWhole(t *testing.T) {
	for name, open := range kinds {
		for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
			t.Run(name+" "+addr, func(t *testing.T) {
				var in, none kept
				to, from := open(t, addr, &in), open(t, addr, &none)
				at := Addr{AddrPort: to.LocalAddr()}
				// Runs of equal packets, QUIC or not, the last one shorter: what GSO sends and GRO gathers.
				var want [2][]string
				for run := range 6 {
					first := byte(0x10 + 0x40*(run%2))
					var b []byte
					for i := range 8 {
						packet := bytes.Repeat([]byte{first}, 1000)
						copy(packet[1:], fmt.Sprint(run, i))
						if i == 7 {
							packet = packet[:100+run]
						}
						b = append(b, packet...)
						want[run%2] = append(want[run%2], string(packet))
					}
					if err := from.Send(Datagram{B: b, Seg: 1000, Addr: at}); err != nil {
						t.Fatal(err)
					}
				}
				got := readQUIC(t, to, len(want[1]))
				if !equal(got, want[1]) {
					t.Errorf("%d QUIC packets, %d sent, not the same", len(got), len(want[1]))
				}
				to.PacketConn().SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				_, _, err := to.PacketConn().ReadFrom(make([]byte, 2000)) // takes what is left of the others
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("reading on: %v", err)
				}
				if !equal(in.packets, want[0]) {
					t.Errorf("%d other packets, %d sent, not the same", len(in.packets), len(want[0]))
				}
				if in.from.AddrPort != from.LocalAddr() || in.batches == 0 {
					t.Errorf("from %v in %d batches", in.from, in.batches)
				}
			})
		}
	}
}

func readQUIC(t *testing.T, s *Socket, n int) []string {
	t.Helper()
	var got []string
	c := s.PacketConn()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for len(got) < n {
		b := make([]byte, 2000)
		m, _, err := c.ReadFrom(b)
		if err != nil {
			t.Fatalf("%d of %d packets: %v", len(got), n, err)
		}
		got = append(got, string(b[:m]))
	}
	return got
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestOneBatchGoesToManyAddresses(t *testing.T) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			var none kept
			from := open(t, "127.0.0.1:0", &none)
			var batch []Datagram
			var to []*Socket
			for i := range 5 {
				s := open(t, "127.0.0.1:0", &none)
				to = append(to, s)
				b := bytes.Repeat([]byte{0x40 + byte(i)}, 250)
				batch = append(batch, Datagram{B: b, Seg: 100, Addr: Addr{AddrPort: s.LocalAddr()}})
			}
			if err := from.Send(batch...); err != nil {
				t.Fatal(err)
			}
			for i, s := range to {
				got := readQUIC(t, s, 3)
				if got[0][0] != 0x40+byte(i) || len(got[0]) != 100 || len(got[2]) != 50 {
					t.Errorf("socket %d got %q", i, got)
				}
			}
		})
	}
}

func TestAnswersComeFromTheAddressThatWasAsked(t *testing.T) {
	var in kept
	s := listen(t, ":0", &in, Options{})
	port := s.LocalAddr().Port()
	asked := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port)
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(asked)) // takes packets from that address only
	if err != nil {
		t.Skip("no second loopback address here")
	}
	defer c.Close()
	if _, err := c.Write([]byte{0x10, 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte{0x40, 2}); err != nil {
		t.Fatal(err)
	}
	readQUIC(t, s, 1)
	if in.from.Local != asked.Addr() {
		t.Skipf("this system does not say which address was asked (%v)", in.from)
	}
	if err := s.Send(Datagram{B: []byte("answer"), Seg: 6, Addr: in.from}); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 10)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "answer" {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

// broken fails to send.
type broken struct {
	net.PacketConn
	err atomic.Pointer[error]
}

func (b *broken) WriteTo(p []byte, to net.Addr) (int, error) { return 0, *b.err.Load() }

func TestSendErrorsThatMayPassAreSwallowed(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broken{PacketConn: c}
	s := New(b, &kept{}, Options{})
	defer s.Close()
	to := net.UDPAddrFromAddrPort(s.LocalAddr())
	for _, e := range []struct {
		err   error
		quiet bool
	}{
		{errors.New("network is unreachable"), true},
		{os.ErrPermission, true},
		{errTooLong, false},
		{errNoOffload, false},
		{net.ErrClosed, false},
		{context.DeadlineExceeded, true},
		{os.ErrDeadlineExceeded, false},
	} {
		b.err.Store(&e.err)
		before := s.Swallowed()
		_, err := s.PacketConn().WriteTo([]byte{1}, to)
		if (err == nil) != e.quiet || (s.Swallowed() > before) != e.quiet {
			t.Errorf("%v: QUIC sees %v, %d swallowed", e.err, err, s.Swallowed()-before)
		}
		if err := s.Send(Datagram{B: []byte{1}, Seg: 1, Addr: Addr{AddrPort: s.LocalAddr()}}); (err != nil) != errors.Is(e.err, net.ErrClosed) {
			t.Errorf("%v: Send returns %v", e.err, err)
		}
	}
}

func TestABatchGoesOnAfterAPacketThatCannotBeSent(t *testing.T) {
	var none kept
	for _, plain := range []bool{false, true} {
		from, to := listen(t, "127.0.0.1:0", &none, Options{Plain: plain}), listen(t, "127.0.0.1:0", &none, Options{})
		good := Datagram{B: []byte{0x40, 1}, Seg: 2, Addr: Addr{AddrPort: to.LocalAddr()}}
		bad := good
		bad.Addr.AddrPort = netip.AddrPortFrom(to.LocalAddr().Addr(), 0) // udp(7): EINVAL
		if err := from.Send(good, bad, good); err != nil {
			t.Error(err)
		}
		readQUIC(t, to, 2)
		if from.Swallowed() == 0 {
			t.Error("port 0 was sent to")
		}
	}
}

func TestReadingEndsWhenTheSocketIsClosed(t *testing.T) {
	for name, open := range kinds {
		var none kept
		s := open(t, "127.0.0.1:0", &none)
		done := make(chan error)
		go func() {
			_, _, err := s.PacketConn().ReadFrom(make([]byte, 100))
			done <- err
		}()
		s.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Send(Datagram{B: []byte{1}, Seg: 1, Addr: Addr{AddrPort: s.LocalAddr()}}); err == nil {
			t.Errorf("%s: sent over a closed socket", name)
		}
	}
}
