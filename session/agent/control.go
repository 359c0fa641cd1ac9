package agent

import (
	"context"
	"fmt"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport/wire"
)

// readControl keeps the replica: everything that the host says about the session arrives here, in order.
func (v *visit) readControl(ctx context.Context) error {
	for {
		m, err := inner.ReadToConsole(v.control)
		if err != nil {
			return fmt.Errorf("read control stream: %w", err)
		}
		if err := v.hear(ctx, m); err != nil {
			return err
		}
		v.s.signal()
	}
}

// hear takes one message of the host. What this build does not know is passed over.
func (v *visit) hear(ctx context.Context, m *inner.ToConsole) error {
	switch k := m.Kind.(type) {
	case *inner.ToConsole_Waiting:
		v.s.update(func(st *console.State) {
			st.Why = chat.Title(k.Waiting.GetWhy())
			if st.Self == session.Nobody {
				st.Phase = console.Knocking
			}
			if !st.Trusted && v.words != nil { // the host asks anew, and shows the words of this link
				st.Words = v.words
			}
		})
	case *inner.ToConsole_Refused:
		return inner.ParseRefused(k.Refused)
	case *inner.ToConsole_Challenge:
		return v.prove(ctx, k.Challenge)
	case *inner.ToConsole_Restarting:
		v.s.hearRestarting(k.Restarting)
	case *inner.ToConsole_Welcome:
		return v.hearWelcome(k.Welcome)
	case *inner.ToConsole_Roster:
		return v.s.hearRoster(k.Roster)
	case *inner.ToConsole_Entry:
		return v.s.hearEntry(k.Entry)
	case *inner.ToConsole_Outcome:
		if m.Id == leaveID && ctx.Err() != nil {
			close(v.bye)
			return errLeft
		}
		v.s.hearOutcome(m.Id, k.Outcome)
	case *inner.ToConsole_HandOverOffer:
		v.s.hearOffer(k.HandOverOffer)
	case *inner.ToConsole_Ended:
		return v.s.hearEnded(k.Ended)
	case *inner.ToConsole_Pong:
		v.s.hearPong(k.Pong)
	}
	return nil
}

// hearWelcome is the way in, and back in after a broken link.
func (v *visit) hearWelcome(w *inner.Welcome) error {
	roster, err := inner.ParseRoster(w.GetRoster())
	if err != nil {
		return err
	}
	entries, err := inner.ParseLog(w.GetLog())
	if err != nil {
		return err
	}
	s := v.s
	s.mu.Lock()
	for _, e := range entries {
		s.log.add(e)
	}
	back := !s.state.LostSince.IsZero()
	s.state.Phase, s.state.Why, s.state.LostSince = console.In, "", time.Time{}
	s.restarting = ""
	s.state.Self, s.state.Roster, s.state.Newest = session.MemberID(w.GetMember()), roster, s.log.newest()
	s.state.Expires = time.Time{}
	if ms := w.GetStartedUnixMs(); ms > 0 {
		s.state.Started = time.UnixMilli(ms)
	}
	if s.state.Trusted {
		s.outbox.add(&inner.ToHost{Kind: &inner.ToHost_Verified{Verified: &inner.Verified{Ok: true}}}, once)
	}
	if self, _ := roster.Member(s.state.Self); back && !self.Grants.Has(session.Control) {
		s.takes = false // it went back meanwhile; the customer is not asked again without the agent's wish
	}
	if s.takes { // control was held when the link broke
		s.outbox.add(takeControl(), once)
	}
	s.mu.Unlock()
	select {
	case <-v.welcomed:
	default:
		close(v.welcomed)
		s.outbox.release()
	}
	return nil
}

func (s *Session) hearRoster(m *inner.Roster) error {
	roster, err := inner.ParseRoster(m)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if roster.Version >= s.state.Roster.Version {
		s.state.Roster = roster
	}
	if s.state.Offer != nil && s.state.Offer.From != roster.Lead { // it passed on, perhaps to us
		s.state.Offer = nil
	}
	return nil
}

func (s *Session) hearOffer(o *inner.HandOverOffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Offer = &console.Offer{From: session.MemberID(o.GetFrom()), Note: chat.Body(o.GetNote()), At: time.Now()}
}

// hearEntry adds a live entry. One that is known is passed over; a gap means that the log has to be fetched anew.
func (s *Session) hearEntry(m *inner.Entry) error {
	e, err := inner.ParseEntry(m)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if newest := s.log.newest(); newest != 0 && e.Seq > newest+1 {
		return errGap
	}
	s.log.add(e)
	s.state.Newest = s.log.newest()
	if e.Kind == chat.Declined && e.From == uint32(s.state.Self) { // answered by another console of this agent, withdrawn, or too late
		s.state.Offer = nil
	}
	return nil
}

// hearOutcome is the answer to a command.
func (s *Session) hearOutcome(id uint64, o *inner.Outcome) {
	m := s.outbox.answered(id)
	if m == nil {
		return
	}
	asked := s.asks.answer(id, o)
	switch {
	case m.GetLeave() != nil && o.GetCode() == 0:
		s.Close()
	case o.GetCode() != 0:
		s.mu.Lock()
		defer s.mu.Unlock()
		if m.GetTakeControl() != nil {
			s.takes = false
		}
		if asked {
			return
		}
		s.failed(chat.Line(o.GetText()))
	}
}

// failed tells the agent that a command could not be done; it needs mu.
func (s *Session) failed(text string) {
	s.state.Outcome = console.Outcome{Serial: s.state.Outcome.Serial + 1, Text: text}
}

func (s *Session) hearEnded(e *inner.Ended) error {
	why := overBecause(e.GetWhy())
	if e.GetRejoin() {
		return fmt.Errorf("the host asks to come again: %s", why)
	}
	return &endedError{why: why}
}

func overBecause(why string) string {
	if why == "" {
		return "the session is over"
	}
	return chat.Line(why)
}

// hearPong measures the way to the host and back, the host's answering included.
func (s *Session) hearPong(p *inner.Pong) {
	rtt := time.Since(time.UnixMicro(p.GetUnixUs()))
	if rtt < 0 || rtt > silence { // a clock was set
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Link.RTT = rtt
}

// writeControl sends what waits in the outbox, and a Ping each second while something happens. A heartbeat of QUIC itself, every
// two seconds, is all there is while nothing does.
func (v *visit) writeControl(ctx context.Context) error {
	defer v.last.Done()
	stop := hurry(ctx, v.control)
	defer stop()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	if err := v.ping(); err != nil { // at once: the host waits for a first word
		return err
	}
	busy := activity{at: time.Now()}
	for {
		for m := v.s.outbox.take(); m != nil; m = v.s.outbox.take() {
			if err := v.say(m); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return v.sayLeave(context.Cause(ctx))
		case p := <-v.proofs:
			if err := v.say(&inner.ToHost{Kind: &inner.ToHost_Prove{Prove: p}}); err != nil {
				return err
			}
		case <-v.s.outbox.ready:
		case now := <-tick.C:
			if !busy.look(now, v.s.happened()) {
				continue
			}
			if err := v.ping(); err != nil {
				return err
			}
		}
	}
}

// happened counts what a person sees or does: pictures, input, words.
func (s *Session) happened() uint64 {
	s.mu.Lock()
	said := uint64(s.state.Newest)
	s.mu.Unlock()
	return s.shown.Load() + s.input.count() + said
}

// activity is when something happened last.
type activity struct {
	at    time.Time
	count uint64
}

// look takes a count that grows when something happens, and says whether that was a moment ago.
func (a *activity) look(now time.Time, count uint64) bool {
	if count != a.count {
		a.at, a.count = now, count
	}
	return now.Sub(a.at) < restAfter
}

func (v *visit) ping() error {
	return v.say(&inner.ToHost{Kind: &inner.ToHost_Ping{Ping: &inner.Ping{UnixUs: time.Now().UnixMicro()}}})
}

func (v *visit) say(m *inner.ToHost) error {
	if err := wire.WriteMsg(v.control, m); err != nil {
		return fmt.Errorf("write control stream: %w", err)
	}
	return nil
}
