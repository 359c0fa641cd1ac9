package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
)

// answers is what the host says to the oldest command that waits.
func answers(t *testing.T, s *Session, o *inner.Outcome) {
	t.Helper()
	m := s.outbox.take()
	if m == nil {
		t.Fatal("nothing to answer")
	}
	if err := hear(t, s, &inner.ToConsole{Id: m.Id, Kind: &inner.ToConsole_Outcome{Outcome: o}}); err != nil {
		t.Fatal(err)
	}
}

func TestAskGetsItsOwnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := in(t, session.AllGrants)
		type got struct {
			seq chat.Seq
			err error
		}
		ask := func(c console.Command) <-chan got {
			out := make(chan got, 1)
			go func() {
				seq, err := s.Ask(t.Context(), c)
				out <- got{seq, err}
			}()
			synctest.Wait()
			return out
		}
		said := ask(console.Say{Lane: chat.Everyone, Text: "hello"})
		offered := ask(console.HandOver{To: 3})
		answers(t, s, &inner.Outcome{Seq: 7})
		answers(t, s, &inner.Outcome{Code: 1, Text: "only the \x1b[31mlead"})
		if g := <-said; g.seq != 7 || g.err != nil {
			t.Errorf("said: %+v", g)
		}
		var no *NoError
		if g := <-offered; !errors.As(g.err, &no) || no.Text != "only the ␛[31mlead" {
			t.Errorf("offered: %+v", g)
		}
		if s.State().Outcome.Serial != 0 {
			t.Error("the terminal was told of a command that it did not give")
		}
		late := ask(console.HandOver{To: 3})
		s.over(nil)
		if g := <-late; !errors.Is(g.err, errOver) {
			t.Errorf("after the end: %+v", g)
		}
		if g := <-ask(console.HandOver{To: 3}); !errors.Is(g.err, errNoContact) {
			t.Errorf("asked after the end: %+v", g)
		}
	})
}

func TestAskDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := in(t, session.AllGrants)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Ask(ctx, console.Say{Lane: chat.Everyone, Text: "hello"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if len(s.asks.open) != 0 {
			t.Error("it is still waited for")
		}
		if m := s.outbox.take(); m.GetSay() == nil {
			t.Error("what was said is lost")
		}
		if _, err := s.Ask(t.Context(), console.Say{Lane: chat.Everyone, Text: " \n"}); !errors.Is(err, ErrNothingToSay) {
			t.Errorf("nothing said: %v", err)
		}
	})
}

func TestWatchersAreToldBesideTheTerminal(t *testing.T) {
	s := in(t, session.AllGrants)
	seen, stop := s.Watch()
	s.signal()
	s.signal()
	<-seen
	<-s.Changed()
	select {
	case <-seen:
		t.Error("more than one signal was pending")
	default:
	}
	stop()
	s.signal()
	select {
	case <-seen:
		t.Error("told after stop")
	default:
	}
}
