package transport

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"assist/transport/udp"
	"assist/transport/wire"
)

// seeker is what the goroutine of a direct knows.
type seeker struct {
	*direct
	ours    wire.Whereabouts
	heard   uint64        // newest Seq of the other end that it was told we have
	tell    time.Time     // when our whereabouts are said next
	pause   time.Duration // and after that
	burst   time.Time     // probing of all addresses ends
	again   time.Time     // and begins anew
	probed  time.Time
	settled time.Time // when the first answer is old enough
	doubted bool
}

// run seeks until the link is over.
func (d *direct) run() {
	s := &seeker{direct: d}
	defer s.end()
	s.start(time.Now())
	moved := d.v.watch()
	defer moved.stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-d.link.Done():
			return
		case <-moved.events:
			s.gather(time.Now(), true)
		case <-d.poke:
		case <-timer.C:
		}
		now := time.Now()
		s.usePort()
		s.gather(now, false)
		s.choose(now)
		s.check(now)
		s.say(now)
		s.probe(now)
		timer.Reset(s.wait(now))
	}
}

// start begins to probe all addresses.
func (s *seeker) start(now time.Time) {
	s.burst, s.again, s.settled = now.Add(probeBurst), now.Add(probeBurst+probePause), time.Time{}
}

func (s *seeker) end() {
	s.peer.direct.CompareAndSwap(s.direct, nil)
	s.way.Store(nil)
	s.take(nil)
}

// usePort follows the socket that leads to the relay, as long as no direct path hangs on another one. Over TCP there is none.
func (s *seeker) usePort() {
	p := s.v.route.Load().port
	if p.tcp == nil && p != s.port && s.way.Load() == nil && p.hold() {
		s.take(p)
	}
}

// take makes p the socket of the direct path; it is held already.
func (s *seeker) take(p *port) {
	s.mu.Lock()
	old := s.port
	s.port = p
	s.mu.Unlock()
	if p != nil {
		p.know(s.direct)
	}
	if old != nil {
		old.forget(s.direct)
		old.release()
	}
}

// gather finds out where this end may be reached. When that is elsewhere than before, the other end is told, and probing
// begins anew.
func (s *seeker) gather(now time.Time, moved bool) {
	if s.port == nil || (!moved && s.ours.Seq > 0 && slices.Contains(s.ours.At, s.v.Observed())) {
		return
	}
	at := s.v.addresses(s.port)
	if s.ours.Seq > 0 && slices.Equal(at, s.ours.At) {
		return
	}
	s.ours = wire.Whereabouts{Seq: s.ours.Seq + 1, Tag: s.tag, At: at}
	s.tell, s.pause = now, tellFirst
	if s.way.Load() == nil {
		s.start(now)
	}
}

// addresses are the own ones that another end may be able to reach: as the relay sees it, and those of the machine.
func (v *Virtual) addresses(p *port) (out []netip.AddrPort) {
	if seen := v.Observed(); reachable(seen) {
		out = append(out, seen)
	}
	for _, at := range machineAddresses(p) {
		if !slices.Contains(out, at) && len(out) < wire.MaxAddresses {
			out = append(out, at)
		}
	}
	return out
}

// machineAddresses are those of this machine, with the socket's port. Loopback leads to nobody else.
func machineAddresses(p *port) (out []netip.AddrPort) {
	local := p.sock.LocalAddr()
	if !local.Addr().IsUnspecified() {
		if reachable(local) {
			out = append(out, local)
		}
		return out
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, _ := netip.AddrFromSlice(n.IP)
		if at := netip.AddrPortFrom(ip.Unmap(), local.Port()); reachable(at) {
			out = append(out, at)
		}
	}
	return out
}

// reachable says whether an address can be another machine's.
func reachable(at netip.AddrPort) bool {
	a := at.Addr()
	return at.Port() != 0 && a.IsValid() && !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() &&
		a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// say tells the other end where this one is, until it has heard, and that it was heard itself.
func (s *seeker) say(now time.Time) {
	s.mu.Lock()
	told, toldSeq := s.told.Seq, s.toldSeq
	s.mu.Unlock()
	if s.ours.Seq == 0 || (toldSeq >= s.ours.Seq && s.heard >= told) || (now.Before(s.tell) && s.heard >= told) {
		return
	}
	s.ours.Heard = told
	ctx, cancel := context.WithTimeout(context.Background(), probeEvery)
	defer cancel()
	if s.link.SendDatagram(ctx, wire.DatagramPath, s.ours.Append(nil)) == nil {
		s.heard = told
	}
	s.tell, s.pause = now.Add(s.pause), min(2*s.pause, tellLast)
}

// targets are the addresses to probe: those that the other end named and those that its probes came from.
func (s *seeker) targets() (out []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.told.At {
		if reachable(at) {
			out = append(out, at)
		}
	}
	for at := range s.seen {
		if !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

// probe sends what is due.
func (s *seeker) probe(now time.Time) {
	w := s.way.Load()
	switch {
	case s.port == nil:
	case w != nil && (s.settled.IsZero() || now.After(s.settled)):
		if at := s.v.since(now); time.Duration(at-w.probed.Load()) >= w.every(at) {
			w.probed.Store(at)
			w.asked.CompareAndSwap(0, at)
			s.ask(now, w.port, w.to.AddrPort)
		}
	case now.Before(s.burst) && now.Sub(s.probed) >= probeEvery:
		s.probed = now
		for _, at := range s.targets() {
			s.ask(now, s.port, at)
		}
	case now.After(s.again):
		s.start(now)
	}
}

// ask sends one probe.
func (s *seeker) ask(now time.Time, p *port, at netip.AddrPort) {
	s.mu.Lock()
	s.counter = max(uint64(now.UnixMicro()), s.counter+1)
	tag, counter := s.told.Tag, s.counter
	if tag == 0 {
		s.mu.Unlock()
		return // it does not know yet which packets are for it
	}
	for c, q := range s.sent {
		if now.Sub(q.at) > deadDirect {
			delete(s.sent, c)
		}
	}
	s.sent[counter] = probe{at, now}
	s.mu.Unlock()
	b := wire.Probe{Tag: tag, Counter: counter}.Append(nil, s.secret)
	_ = p.sock.Send(udp.Datagram{B: b, Seg: len(b), Addr: udp.Addr{AddrPort: at}})
}

// choose takes the first address that has answered, and a better one that answers soon after.
func (s *seeker) choose(now time.Time) {
	s.mu.Lock()
	answers, tag := s.answers, s.told.Tag
	s.answers = nil
	s.mu.Unlock()
	for _, a := range answers {
		w := s.way.Load()
		if w != nil && (w.to.AddrPort == a.from || a.rtt > w.rtt*7/10 || !now.Before(s.settled)) {
			continue
		}
		if w == nil {
			s.settled = now.Add(probeSettle)
		}
		w = &way{port: s.port, to: udp.Addr{AddrPort: a.from}, tag: tag, rtt: a.rtt}
		w.busy.Store(s.v.since(now))
		w.probed.Store(s.v.since(now))
		s.way.Store(w)
		s.doubted = false
		s.changed(now, PathDirect, "the other end answers directly")
	}
}

// check falls back to the relay when the direct path gives no answer.
func (s *seeker) check(now time.Time) {
	w := s.way.Load()
	if w == nil {
		return
	}
	switch quiet := w.quiet(s.v.since(now)); {
	case quiet > deadDirect:
		s.way.Store(nil)
		s.start(now)
		s.changed(now, s.v.route.Load().path(), "the direct path gave no answer")
	case quiet >= w.doubt() && !s.doubted:
		s.doubted = true
		if s.peer.holding.Load() {
			s.v.sendAll(s.peer, s.peer.release())
		}
	case quiet < w.doubt():
		s.doubted = false
	}
}

func (s *seeker) changed(now time.Time, path Path, why string) {
	s.last.Store(&Change{now, path, why})
	s.v.moved()
}

// wait is until when there is nothing to do.
func (s *seeker) wait(now time.Time) time.Duration {
	if w := s.way.Load(); w != nil && w.quiet(s.v.since(now)) == 0 && now.After(s.settled) {
		at := s.v.since(now)
		return max(probeEvery, w.every(at)-time.Duration(at-w.probed.Load()))
	} else if w != nil || now.Before(s.burst) {
		return probeEvery
	}
	return min(time.Second, max(probeEvery, s.again.Sub(now)))
}
