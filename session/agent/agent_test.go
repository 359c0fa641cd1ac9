package agent

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"assist/chat"
	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// in is a session that the host has let in, with those grants for us.
func in(t *testing.T, grants session.Grants) *Session {
	t.Helper()
	s := Join(Config{Code: "12345678", Relay: transport.Relay{Addr: "relay.example:443"}})
	v := &visit{s: s, welcomed: make(chan struct{}), bye: make(chan struct{})}
	welcome := &inner.Welcome{
		Member: 2, StartedUnixMs: 5,
		Roster: inner.NewRoster(session.Roster{Version: 1, Members: []session.Member{
			{ID: 1, Role: session.Customer, Presence: session.Here},
			{ID: 2, Role: session.Lead, Presence: session.Here, Grants: grants},
		}}),
	}
	if err := v.hear(t.Context(), &inner.ToConsole{Kind: &inner.ToConsole_Welcome{Welcome: welcome}}); err != nil {
		t.Fatal(err)
	}
	return s
}

func hear(t *testing.T, s *Session, m *inner.ToConsole) error {
	t.Helper()
	return (&visit{s: s}).hear(t.Context(), m)
}

func entry(seq uint64) *inner.ToConsole {
	return &inner.ToConsole{Kind: &inner.ToConsole_Entry{Entry: &inner.Entry{Seq: seq, Lane: 1, Kind: 1, Text: "x"}}}
}

var key = screen.Input{Kind: screen.KeyTap, Key: 'a'}

func TestInputNeedsControlTakenAndGranted(t *testing.T) {
	s := in(t, session.View|session.Control)
	if s.Input(key) {
		t.Error("input before control was taken")
	}
	s.Do(console.TakeControl{})
	if !s.Input(key) {
		t.Error("input refused with control")
	}
	s.Do(console.GiveControl{})
	if s.Input(key) {
		t.Error("input after control was given back")
	}
	viewer := in(t, session.View)
	viewer.Do(console.TakeControl{})
	if viewer.Input(key) {
		t.Error("input without the grant")
	}
}

func TestRefusedControlStopsInput(t *testing.T) {
	s := in(t, session.View|session.Control)
	s.Do(console.TakeControl{})
	id := s.outbox.take().Id
	hear(t, s, &inner.ToConsole{Id: id, Kind: &inner.ToConsole_Outcome{Outcome: &inner.Outcome{Code: 1, Text: "Max\x1b has the baton"}}})
	if s.Input(key) {
		t.Error("input after the host said no")
	}
	if o := s.State().Outcome; o.Serial != 1 || o.Text == "" || o.Text[3] == 0x1b {
		t.Errorf("outcome %+v", o)
	}
}

func TestOnlyReleasesPassWhilePaused(t *testing.T) {
	s := in(t, session.View|session.Control)
	s.Do(console.TakeControl{})
	r := s.State().Roster
	r.Version, r.Paused = 2, true
	hear(t, s, &inner.ToConsole{Kind: &inner.ToConsole_Roster{Roster: inner.NewRoster(r)}})
	if s.Input(key) {
		t.Error("a key while a question is before the customer")
	}
	if !s.Input(screen.Input{Kind: screen.KeyRelease, Key: 'a'}) {
		t.Error("a release was held back")
	}
}

func TestOlderRosterDoesNotReplaceANewerOne(t *testing.T) {
	s := in(t, session.View)
	r := s.State().Roster
	r.Version, r.Lead = 0, 9
	hear(t, s, &inner.ToConsole{Kind: &inner.ToConsole_Roster{Roster: inner.NewRoster(r)}})
	if s.State().Roster.Lead == 9 {
		t.Error("the older roster won")
	}
}

func TestEntriesComeOnceAndAGapAsksForMore(t *testing.T) {
	s := in(t, session.View)
	for _, seq := range []uint64{1, 2, 2} {
		if err := hear(t, s, entry(seq)); err != nil {
			t.Fatal(err)
		}
	}
	if err := hear(t, s, entry(4)); !errors.Is(err, errGap) {
		t.Errorf("a gap: %v", err)
	}
	if log := s.Log(0); len(log) != 2 || s.State().Newest != 2 {
		t.Errorf("%v", log)
	}
}

func TestChatBeforeAdmissionWaitsAndOtherCommandsFail(t *testing.T) {
	s := Join(Config{Code: "12345678"})
	s.Do(console.Say{Lane: chat.Everyone, Text: "hello"})
	s.Do(console.Say{Lane: chat.Everyone, Text: " \n"})
	s.Do(console.TakeControl{})
	if o := s.State().Outcome; o.Serial != 1 {
		t.Errorf("outcome %+v", o)
	}
	s.outbox.release()
	m := s.outbox.take()
	if m.GetSay().GetText() != "hello" || len(m.GetSay().GetNonce()) != 16 || s.outbox.take() != nil {
		t.Errorf("%v", m)
	}
}

func TestConfirmedWordsAreTold(t *testing.T) {
	s := in(t, session.View)
	s.Do(console.ConfirmWords{})
	if s.State().Trusted {
		t.Error("confirmed words that were never shown")
	}
	s.update(func(st *console.State) { st.Words = []string{"a", "b", "c"} })
	s.Do(console.ConfirmWords{})
	if st := s.State(); !st.Trusted || st.TrustedBy != "words compared" || !s.outbox.take().GetVerified().GetOk() {
		t.Errorf("%+v", st)
	}
}

func TestLeavingAloneWaitsForNobody(t *testing.T) {
	s := in(t, session.View)
	s.Do(console.Leave{How: session.LeaveOnly})
	select {
	case <-s.leaving:
	default:
		t.Error("still here")
	}
	s.Close() // twice is fine
}

func TestEndingForAllWaitsForTheHost(t *testing.T) {
	s := in(t, session.View)
	s.Do(console.Leave{How: session.EndForAll})
	m := s.outbox.take()
	if m.GetLeave().GetHow() != uint32(session.EndForAll) || s.left {
		t.Fatalf("%v, left %v", m, s.left)
	}
	hear(t, s, &inner.ToConsole{Id: m.Id, Kind: &inner.ToConsole_Outcome{Outcome: &inner.Outcome{}}})
	if !s.left {
		t.Error("still here after the host said yes")
	}
}

func TestHostKeyIsComparedWithAllThatIsKnown(t *testing.T) {
	one, other := transport.Fingerprint{1}, transport.Fingerprint{2}
	var wrong *HostKeyError
	pinned := Join(Config{HostPin: one.Pin()})
	if err := pinned.checkHost(one, nil); err != nil {
		t.Error(err)
	}
	if err := pinned.checkHost(other, nil); !errors.As(err, &wrong) || wrong.Want != one.Pin() || wrong.Got != other.Pin() {
		t.Errorf("pin of the address: %v", err)
	}
	bare := Join(Config{})
	if err := bare.checkHost(one, one[:]); err != nil {
		t.Error(err)
	}
	if err := bare.checkHost(other, one[:]); !errors.As(err, &wrong) {
		t.Errorf("the relay's word: %v", err)
	}
	bare.hostKey = &one
	if err := bare.checkHost(other, nil); !errors.As(err, &wrong) {
		t.Errorf("the link before: %v", err)
	}
}

func TestWhatIsFinal(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{ofBroker(&transport.ProblemError{Code: wire.CodeUnknownCode}), true},
		{ofBroker(&transport.ProblemError{Code: wire.CodeLoginNeeded}), true},
		{ofBroker(&transport.ProblemError{Code: wire.CodeDraining}), false},
		{ofBroker(&transport.ProblemError{Code: wire.CodeHostGone}), false},
		{&transport.RelayUnreachableError{Err: context.DeadlineExceeded}, false},
		{&transport.RelayKeyError{}, true},
		{fmt.Errorf("dial: %w", &HostKeyError{}), true},
		{ofHost(&inner.RefusedError{Code: inner.RefusedByCustomer}), true},
		{&endedError{}, true},
		{errSilent, false},
		{errGap, false},
	} {
		if got := final(c.err); got != c.want {
			t.Errorf("%v: final is %v", c.err, got)
		}
	}
}

func TestErrorsHaveNames(t *testing.T) {
	for code, want := range map[uint32]error{
		wire.CodeLoginNeeded: ErrLoginNeeded, wire.CodeUnknownCode: ErrUnknownCode, wire.CodeTooOld: ErrTooOld,
		wire.CodeTooNew: ErrTooNew, wire.CodeHostGone: ErrHostGone,
	} {
		var p *transport.ProblemError
		if err := ofBroker(fmt.Errorf("x: %w", &transport.ProblemError{Code: code})); !errors.Is(err, want) || !errors.As(err, &p) {
			t.Errorf("problem %d: %v", code, err)
		}
	}
	if err := ofHost(&inner.RefusedError{Code: inner.RefusedTooNew}); !errors.Is(err, ErrTooNew) {
		t.Error(err)
	}
}

func TestMeterSmoothsOverSeconds(t *testing.T) {
	at := time.Unix(100, 0)
	m := meter{at: at}
	if m.count(at.Add(time.Second/2), 500, 5) {
		t.Error("counted before a second was over")
	}
	for i := range 10 {
		m.count(at.Add(time.Duration(i+1)*time.Second), uint64(i+1)*1000, uint64(i+1)*15)
	}
	if m.rate < 990 || m.rate > 1000 || m.fps < 14.9 || m.fps > 15 {
		t.Errorf("%v bytes and %v pictures a second", m.rate, m.fps)
	}
}
