package broker

import (
	"bytes"
	"testing"
	"time"

	"assist/transport/wire"
)

// Unknown, expired, closed, used and malformed codes: the same answer, at the same time.
func TestWrongCodesAreAlike(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, bob := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer host.hangUp()
		defer agent.hangUp()
		defer bob.hangUp()
		token := w.login(agent, "eve@acme")
		h1, a1, closed, _ := w.meet(host, agent, token)
		if r := host.ask(closeRequest("", closed.Session)); r.GetDone() == nil {
			t.Fatalf("the host cannot close its code: %v", r)
		}
		h2, a2, used, _ := w.meet(host, agent, token)
		a2.close()
		h2.close()
		h3 := host.subscribe(openRequest("", 7))
		expired := h3.next().GetOpened()
		time.Sleep(codeLife)
		if r := h3.next(); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("the host is told %v when its code expires", r)
		}
		h3.close()
		h4 := host.subscribe(openRequest("", 7))
		alone := h4.next().GetOpened()
		time.Sleep(codeLife) // to the instant, before the directory has looked

		bobs := w.login(bob, "bob@acme")
		var first []byte
		check := func(name string, c *caller, r *wire.Request) {
			t.Helper()
			began := time.Now()
			reply := c.ask(r)
			if took := time.Since(began); took != wrongPause {
				t.Errorf("%s: answered after %v", name, took)
			}
			if first == nil {
				first = flat(t, reply)
			}
			if reply.GetProblem().GetCode() != wire.CodeUnknownCode || !bytes.Equal(flat(t, reply), first) {
				t.Errorf("%s: %v", name, reply)
			}
			time.Sleep(accountWindow) // so that no limit is met here
		}
		check("expired just now", bob, joinRequest(bobs, alone.Code))
		check("unknown", bob, joinRequest(bobs, other(closed.Code)))
		check("closed", bob, joinRequest(bobs, closed.Code))
		check("ended", bob, joinRequest(bobs, used.Code))
		check("expired", bob, joinRequest(bobs, expired.Code))
		check("empty", bob, joinRequest(bobs, ""))
		check("no code", bob, joinRequest(bobs, "123456789012345678901234567890"))
		check("host, unknown", bob, openRequest(other(closed.Code), 9))
		check("host, of another", bob, openRequest(closed.Code, 9))
		check("host, ended", bob, openRequest(used.Code, 9))
		a1.close()
		again := agent.subscribe(joinRequest(token, closed.Code))
		if again.next().GetJoined() == nil {
			t.Error("an agent who was in cannot come back after the code was closed")
		}
		again.close()
		h1.close()
		h4.close()
	})
}

// other is a code that is not c.
func other(c string) string {
	b := []byte(c)
	b[0] = '0' + (b[0]-'0'+1)%10
	return string(b)
}

func TestCodeLimits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer host.hangUp()
		defer agent.hangUp()
		token := w.login(agent, "eve@acme")
		h := host.subscribe(openRequest("", 7))
		code := h.next().GetOpened().Code
		for range accountWrong {
			if r := agent.ask(joinRequest(token, other(code))); r.GetProblem().GetCode() != wire.CodeUnknownCode {
				t.Fatalf("wrong code: %v", r)
			}
		}
		r := agent.ask(joinRequest(token, code))
		if r.GetProblem().GetCode() != wire.CodeSlowDown || r.Problem.RetryAfterS == 0 {
			t.Errorf("the right code after five wrong ones: %v", r)
		}
		if r := agent.ask(joinRequest("", code)); r.GetProblem().GetCode() != wire.CodeLoginNeeded {
			t.Errorf("a code without a login: %v", r)
		}
		h.close()
	})
}

func TestCodeLivesAsLongAsTheSession(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, bob := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer host.hangUp()
		defer agent.hangUp()
		defer bob.hangUp()
		h, a, opened, _ := w.meet(host, agent, w.login(agent, "eve@acme"))
		time.Sleep(5 * time.Hour)
		b := bob.subscribe(joinRequest(w.login(bob, "bob@acme"), opened.Code))
		if b.next().GetJoined().GetChannel().GetSelf() != 2 {
			t.Error("a second agent cannot join after hours")
		}
		a.close()
		b.close()
		h.close()
	})
}
