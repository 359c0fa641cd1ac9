package transporttest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

// lossyPair is a link over a line that loses some of the packets both ways.
func lossyPair(t *testing.T, loss float64) *transporttest.Pair {
	t.Helper()
	r := transporttest.NewRelay(t, relay.Config{})
	bad := transporttest.NewProxy(t, r.Addr(), transporttest.Conditions{Delay: 5 * time.Millisecond, Loss: loss}, 1)
	return transporttest.NewPair(t, bad.Relay(r.Addr()), r.Addr(), transport.Options{})
}

// fileStreams are the two ends of a stream for a file, not striped yet.
func fileStreams(t *testing.T, p *transporttest.Pair) (host, console transport.Stream) {
	t.Helper()
	console, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, host, err = p.HostLink.AcceptStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	return host, console
}

// joinLanes takes links as a host does, and says how many became lanes when the listener is closed.
func joinLanes(t *testing.T, p *transporttest.Pair) (lanes chan int) {
	lanes = make(chan int, 1)
	go func() {
		n := 0
		for {
			k, err := p.Listener.Accept(t.Context())
			if err != nil {
				lanes <- n
				return
			}
			if kind, s, err := k.AcceptStream(t.Context()); err == nil && kind == wire.StreamLane && k.Join(s) == nil {
				n++
			}
		}
	}()
	return lanes
}

func random(n int) []byte {
	dice := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], dice.Uint64())
	}
	return b
}

func TestStripedStreamSpreadsWhereThePathIsLossy(t *testing.T) {
	for _, c := range []struct {
		name string
		loss float64
		up   bool
	}{{"to the host", 0.02, true}, {"to the console", 0.02, false}, {"nothing is lost", 0, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := lossyPair(t, c.loss)
			host, console := fileStreams(t, p)
			from, to := transport.Stripe(host, transport.Bulk), transport.Stripe(console, transport.Bulk)
			if c.up {
				from, to = to, from
			}
			lanes := joinLanes(t, p)
			sent := random(4 << 20)
			failed := make(chan error, 1)
			go func() {
				for at := 0; at < len(sent); at += 64 << 10 {
					time.Sleep(30 * time.Millisecond) // long enough to see a second of losses, and no socket loses any by itself
					if _, err := from.Write(sent[at : at+64<<10]); err != nil {
						failed <- err
						return
					}
				}
				failed <- from.Close()
			}()
			got, err := io.ReadAll(to)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
			}
			if err := <-failed; err != nil {
				t.Error(err)
			}
			_ = to.Close()
			if n, err := from.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("the way back: %d bytes, %v", n, err)
			}
			p.Listener.Close()
			if n := <-lanes; (n > 0) != (c.loss > 0) || n > 7 {
				t.Errorf("%d lanes", n)
			}
		})
	}
}

func TestStripedStreamIsGivenUp(t *testing.T) {
	p := lossyPair(t, 0)
	host, console := fileStreams(t, p)
	up, down := transport.Stripe(console, transport.Bulk), transport.Stripe(host, transport.Bulk)
	_ = down.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := down.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing came: %v", err)
	}
	_ = down.SetReadDeadline(time.Time{})
	if _, err := up.Write([]byte("abc")); err != nil {
		t.Error(err)
	}
	b := make([]byte, 8)
	if n, err := down.Read(b); err != nil || string(b[:n]) != "abc" {
		t.Errorf("%q, %v", b[:n], err)
	}
	var reset *transport.ResetError
	down.CancelRead(7)
	for err := error(nil); err == nil; { // until the word has arrived
		if _, err = up.Write([]byte("abc")); err != nil && !errors.As(err, &reset) {
			t.Errorf("writing what nobody reads: %v", err)
		}
	}
	if _, err := down.Write([]byte("no more, please")); err != nil {
		t.Error(err)
	}
	if n, err := up.Read(b); err != nil || string(b[:n]) != "no more," {
		t.Errorf("the other direction: %q, %v", b[:n], err)
	}
	down.CancelWrite(7)
	if _, err := io.ReadAll(up); !errors.As(err, &reset) {
		t.Errorf("reading what was given up: %v", err)
	}
}

func TestStripedStreamEndsWithItsLink(t *testing.T) {
	p := lossyPair(t, 0)
	host, console := fileStreams(t, p)
	up, down := transport.Stripe(console, transport.Bulk), transport.Stripe(host, transport.Bulk)
	time.AfterFunc(20*time.Millisecond, func() { p.ConsoleLink.Close(3, "gone") })
	var closed *transport.ClosedError
	if _, err := up.Read(make([]byte, 1)); !errors.As(err, &closed) {
		t.Errorf("reading: %v", err)
	}
	if _, err := down.Read(make([]byte, 1)); !errors.As(err, &closed) {
		t.Errorf("reading at the other end: %v", err)
	}
	if _, err := up.Write(make([]byte, 1<<20)); err == nil {
		t.Error("written to nobody")
	}
	if s := transport.Stripe(host, transport.Bulk); s.Close() == nil {
		t.Error("striped on a link that is gone")
	}
}

// TestPiecesThatAreNone: the other end writes what no striped stream says; reading fails, and nothing is kept for it.
func TestPiecesThatAreNone(t *testing.T) {
	header := func(at uint64, n uint16) []byte {
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(nil, at), n)
	}
	one := slices.Concat(header(0, 1), []byte("x"))
	for name, c := range map[string]struct {
		good int // bytes that are read before
		said []byte
	}{
		"too long":             {0, header(0, 16<<10+1)},
		"lanes for the host":   {0, header(0, 0xffff)},
		"twice":                {0, slices.Concat(header(5, 1), []byte("x"), header(5, 1), []byte("x"))},
		"before what was read": {2, slices.Concat(one, header(1, 1), []byte("x"), header(0, 1), []byte("x"))},
		"no end":               {1, one},
		"cut":                  {0, header(0, 9)[:7]},
		"cut in a piece":       {0, slices.Concat(header(0, 9), []byte("x"))},
	} {
		t.Run(name, func(t *testing.T) {
			p := lossyPair(t, 0)
			host, console := fileStreams(t, p)
			s := transport.Stripe(host, transport.Bulk)
			if _, err := console.Write(c.said); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, c.good)); err != nil {
				t.Error(err)
			}
			_ = console.Close()
			if n, err := s.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

func TestStrangersAreNoLanes(t *testing.T) {
	p := lossyPair(t, 0)
	host, _ := fileStreams(t, p)
	s := transport.Stripe(host, transport.Bulk)
	defer s.CancelRead(0)
	stranger := transporttest.NewIdentity(t)
	k, err := p.Console.Dial(t.Context(), 0, stranger, func(transport.Fingerprint) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	lane, err := k.OpenStream(t.Context(), wire.StreamLane)
	if err == nil {
		_, err = lane.Write(make([]byte, 32))
	}
	if err != nil {
		t.Fatal(err)
	}
	link, err := p.Listener.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kind, in, err := link.AcceptStream(t.Context())
	if err != nil || kind != wire.StreamLane {
		t.Fatal(kind, err)
	}
	if link.Join(in) == nil {
		t.Error("a ticket of nobody's was taken")
	}
}
