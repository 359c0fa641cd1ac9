package broker

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"assist/transport/wire"
)

func TestHostComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, thief := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer agent.hangUp()
		defer thief.hangUp()
		token := w.login(agent, "eve@acme")
		h, a, opened, _ := w.meet(host, agent, token)
		host.hangUp() // lost, not ended
		h.close()
		if a.next().GetHostGone() == nil {
			t.Error("the console does not hear that the host is gone")
		}
		if r := agent.ask(joinRequest(token, opened.Code)); r.GetProblem().GetCode() != wire.CodeHostGone {
			t.Errorf("an agent of the session while the host is away: %v", r)
		}
		if r := thief.ask(joinRequest(w.login(thief, "bob@acme"), opened.Code)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("a stranger while the host is away: %v", r)
		}
		if r := thief.ask(openRequest(opened.Code, 7)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("another device takes the host's place: %v", r)
		}
		time.Sleep(grace - time.Minute)
		host = w.dial(1, "192.0.2.99")
		defer host.hangUp()
		h = host.subscribe(openRequest(opened.Code, 7))
		back := h.next().GetOpened()
		if !bytes.Equal(back.GetSession(), opened.Session) || back.Channel.Id == opened.Channel.Id {
			t.Errorf("opened again: %v", back)
		}
		if a.next().GetHostHere() == nil {
			t.Error("the console does not hear that the host is back")
		}
		if !w.fwd.last().has(0) || !w.fwd.last().has(1) {
			t.Error("the relay does not forward between them again")
		}
		a.close()
		h.close()
	})
}

func TestHostReplacesItsOwnDeadConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		old, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer old.hangUp()
		defer agent.hangUp()
		h, a, opened, _ := w.meet(old, agent, w.login(agent, "eve@acme"))
		again := w.dial(1, "192.0.2.2")
		defer again.hangUp()
		h2 := again.subscribe(openRequest(opened.Code, 7))
		if h2.next().GetOpened() == nil {
			t.Fatal("the host cannot come over a new connection")
		}
		h.close() // the old stream ends now; that must not end the session
		synctest.Wait()
		a.close()
		if h2.next().GetPeerGone() == nil {
			t.Error("the new stream is not the session's")
		}
		h2.close()
	})
}

func TestHostDoesNotComeBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer agent.hangUp()
		h, a, _, _ := w.meet(host, agent, w.login(agent, "eve@acme"))
		host.hangUp()
		h.close()
		a.next() // the host is gone for now
		time.Sleep(grace + tidyEvery)
		if r := a.next(); r.GetHostGone() == nil {
			t.Errorf("the console is told %v", r)
		}
		if _, open := <-a.replies; open {
			t.Error("the console's stream goes on")
		}
		a.close()
	})
}

func TestSessionSurvivesARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		token := w.login(agent, "eve@acme")
		h, a, opened, _ := w.meet(host, agent, token)
		if r := host.ask(closeRequest("", opened.Session)); r.GetDone() == nil {
			t.Fatal(r)
		}
		host.hangUp()
		agent.hangUp()
		h.close()
		a.close()
		w.restart()

		host, agent = w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer host.hangUp()
		defer agent.hangUp()
		bob := w.dial(3, "203.0.113.1")
		defer bob.hangUp()
		if r := bob.ask(openRequest(opened.Code, 7)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("another device takes the session over after a restart: %v", r)
		}
		h = host.subscribe(openRequest(opened.Code, 7))
		if back := h.next().GetOpened(); !bytes.Equal(back.GetSession(), opened.Session) {
			t.Fatalf("the host is told %v", back)
		}
		if r := bob.ask(joinRequest(w.login(bob, "bob@acme"), opened.Code)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("a closed code is open after a restart: %v", r)
		}
		a = agent.subscribe(joinRequest(token, opened.Code))
		if a.next().GetJoined() == nil {
			t.Error("the agent cannot come back after a restart")
		}
		a.close()
		h.close()
	})
}

func TestRelayIsFull(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var hosts []*caller
		var open []*subscription
		for i := range 21 {
			c := w.dial(byte(i+1), home(i).String())
			s := c.subscribe(openRequest("", 7))
			hosts, open = append(hosts, c), append(open, s)
			r := s.next()
			if want := i < 20; (r.GetOpened() != nil) != want || (!want && r.GetProblem().GetCode() != wire.CodeFull) {
				t.Errorf("host %d: %v", i, r)
			}
		}
		for i := range hosts {
			open[i].close()
			hosts[i].hangUp()
		}
	})
}

// A reader that does not read is dropped; nobody waits for it, and nothing grows.
func TestSlowHostIsDropped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer host.hangUp()
		defer agent.hangUp()
		token := w.login(agent, "eve@acme")
		s := host.open(openRequest("", 7)) // reads its first reply, then nothing
		var r wire.Reply
		if err := wire.ReadMsg(s, wire.LimitControl, &r); err != nil {
			t.Fatal(err)
		}
		for range mailbox {
			a := agent.subscribe(joinRequest(token, r.GetOpened().Code))
			if a.next() == nil {
				t.Fatal("an agent waits for the host's mailbox")
			}
			a.close()
		}
		time.Sleep(replyWithin)
		synctest.Wait()
		if w.fwd.last().has(0) {
			t.Error("the host that does not read is still there")
		}
		s.Close()
	})
}

func TestGarbageIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := w.dial(1, "192.0.2.1")
		defer c.hangUp()
		long := make([]byte, wire.LimitPreAuth)
		for name, r := range map[string]*wire.Request{
			"nothing":          {},
			"short host key":   {Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{HostKey: []byte{1}}}},
			"long password":    loginRequest("eve@acme", string(make([]byte, maxPassword+1))),
			"no such session":  closeRequest("", []byte("short")),
			"badge of nothing": closeRequest("", nil),
		} {
			if got := c.ask(r).GetProblem().GetCode(); got != wire.CodeBadRequest {
				t.Errorf("%s: %d", name, got)
			}
		}
		s := c.open(&wire.Request{}) // a stream that closes at once
		s.Close()
		big := c.subscribe(&wire.Request{Kind: &wire.Request_Login{Login: &wire.Login{Account: "x", Device: string(long[:wire.LimitPreAuth-200])}}})
		if r := big.next(); r.GetProblem() == nil {
			t.Errorf("a device name of 4 KiB: %v", r)
		}
		big.close()
	})
}
