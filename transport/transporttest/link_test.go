package transporttest_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"

	"go.uber.org/goleak"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLinkCarriesBytesThroughTheRelay(t *testing.T) {
	for name, plain := range map[string]bool{"with GRO and GSO": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			r := transporttest.NewRelay(t, relay.Config{Plain: plain})
			p := transporttest.NewPair(t, r.Addr(), r.Addr(), transport.Options{Plain: plain})
			exchange(t, p, 4<<20)
		})
	}
}

// exchange sends n bytes from the host to the console and a small message there and back beside it.
func exchange(t *testing.T, p *transporttest.Pair, n int) {
	t.Helper()
	sent := bytes.Repeat([]byte("0123456789abcdef"), n/16)
	go func() {
		s, err := p.HostLink.OpenUni(t.Context(), wire.StreamPicture)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := s.Write(sent); err != nil {
			t.Error(err)
		}
		s.Close()
	}()
	go func() {
		kind, s, err := p.HostLink.AcceptStream(t.Context())
		if err != nil || kind != wire.StreamControl {
			t.Errorf("accepted kind %d, %v", kind, err)
			return
		}
		io.Copy(s, s)
		s.Close()
	}()
	s, err := p.ConsoleLink.OpenStream(t.Context(), wire.StreamControl)
	if err != nil {
		t.Fatal(err)
	}
	s.SetUrgency(0)
	message := bytes.Repeat([]byte{7}, 256)
	for range 20 {
		if _, err := s.Write(message); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(message))
		if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("echo: %x, %v", got[:8], err)
		}
	}
	kind, in, err := p.ConsoleLink.AcceptUni(t.Context())
	if err != nil || kind != wire.StreamPicture {
		t.Fatalf("accepted kind %d, %v", kind, err)
	}
	h := sha256.New()
	if got, err := io.Copy(h, in); err != nil || got != int64(len(sent)) {
		t.Fatalf("%d of %d bytes arrived: %v", got, len(sent), err)
	}
	if want := sha256.Sum256(sent); !bytes.Equal(h.Sum(nil), want[:]) {
		t.Error("the bytes that arrived are others")
	}
	s.Close()
}
