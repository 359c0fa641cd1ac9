package transporttest_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"assist/transport"
	"assist/transport/relay"
	"assist/transport/transporttest"
	"assist/transport/wire"
)

func TestAFileLeavesTheLineFreeForOthers(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	slow := transporttest.NewProxy(t, r.Addr(), transporttest.Conditions{Delay: 10 * time.Millisecond, Rate: 250_000}, 1)
	p := transporttest.NewPair(t, slow.Relay(r.Addr()), r.Addr(), transport.Options{})
	s, err := p.HostLink.OpenUni(t.Context(), wire.StreamPicture)
	if err != nil {
		t.Fatal(err)
	}
	_, sink, err := p.ConsoleLink.AcceptUni(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var queues []time.Duration
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 40 { // after the first second
			time.Sleep(25 * time.Millisecond)
		}
		for range 80 {
			time.Sleep(25 * time.Millisecond)
			queues = append(queues, p.HostLink.Line().Queue)
		}
	}()
	go func() {
		bulk := transport.Pace(s, transport.Bulk)
		_, _ = bulk.Write(make([]byte, 700_000)) // the reading sees what is missing
		_ = bulk.Close()
	}()
	n, err := io.Copy(io.Discard, sink)
	if err != nil || n != 700_000 {
		t.Errorf("%d bytes came, %v", n, err)
	}
	<-done
	// The proxy holds 200 ms and drops the rest: a file that is not paced keeps them full. The middle one, because a machine may stand still for a moment.
	slices.Sort(queues)
	if q := queues[len(queues)/2]; q > 100*time.Millisecond {
		t.Errorf("others would wait %v", q)
	}
	if line := p.HostLink.Line(); line.Rate < 50_000 || line.Rate > 400_000 || line.Heard.IsZero() || line.Sent < 500 {
		t.Errorf("%+v", line)
	}
}

func TestPacedWritesHaveDeadlinesAndEnds(t *testing.T) {
	r := transporttest.NewRelay(t, relay.Config{})
	p := transporttest.NewPair(t, r.Addr(), r.Addr(), transport.Options{})
	open := func() transport.SendStream {
		s, err := p.HostLink.OpenUni(t.Context(), wire.StreamPicture)
		if err != nil {
			t.Fatal(err)
		}
		return transport.Pace(s, transport.Bulk)
	}
	paced := open()
	_ = paced.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := paced.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) { // nobody reads: flow control stops it
		t.Errorf("%d bytes, %v", n, err)
	}
	_ = paced.SetWriteDeadline(time.Time{})
	time.AfterFunc(20*time.Millisecond, func() { paced.CancelWrite(7) })
	var reset *transport.ResetError
	if _, err := paced.Write(make([]byte, 64<<20)); !errors.As(err, &reset) {
		t.Errorf("after CancelWrite: %v", err)
	}
	again := open()
	time.AfterFunc(20*time.Millisecond, func() { p.ConsoleLink.Close(1, "") })
	var closed *transport.ClosedError
	if _, err := again.Write(make([]byte, 64<<20)); !errors.As(err, &closed) {
		t.Errorf("after the link closed: %v", err)
	}
}
