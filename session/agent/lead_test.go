package agent

import (
	"strings"
	"testing"

	"assist/chat"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
)

func offer(note string) *inner.ToConsole {
	return &inner.ToConsole{Kind: &inner.ToConsole_HandOverOffer{HandOverOffer: &inner.HandOverOffer{From: 3, Note: note}}}
}

func TestOfferIsKeptUntilItIsAnsweredOrGone(t *testing.T) {
	roster := func(lead session.MemberID) *inner.ToConsole {
		return &inner.ToConsole{Kind: &inner.ToConsole_Roster{Roster: inner.NewRoster(session.Roster{Version: 9, Lead: lead})}}
	}
	declined := &inner.ToConsole{Kind: &inner.ToConsole_Entry{Entry: &inner.Entry{
		Seq: 1, Lane: uint32(chat.AgentsOnly), Kind: uint32(chat.Declined), From: 2, About: 3,
	}}}
	for name, end := range map[string]func(*Session){
		"accepted":      func(s *Session) { s.Do(console.AnswerHandOver{Accept: true}) },
		"declined":      func(s *Session) { s.Do(console.AnswerHandOver{}) },
		"withdrawn":     func(s *Session) { _ = hear(t, s, declined) },
		"lead moved on": func(s *Session) { _ = hear(t, s, roster(4)) },
		"no contact":    func(s *Session) { s.lost(nil) },
	} {
		s := in(t, session.View)
		if err := hear(t, s, offer("the disk\x1b[31m is full")); err != nil {
			t.Fatal(err)
		}
		if err := hear(t, s, roster(3)); err != nil {
			t.Fatal(err)
		}
		o := s.State().Offer
		if o == nil || o.From != 3 || o.At.IsZero() || strings.ContainsRune(o.Note, 0x1b) || !strings.Contains(o.Note, "the disk") {
			t.Fatalf("%s: offer %+v", name, o)
		}
		if end(s); s.State().Offer != nil {
			t.Errorf("%s: the offer is still there", name)
		}
	}
}

func TestAnswerThatCannotBeSaidKeepsTheOffer(t *testing.T) {
	s := in(t, session.View)
	if err := hear(t, s, offer("")); err != nil {
		t.Fatal(err)
	}
	for s.outbox.add(saying("x"), still) {
	}
	if s.Do(console.AnswerHandOver{Accept: true}); s.State().Offer == nil || s.State().Outcome.Serial != 1 {
		t.Errorf("%+v", s.State())
	}
}

func TestLeadsCommandsReachTheHost(t *testing.T) {
	s := in(t, session.View)
	s.Do(console.SetMember{Member: 7, Ceiling: session.View | session.Chat})
	if m := s.outbox.take().GetSetMember(); m.GetMember() != 7 || inner.ParseGrants(m.GetCeiling()) != session.View|session.Chat {
		t.Errorf("%v", m)
	}
	s.Do(console.SetMode{Mode: session.Baton})
	if m := s.outbox.take().GetSetControlMode(); m.GetMode() != uint32(session.Baton) {
		t.Errorf("%v", m)
	}
	s.Do(console.AnswerHandOver{Accept: true})
	if m := s.outbox.take().GetHandOverAnswer(); !m.GetAccept() {
		t.Errorf("%v", m)
	}
}
