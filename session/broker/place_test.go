package broker

import (
	"bytes"
	"testing"
	"testing/synctest"

	"assist/transport/wire"
)

func backRequest(token string, place []byte) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Join{Join: &wire.Join{Token: token, Place: place}}}
}

func TestConsoleHasItsPlaceBackAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		token := w.login(agent, "eve@acme")
		h, a, opened, joined := w.meet(host, agent, token)
		host.hangUp()
		agent.hangUp()
		h.close()
		a.close()
		w.restart()

		agent, other := w.dial(2, "198.51.100.9"), w.dial(3, "203.0.113.1")
		theirs := w.login(other, "bob@acme")
		for name, place := range map[string][]byte{
			"a place of another device": joined.Place,
			"a forged place":            append(bytes.Clone(joined.Place[:placeBody]), make([]byte, 16)...),
			"half a place":              joined.Place[:20],
		} {
			if r := other.ask(backRequest(theirs, place)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
				t.Errorf("%s: %v", name, r)
			}
		}
		a = agent.subscribe(backRequest(token, joined.Place)) // the host is not back yet
		back := a.next().GetJoined()
		if back == nil || back.Channel.Self != joined.Channel.Self || !bytes.Equal(back.Session, opened.Session) || back.Badge == "" {
			t.Fatalf("back: %v", back)
		}
		host = w.dial(1, "192.0.2.1")
		h = host.subscribe(openRequest(opened.Code, 7))
		if h.next().GetOpened() == nil || a.next().GetHostHere() == nil {
			t.Error("the host does not meet the console that was there first")
		}
		b := other.subscribe(joinRequest(theirs, opened.Code))
		if j := b.next().GetJoined(); j == nil || j.Channel.Self == joined.Channel.Self {
			t.Errorf("who comes new has the place of another: %v", j)
		}
		a.close()
		b.close()
		h.close()
	})
}

func TestConsoleReplacesItsOwnDeadConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, old := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		token := w.login(old, "eve@acme")
		h, a, _, joined := w.meet(host, old, token)
		again := w.dial(2, "198.51.100.9")
		a2 := again.subscribe(backRequest(token, joined.Place))
		if back := a2.next().GetJoined(); back == nil || back.Channel.Self != joined.Channel.Self || back.Channel.Id == joined.Channel.Id {
			t.Errorf("back: %v", back)
		}
		a.close() // the old stream ends now; that must not take the place
		if r := again.ask(&wire.Request{Kind: &wire.Request_GetBadge{GetBadge: &wire.GetBadge{Token: token, Session: joined.Session}}}); r.GetBadge() == nil {
			t.Errorf("no badge: %v", r)
		}
		if !w.fwd.last().has(joined.Channel.Self) {
			t.Error("the relay does not forward to the console")
		}
		a2.close()
		h.close()
	})
}

// A console whose place is gone finds the session again by its token: where that has ended nothing counts as a wrong try.
func TestConsoleThatHasNoPlaceGuessesNothing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		token := w.login(agent, "eve@acme")
		h, a, opened, joined := w.meet(host, agent, token)
		host.hangUp()
		agent.hangUp()
		h.close()
		a.close()
		w.restart()
		again := func() *wire.Request {
			r := backRequest(token, joined.Place)
			r.GetJoin().Anew = true
			return r
		}

		host, agent, other := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		h = host.subscribe(openRequest(opened.Code, 7))
		if h.next().GetOpened() == nil {
			t.Fatal("the host does not come back")
		}
		_ = w.b.dir.do(func() error { // after a restart numbers are given out from a random one on
			w.b.dir.byID[[16]byte(opened.Session)].nextPeer = joined.Channel.Self - 1
			return nil
		})
		b := other.subscribe(joinRequest(w.login(other, "bob@acme"), opened.Code))
		if j := b.next().GetJoined(); j == nil || j.Channel.Self != joined.Channel.Self {
			t.Fatalf("the other console has another number, so this shows nothing: %v", j)
		}
		if r := agent.ask(backRequest(token, joined.Place)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("two consoles have one number: %v", r)
		}
		a = agent.subscribe(again())
		if j := a.next().GetJoined(); j == nil || j.Channel.Self == joined.Channel.Self || !bytes.Equal(j.Session, joined.Session) {
			t.Errorf("anew: %v", j)
		}
		a.close()
		b.close()
		for range 4 {
			h.next() // both came, both went
		}
		h.close() // the session has ended
		synctest.Wait()
		for range 2 * accountWrong {
			if r := agent.ask(again()); r.GetProblem().GetCode() != wire.CodeUnknownCode {
				t.Errorf("of a session that has ended: %v", r)
			}
		}
		h = host.subscribe(openRequest("", 7))
		a = agent.subscribe(joinRequest(token, h.next().GetOpened().GetCode()))
		if a.next().GetJoined() == nil {
			t.Error("the agent is locked out")
		}
		a.close()
		h.close()
	})
}
