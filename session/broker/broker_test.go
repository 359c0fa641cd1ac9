package broker

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"testing/synctest"
	"time"

	"assist/session"
	"assist/session/inner/badge"
	"assist/transport/wire"
)

func TestHelloSaysWhoIsOld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			lowest, highest uint32
			code            uint32
		}{{0, 0, wire.CodeTooOld}, {wire.MaxVersion + 1, wire.MaxVersion + 5, wire.CodeTooNew}, {wire.MinVersion, wire.MaxVersion + 5, 0}} {
			c1 := w.connect(1, "192.0.2.1")
			s := c1.open(&wire.Hello{MinVersion: c.lowest, MaxVersion: c.highest})
			var reply wire.HelloReply
			if err := wire.ReadMsg(s, wire.LimitControl, &reply); err != nil {
				t.Fatal(err)
			}
			if reply.GetProblem().GetCode() != c.code || (reply.Version != 0) != (c.code == 0) {
				t.Errorf("versions %d to %d: %v", c.lowest, c.highest, &reply)
			}
			s.Close()
			c1.hangUp()
		}
	})
}

func TestConnectionsThatSayNothingAreDropped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		<-w.connect(0, "192.0.2.1").gone // without a key
		silent := w.connect(1, "192.0.2.1")
		<-silent.gone
		slow := w.dial(2, "192.0.2.1")
		defer slow.hangUp()
		s := slow.open(&wire.Request{})
		s.Close()
	})
}

func TestLogin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		laptop, thief := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer laptop.hangUp()
		defer thief.hangUp()
		token := w.login(laptop, "Eve@acme")
		a := laptop.ask(whoamiRequest(token)).GetAccount()
		if a.GetName() != "eve" || a.GetOrg() != "acme" || a.GetOrgTitle() != "Acme Ltd" || a.GetAdmin() {
			t.Errorf("account %v", a)
		}
		for name, r := range map[string]*wire.Reply{
			"from another device": thief.ask(whoamiRequest(token)),
			"logout by another":   thief.ask(&wire.Request{Kind: &wire.Request_Logout{Logout: &wire.Logout{Token: token}}}),
			"a token made up":     laptop.ask(whoamiRequest("nonsense")),
			"no token":            laptop.ask(whoamiRequest("")),
		} {
			if r.GetProblem().GetCode() != wire.CodeLoginNeeded {
				t.Errorf("%s: %v", name, r)
			}
		}
		second := w.login(laptop, "eve@acme")
		if laptop.ask(whoamiRequest(token)).GetProblem() == nil {
			t.Error("the token before a new login of the device is still valid")
		}
		if r := laptop.ask(&wire.Request{Kind: &wire.Request_Logout{Logout: &wire.Logout{Token: second}}}); r.GetDone() == nil {
			t.Errorf("logout: %v", r)
		}
		if laptop.ask(whoamiRequest(second)).GetProblem().GetCode() != wire.CodeLoginNeeded {
			t.Error("the token is valid after logout")
		}
		third := w.login(laptop, "eve@acme")
		time.Sleep(tokenLife)
		if laptop.ask(whoamiRequest(third)).GetProblem().GetCode() != wire.CodeLoginNeeded {
			t.Error("the token is valid after its life")
		}
		if w.audit("login") != 3 || w.audit("logout") != 1 {
			t.Errorf("the audit log has %d logins and %d logouts", w.audit("login"), w.audit("logout"))
		}
	})
}

// Whatever is wrong, the answer is the same, and comes at the same time.
func TestWrongLoginsAreAlike(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := w.admin.SetAgentDisabled(t.Context(), "bob@acme", true); err != nil {
			t.Fatal(err)
		}
		var first []byte
		for i, r := range []*wire.Request{
			loginRequest("eve@acme", "wrong"), loginRequest("eve@acme", ""), loginRequest("nobody@acme", password),
			loginRequest("eve@nowhere", password), loginRequest("eve", password), loginRequest("", ""),
			loginRequest("bob@acme", password), loginRequest("eve@acme\x1b[2J", password),
		} {
			c := w.dial(byte(10+i), home(i).String())
			began := time.Now()
			reply := c.ask(r)
			if took := time.Since(began); took != wrongPause {
				t.Errorf("%v: answered after %v", r, took)
			}
			if first == nil {
				first = flat(t, reply)
			}
			if reply.GetProblem().GetCode() != wire.CodeBadLogin || !bytes.Equal(flat(t, reply), first) {
				t.Errorf("%v: %v", r, reply)
			}
			c.hangUp()
		}
	})
}

func TestLoginLimits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		known := w.dial(1, "192.0.2.1")
		defer known.hangUp()
		w.login(known, "eve@acme")
		for i := range accountWrong {
			c := w.dial(byte(10+i), home(i).String())
			if r := c.ask(loginRequest("eve@acme", "guess")); r.GetProblem().GetCode() != wire.CodeBadLogin {
				t.Fatalf("guess %d: %v", i, r)
			}
			c.hangUp()
		}
		stranger := w.dial(50, home(50).String())
		defer stranger.hangUp()
		r := stranger.ask(loginRequest("eve@acme", password))
		if r.GetProblem().GetCode() != wire.CodeSlowDown || r.Problem.RetryAfterS == 0 || r.Problem.RetryAfterS > 600 {
			t.Errorf("the right password of a locked account: %v", r)
		}
		w.login(known, "eve@acme") // strangers do not lock her own device out
		time.Sleep(accountWindow)
		w.login(stranger, "eve@acme")
		synctest.Wait()
		if w.audit("login.locked") != 1 {
			t.Errorf("%d lines about a locked account", w.audit("login.locked"))
		}
	})
}

func flat(t *testing.T, r *wire.Reply) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := wire.WriteMsg(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// meet opens a host and lets an agent join.
func (w *world) meet(host, agent *caller, token string) (h, a *subscription, opened *wire.Opened, joined *wire.Joined) {
	w.t.Helper()
	h = host.subscribe(openRequest("", 7))
	if opened = h.next().GetOpened(); opened == nil {
		w.t.Fatal("the host is not let in")
	}
	a = agent.subscribe(joinRequest(token, opened.Code))
	r := a.next()
	if joined = r.GetJoined(); joined == nil {
		w.t.Fatalf("the agent is not let in: %v", r)
	}
	if in := h.next().GetIntroduced(); in.GetPeer() != joined.Channel.Self || in.GetAccount().GetName() == "" {
		w.t.Fatalf("the host is told %v", in)
	}
	return h, a, opened, joined
}

func TestCustomerStarts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		defer host.hangUp()
		defer agent.hangUp()
		h, a, opened, joined := w.meet(host, agent, w.login(agent, "eve@acme"))
		if !codeRule.MatchString(opened.Code) || len(opened.Session) != 16 || opened.Channel.Self != 0 ||
			opened.ExpiresUnix != time.Now().Add(codeLife).Unix() || opened.InvitedBy != nil {
			t.Errorf("opened %v", opened)
		}
		if !bytes.Equal(joined.Session, opened.Session) || joined.HostKey[0] != 7 || joined.Channel.Self != 1 {
			t.Errorf("joined %v", joined)
		}
		g := w.fwd.last()
		if !g.has(0) || !g.has(1) {
			t.Error("the relay does not forward between them")
		}
		c, err := badge.Parse(ed25519.PublicKey(opened.BadgeKey), joined.Badge, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check([16]byte(opened.Session), [32]byte{7}, [32]byte{2}); err != nil {
			t.Error(err)
		}
		org, err := OrgKey(w.dir, "acme")
		if err != nil {
			t.Fatal(err)
		}
		trust := c.Trust(time.Now(), func(_ string, k ed25519.PublicKey) bool { return k.Equal(org.Public()) })
		if c.Handle != "eve@acme" || c.OrgTitle != "Acme Ltd" || trust != session.VerifiedOrg {
			t.Errorf("badge %+v, trust %v", c, trust)
		}
		a.close()
		if h.next().GetPeerGone().GetPeer() != 1 || g.has(1) {
			t.Error("the host does not hear that the agent has left")
		}
		h.close()
		synctest.Wait()
		if g.has(0) || !g.closed {
			t.Error("the group outlives its session")
		}
		if w.audit("session.join") != 1 || w.audit("session.end") != 1 || w.audit("code.mint") != 1 {
			t.Error("the audit log misses something")
		}
	})
}

func TestAgentStarts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, other := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer host.hangUp()
		defer agent.hangUp()
		defer other.hangUp()
		token := w.login(agent, "eve@acme")
		s := agent.subscribe(startRequest(token))
		minted := s.next().GetMinted()
		if minted == nil {
			t.Fatal("no code")
		}
		if r := agent.ask(joinRequest(token, minted.Code)); r.GetProblem().GetCode() != wire.CodeHostGone {
			t.Errorf("the agent who waits joins too early: %v", r)
		}
		if r := other.ask(joinRequest(w.login(other, "bob@acme"), minted.Code)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("a stranger learns that the code is one: %v", r)
		}
		h := host.subscribe(openRequest(minted.Code, 7))
		opened := h.next().GetOpened()
		if opened.GetInvitedBy().GetName() != "eve" || opened.Code != minted.Code || !bytes.Equal(opened.Session, minted.Session) {
			t.Errorf("opened %v", opened)
		}
		if s.next().GetHostHere() == nil {
			t.Error("the agent does not hear that the host is here")
		}
		if r := other.ask(openRequest(minted.Code, 8)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("another host takes the code: %v", r)
		}
		a := agent.subscribe(joinRequest(token, minted.Code))
		if a.next().GetJoined() == nil {
			t.Error("the agent cannot join")
		}
		s.close()
		a.close()
		h.close()
	})
}

func TestBadges(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, bob := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer host.hangUp()
		defer agent.hangUp()
		defer bob.hangUp()
		token := w.login(agent, "eve@acme")
		h, a, opened, joined := w.meet(host, agent, token)
		get := func(c *caller, token string) *wire.Reply {
			return c.ask(&wire.Request{Kind: &wire.Request_GetBadge{GetBadge: &wire.GetBadge{Token: token, Session: opened.Session}}})
		}
		fresh := get(agent, token).GetBadge()
		first, err1 := badge.Parse(opened.BadgeKey, joined.Badge, time.Now())
		second, err2 := badge.Parse(opened.BadgeKey, fresh.GetBadge(), time.Now())
		if err1 != nil || err2 != nil || first.ID == second.ID || second.Session != first.Session {
			t.Errorf("badges %v %v %v %v", first, err1, second, err2)
		}
		if r := get(bob, w.login(bob, "bob@acme")); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("an agent who is not in the session gets a badge for it: %v", r)
		}
		a.close()
		synctest.Wait()
		if r := get(agent, token); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("an agent who has left gets a badge: %v", r)
		}
		h.close()
	})
}

func TestWhoMayCloseTheCode(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent, bob := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1"), w.dial(3, "203.0.113.1")
		defer host.hangUp()
		defer agent.hangUp()
		defer bob.hangUp()
		token, bobs := w.login(agent, "eve@acme"), w.login(bob, "bob@acme")
		h, a, opened, _ := w.meet(host, agent, token)
		b := bob.subscribe(joinRequest(bobs, opened.Code))
		b.next()
		if r := bob.ask(closeRequest(bobs, opened.Session)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("an agent who is not the lead: %v", r)
		}
		if r := agent.ask(closeRequest(token, opened.Session)); r.GetDone() == nil {
			t.Errorf("the lead: %v", r)
		}
		for _, s := range []*subscription{a, b, h} {
			s.close()
		}
		s := agent.subscribe(startRequest(token))
		minted := s.next().GetMinted()
		if r := agent.ask(closeRequest(token, minted.Session)); r.GetDone() == nil {
			t.Errorf("the agent who started: %v", r)
		}
		if s.next().GetHostGone() == nil {
			t.Error("the stream that waits for the host goes on")
		}
		s.close()
	})
}

func TestDrainSaysSo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		host, agent := w.dial(1, "192.0.2.1"), w.dial(2, "198.51.100.1")
		h, a, _, _ := w.meet(host, agent, w.login(agent, "eve@acme"))
		w.b.Drain()
		w.b.Drain()
		if r := agent.ask(whoamiRequest("x")); r.GetProblem().GetCode() != wire.CodeDraining {
			t.Errorf("a request while draining: %v", r)
		}
		w.stop()
		for _, s := range []*subscription{h, a} {
			if r := s.next(); r.GetProblem().GetCode() != wire.CodeDraining {
				t.Errorf("last word: %v", r)
			}
			if r, more := <-s.replies; more {
				t.Errorf("after the last word: %v", r)
			}
			s.close()
		}
		host.hangUp()
		agent.hangUp()
	})
}
