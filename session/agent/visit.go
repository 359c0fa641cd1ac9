package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"assist/chat"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// visit is one link's life, from the handshake on.
type visit struct {
	s        *Session
	link     *transport.Link
	control  transport.Stream
	words    []string // of this link; nil when the host's key was trusted before
	group    *errgroup.Group
	begun    time.Time
	welcomed chan struct{}     // closed by the control reader at the first Welcome
	proofs   chan *inner.Prove // for the machine, before it lets us in
	bye      chan struct{}     // closed by the control reader when the host answered our leaving
	last     sync.WaitGroup    // those who have a last word when the agent goes: control and input
}

// visit stays with the host until the link is gone. met says whether the handshake was done.
func (s *Session) visit(ctx context.Context, link *transport.Link, badge string) (met bool, err error) {
	v := &visit{s: s, link: link, begun: time.Now(), welcomed: make(chan struct{}), bye: make(chan struct{}), proofs: make(chan *inner.Prove, 1)}
	plate, err := v.greet(ctx, badge)
	if err != nil {
		link.Close(inner.CloseBroken, "handshake failed")
		return false, ofHost(err)
	}
	s.first.Store(int64(link.Line().First))
	v.words = plate.Words
	s.meet(link, plate)
	s.outbox.rewind()
	s.input.clear()
	s.looks.renew()
	s.glance.renew()
	s.here.Store(v)
	defer s.here.Store(nil)

	group, inside := errgroup.WithContext(ctx)
	v.group = group
	v.last.Add(2)
	for _, part := range []func(context.Context) error{
		v.readControl, v.writeControl, v.runInput, v.hearDatagrams, v.runScreen, v.runText, v.acceptPictures, v.watch, v.close,
	} {
		group.Go(func() error { return part(inside) })
	}
	err = group.Wait()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	s.input.clear()
	err = v.closedBy(err)
	if errors.Is(err, ErrNoDirect) && s.direct.Load() { // there was one, so there may be one again
		err = errSilent
	}
	return true, ofHost(err)
}

// greet opens the control stream and makes the handshake on it.
func (v *visit) greet(ctx context.Context, badge string) (inner.Doorplate, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { v.link.Close(inner.CloseLeft, "left during the handshake") })
	defer stop()
	var err error
	if v.control, err = v.link.OpenStream(ctx, wire.StreamControl); err != nil {
		return inner.Doorplate{}, fmt.Errorf("open control stream: %w", err)
	}
	v.control.SetUrgency(urgencyControl)
	v.s.mu.Lock()
	greeting := inner.Greeting{
		Badge: badge, Want: v.s.wants(), ResumeAfter: v.s.log.newest(), Software: v.s.cfg.Software, Device: v.s.cfg.Device,
		KnownKey: v.s.cfg.HostPin != "" || v.s.state.Trusted,
	}
	v.s.mu.Unlock()
	plate, err := inner.Greet(v.control, v.link, greeting)
	if err != nil {
		return plate, ended(v.link, err)
	}
	return plate, nil
}

// Urgency of the streams: what a person waits for goes before pictures (RFC 9218: 0 is the most urgent).
const (
	urgencyControl = 1
	urgencyScreen  = 2
)

// meet writes down who the host is.
func (s *Session) meet(link *transport.Link, plate inner.Doorplate) {
	key := link.PeerFingerprint()
	s.keepMachine(key.Pin())
	s.update(func(st *console.State) {
		st.HostName, st.Customer, st.HostOS = plate.HostName, plate.Customer, plate.OS
		switch {
		case s.cfg.HostPin != "":
			st.Trusted, st.TrustedBy = true, s.trustedBy()
		case s.hostKey == nil: // later links have the same key: words that show the first to be whole show all
			st.Words = plate.Words
		}
		s.hostKey = &key
		st.URL = s.inviteURL(st.Code, key.Pin())
		if st.LostSince.IsZero() {
			st.Phase, st.Why = console.Knocking, "waiting for the customer's answer"
			if st.Machine != "" {
				st.Why = "waiting to be let in by " + st.Machine
			}
		}
	})
}

// watch notices a host that says nothing any more, and measures the link. While nothing changes nobody is woken by it.
func (v *visit) watch(ctx context.Context) error {
	again := time.NewTimer(heartbeat)
	defer again.Stop()
	m := meter{at: v.begun, pictures: v.s.shown.Load()}
	v.s.measured(v.begun, v.link.Stats(), m)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		now, stats := time.Now(), v.link.Stats()
		heard := stats.LastHeard
		if heard.Before(v.begun) {
			heard = v.begun
		}
		line := v.link.Line()
		line.Thin = m.thin(line.Thin)
		limit := min(line.Patience(), longSilence)
		if now.Sub(heard) >= limit {
			v.s.mu.Lock()
			v.s.state.LostSince = heard
			v.s.mu.Unlock()
			return errSilent
		}
		if v.link.Stranded() {
			return ErrNoDirect
		}
		if m.count(now, stats.BytesIn, v.s.shown.Load()) {
			v.s.measured(now, stats, m)
		}
		again.Reset(min(heartbeat, limit-now.Sub(heard)))
	}
}

// measured writes down how the link is, if a person would see a difference.
func (s *Session) measured(now time.Time, stats transport.Stats, m meter) {
	s.mu.Lock()
	l := &s.state.Link
	l.Bytes = stats.BytesIn // grows with every heartbeat, which is nothing to see
	was := *l
	l.Path, l.Loss, l.Rate, l.FPS = string(stats.Path), math.Round(stats.Loss*1000)/1000, rounded(m.rate, 100), rounded(m.fps, 0.1)
	l.Since, l.Why, l.Fresh = stats.Changed.At, stats.Changed.Why, now.Sub(stats.Changed.At) <= showChange
	if l.RTT == 0 {
		l.RTT = stats.RTT
	}
	if stats.Path == transport.PathDirect {
		s.direct.Store(true)
	}
	differs := *l != was
	s.mu.Unlock()
	if differs {
		s.signal()
	}
}

// rounded is x in whole steps, so that a rate which dies away comes to rest.
func rounded(x, step float64) float64 { return math.Round(x/step) * step }

// close waits for the end and closes the link; everything else ends by that. An agent who goes lets the host answer first,
// for a moment, because closing takes back what is on its way.
func (v *visit) close(ctx context.Context) error {
	<-ctx.Done()
	var ended *endedError
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &ended):
		v.link.Close(inner.CloseEnded, "")
	case errors.Is(cause, errSilent), errors.Is(cause, errGap):
		v.link.Close(inner.CloseSilent, cause.Error())
	case errors.Is(cause, inner.ErrMalformed):
		v.link.Close(inner.CloseBroken, "malformed message")
	case errors.Is(cause, ErrNoDirect) && !v.s.direct.Load():
		v.link.Close(inner.CloseLeft, "no direct path")
	case leaves(cause):
		v.last.Wait()
		select {
		case <-v.bye:
		case <-v.link.Done():
		case <-time.After(farewell):
		}
		v.link.Close(inner.CloseLeft, "left")
	default:
		v.link.Close(inner.CloseSilent, "link broken")
	}
	return nil
}

// leaves says whether the agent, or whoever stopped the program, wants to go.
func leaves(cause error) bool {
	return errors.Is(cause, errLeft) || errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded)
}

// closedBy prefers what the host said when it closed the link to the error of the stream that noticed first.
func (v *visit) closedBy(err error) error {
	var refused *inner.RefusedError
	var over *endedError
	if errors.As(err, &refused) || errors.As(err, &over) {
		return err
	}
	return ended(v.link, err)
}

// ended says what a closed link means.
func ended(link *transport.Link, err error) error {
	var closed *transport.ClosedError // a stream knows it a moment before the link does
	if !errors.As(err, &closed) && !errors.As(link.Err(), &closed) || !closed.Remote {
		return err
	}
	switch closed.Code {
	case inner.CloseEnded:
		return &endedError{why: overBecause(closed.Reason)}
	case inner.CloseLeft:
		return &endedError{why: "the host says that you have left"}
	case inner.CloseRefused:
		return &inner.RefusedError{Code: inner.RefusedClosed, Text: chat.Line(closed.Reason)}
	case inner.CloseNoPath:
		return fmt.Errorf("%w: %w", ErrNoDirect, closed)
	case inner.CloseRemoved:
		return &inner.RefusedError{Code: inner.RefusedRemoved, Text: "you were sent out of the session"}
	}
	return fmt.Errorf("%w (%w)", err, closed)
}

// admitted waits for the customer's yes; false when the link ends before.
func (v *visit) admitted(ctx context.Context) bool {
	select {
	case <-v.welcomed:
		return true
	case <-ctx.Done():
		return false
	}
}

// reader is how streams of frames are read.
func reader(r transport.ReceiveStream) *bufio.Reader { return bufio.NewReaderSize(r, 16<<10) }

// meter makes rates of counters, smoothed over a few seconds.
type meter struct {
	at       time.Time
	bytes    uint64
	pictures uint64
	rate     float64 // bytes a second
	fps      float64 // pictures a second
	most     float64 // bytes in a second, so far
}

// thin is how long two long packets take a thin line, where a busy machine may have made the first ones seem so slow: no longer
// than as many bytes took that have come since.
func (m *meter) thin(first time.Duration) time.Duration {
	const long = 2 * 1290 // bytes
	if m.most == 0 {
		return first
	}
	return min(first, time.Duration(long/m.most*float64(time.Second)))
}

// count takes the counters as they stand at now; once a second it makes new rates and says so.
func (m *meter) count(now time.Time, bytes, pictures uint64) bool {
	dt := now.Sub(m.at)
	if dt < heartbeat {
		return false
	}
	const weight = 0.5 // of the newest second
	came := float64(bytes-m.bytes) / dt.Seconds()
	m.rate, m.most = m.rate+weight*(came-m.rate), max(m.most, came)
	m.fps += weight * (float64(pictures-m.pictures)/dt.Seconds() - m.fps)
	m.at, m.bytes, m.pictures = now, bytes, pictures
	return true
}
