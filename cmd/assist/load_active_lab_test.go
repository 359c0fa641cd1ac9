//go:build lab

package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	quicgo "github.com/quic-go/quic-go"
	"golang.org/x/sync/errgroup"

	"assist/transport"
	"assist/transport/udp"
	"assist/transport/wire"
)

// Of a relay whose sessions are all busy: each host sends each of its agents updates, on one ordered stream a link, as pictures travel on a
// clean line. The agents of a host are consoles of their own.
const (
	activeAgents  = 3
	activeUpdate  = 4096
	activeEvery   = 100 * time.Millisecond
	activeSettle  = 1 * time.Second
	activeAdded   = 10 * time.Millisecond // at the 99th of a hundred
	activeLateBy  = 5 * time.Second       // what has not come by then is lost
	activeRound   = 5 * time.Second
	activeRounds  = 5
	activeDefault = 200
)

// TestBenchManyActiveSessions compares the age of updates that come through the relay with that of updates on direct QUIC connections, in
// rounds that take turns. All ends are this one process, and share the machine with the relay: ACTIVE_SESSIONS says how many sessions, and
// what the ends took is printed beside what the relay took. What counts is the middle one of the rounds' 99th of a hundred. It fails over its
// targets.
func TestBenchManyActiveSessions(t *testing.T) {
	n := activeDefault
	if v, err := strconv.Atoi(os.Getenv("ACTIVE_SESSIONS")); err == nil && v > 0 {
		n = v
	}
	r := newLoadRelay(t)
	r.start()
	token, device := r.login()
	relayed, direct := &activeSide{name: "through the relay"}, &activeSide{name: "direct"}
	defer relayed.close()
	defer direct.close()
	group := new(errgroup.Group)
	group.SetLimit(loadAtOnce)
	for i := range n {
		group.Go(func() error { return relayed.meet(t.Context(), r, i, token, device) })
		group.Go(func() error { return direct.connect(t.Context()) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sessions with %d agents each; %d processors carry the relay and all ends", n, activeAgents, runtime.NumCPU())
	for range activeRounds {
		for _, s := range []*activeSide{relayed, direct} {
			s.round(t, r)
		}
	}
	p99, beside := relayed.middle(), direct.middle()
	added := p99 - beside
	t.Logf("p99 of the middle round: %s through the relay, %s direct: added %s", p99, beside, added)
	if lost := relayed.sent.Load() - relayed.came.Load(); lost != 0 || p99 == 0 {
		t.Errorf("%d of %d updates did not come", lost, relayed.sent.Load())
	}
	if added > activeAdded {
		t.Errorf("more than %s; where the ends use up the processors, fewer ACTIVE_SESSIONS say what the relay adds", activeAdded)
	}
}

// activeSide is all sessions that travel one way.
type activeSide struct {
	name       string
	sent, came atomic.Int64
	counts     atomic.Bool // past the start of a round

	mu      sync.Mutex
	writers []*activeWriter
	closers []func()
	ages    []time.Duration // of this round
	p99     []time.Duration // of each round
}

// activeWriter is one link's end at the host; owned by the goroutine that sends in a round.
type activeWriter struct {
	w      io.Writer
	number uint64
}

func (s *activeSide) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

func (s *activeSide) later(c func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

// meet makes one session through the relay: a host, and its agents' consoles.
func (s *activeSide) meet(ctx context.Context, r *loadRelay, i int, token string, device transport.Identity) error {
	host := &loadEnd{r: r, i: i, id: r.identity()}
	if err := host.arrive(ctx); err != nil {
		return err
	}
	s.later(host.leave)
	ln, err := host.virtual.Listen(host.id)
	if err != nil {
		return err
	}
	for j := range activeAgents {
		console := &loadEnd{r: r, i: i, id: device, token: token, code: host.code}
		if err := console.arrive(ctx); err != nil {
			return fmt.Errorf("console %d of session %d: %w", j, i, err)
		}
		s.later(console.leave)
		link, err := console.virtual.Dial(ctx, 0, device, func(transport.Fingerprint) error { return nil })
		if err != nil {
			return err
		}
		other, err := ln.Accept(ctx)
		if err != nil {
			return err
		}
		w, err := other.OpenUni(ctx, wire.StreamPicture)
		if err != nil {
			return err
		}
		_, in, err := link.AcceptUni(ctx)
		if err != nil {
			return err
		}
		s.add(w, in)
	}
	return nil
}

// nothing takes what is not QUIC on a direct socket.
type nothing struct{}

func (nothing) Receive(udp.Datagram) {}
func (nothing) Flush()               {}

// connect makes one session whose ends talk to each other over sockets of the same kind, as package transport sets QUIC up.
func (s *activeSide) connect(ctx context.Context) error {
	id, err := transport.NewIdentity()
	if err != nil {
		return err
	}
	tlsConf := &tls.Config{Certificates: []tls.Certificate{id.Cert}, NextProtos: []string{wire.InnerALPN}, InsecureSkipVerify: true}
	conf := &quicgo.Config{InitialPacketSize: 1200, DisablePathMTUDiscovery: true, KeepAlivePeriod: 2 * time.Second, EnableDatagrams: true}
	open := func() (*quicgo.Transport, error) {
		c, err := udp.Listen("udp4", "127.0.0.1:0", nothing{}, udp.Options{})
		if err != nil {
			return nil, err
		}
		tr := &quicgo.Transport{Conn: c.PacketConn()}
		s.later(func() { _ = tr.Close(); _ = c.Close() })
		return tr, nil
	}
	host, err := open()
	if err != nil {
		return err
	}
	ln, err := host.Listen(tlsConf, conf)
	if err != nil {
		return err
	}
	for range activeAgents {
		console, err := open()
		if err != nil {
			return err
		}
		link, err := console.Dial(ctx, host.Conn.LocalAddr().(*net.UDPAddr), tlsConf, conf)
		if err != nil {
			return err
		}
		other, err := ln.Accept(ctx)
		if err != nil {
			return err
		}
		w, err := other.OpenUniStreamSync(ctx)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte{byte(wire.StreamPicture)}); err != nil {
			return err
		}
		in, err := link.AcceptUniStream(ctx)
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
			return err
		}
		s.add(w, in)
	}
	return nil
}

// add reads the updates that come out of in and notes how old they are. They are numbered, and come in order.
func (s *activeSide) add(w io.Writer, in io.Reader) {
	s.mu.Lock()
	s.writers = append(s.writers, &activeWriter{w: w})
	s.mu.Unlock()
	go func() {
		b := make([]byte, activeUpdate)
		for want := uint64(1); ; want++ {
			if _, err := io.ReadFull(in, b); err != nil {
				return
			}
			age := time.Since(loadEpoch) - time.Duration(binary.BigEndian.Uint64(b))
			if binary.BigEndian.Uint64(b[8:]) != want {
				return // counts as lost, with all that follow
			}
			s.came.Add(1)
			if s.counts.Load() {
				s.mu.Lock()
				s.ages = append(s.ages, age)
				s.mu.Unlock()
			}
		}
	}()
}

// loadEpoch is what ages are counted from, on the monotonic clock.
var loadEpoch = time.Now()

// round sends for a while, the start of it uncounted, and waits for what is under way.
func (s *activeSide) round(t *testing.T, r *loadRelay) {
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	for i, w := range s.writers {
		after := activeEvery * time.Duration(i) / time.Duration(len(s.writers))
		sending.Go(func() { s.send(ctx, w, after) })
	}
	time.Sleep(activeSettle)
	s.counts.Store(true)
	relay, own, all := r.cpu(), ownCPU(), r.machine()
	time.Sleep(activeRound)
	relay, own, all = r.cpu()-relay, ownCPU()-own, r.machine()-all
	s.counts.Store(false)
	cancel()
	sending.Wait()
	for began := time.Now(); s.came.Load() < s.sent.Load() && time.Since(began) < activeLateBy; {
		time.Sleep(10 * time.Millisecond)
	}
	p50, p99 := s.quantiles()
	s.p99 = append(s.p99, p99)
	t.Logf("%s: age p50 %s p99 %s; %d of %d updates came so far; the relay took %.0f %% of a core, the ends %.0f %%, the rest of the machine %.0f %%", s.name, p50, p99,
		s.came.Load(), s.sent.Load(), ofCore(relay, activeRound), ofCore(own, activeRound), ofCore(all-relay-own, activeRound))
}

// send writes an update whenever one is due; its age counts from then, also where the write comes late.
func (s *activeSide) send(ctx context.Context, w *activeWriter, after time.Duration) {
	b := make([]byte, activeUpdate)
	for due := time.Now().Add(after); ; due = due.Add(activeEvery) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		w.number++
		binary.BigEndian.PutUint64(b, uint64(due.Sub(loadEpoch)))
		binary.BigEndian.PutUint64(b[8:], w.number)
		s.sent.Add(1)
		if _, err := w.w.Write(b); err != nil {
			return // what was counted does not come
		}
	}
}

// quantiles are the median and the 99th of a hundred of a round, which is forgotten.
func (s *activeSide) quantiles() (p50, p99 time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ages := s.ages
	s.ages = nil
	if len(ages) == 0 {
		return 0, 0
	}
	slices.Sort(ages)
	return ages[len(ages)/2].Round(10 * time.Microsecond), ages[len(ages)*99/100].Round(10 * time.Microsecond)
}

func (s *activeSide) middle() time.Duration { return slices.Sorted(slices.Values(s.p99))[len(s.p99)/2] }

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
