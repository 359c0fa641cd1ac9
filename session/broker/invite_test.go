package broker

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"assist/session"
	"assist/session/inner/badge"
	"assist/transport/wire"
)

func inviteRequest(token string, session []byte, who string, viewOnly bool, life time.Duration) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Invite{Invite: &wire.Invite{
		Token: token, Session: session, For: who, ViewOnly: viewOnly, LifeS: uint32(life / time.Second),
	}}}
}

func listRequest(token string, session []byte) *wire.Request {
	return &wire.Request{Kind: &wire.Request_ListInvites{ListInvites: &wire.ListInvites{Token: token, Session: session}}}
}

func revokeRequest(token string, session []byte, code string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_RevokeInvite{RevokeInvite: &wire.RevokeInvite{Token: token, Session: session, Code: code}}}
}

// party is a session of a host and eve, with bob of her organisation and zoe of another one outside.
type party struct {
	*world
	host, eve, bob, zoe      *caller
	eveToken, bobToken, zoes string
	h, a                     *subscription
	opened                   *wire.Opened
}

func inParty(t *testing.T, test func(t *testing.T, p *party)) {
	inWorld(t, func(t *testing.T, w *world) {
		if _, err := w.admin.AddOrg(t.Context(), "bolt", "Bolt Ltd"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.admin.AddAgent(t.Context(), "zoe@bolt", password, false); err != nil {
			t.Fatal(err)
		}
		p := &party{world: w, host: w.dial(1, "192.0.2.1"), eve: w.dial(2, "198.51.100.1"), bob: w.dial(3, "203.0.113.1"), zoe: w.dial(4, "203.0.113.99")}
		p.eveToken, p.bobToken, p.zoes = w.login(p.eve, "eve@acme"), w.login(p.bob, "bob@acme"), w.login(p.zoe, "zoe@bolt")
		p.h, p.a, p.opened, _ = w.meet(p.host, p.eve, p.eveToken)
		test(t, p)
		p.a.close()
		p.h.close()
		for _, c := range []*caller{p.host, p.eve, p.bob, p.zoe} {
			c.hangUp()
		}
	})
}

func (p *party) invite(who string, viewOnly bool, life time.Duration) *wire.Invited {
	p.t.Helper()
	r := p.eve.ask(inviteRequest(p.eveToken, p.opened.Session, who, viewOnly, life))
	if r.GetInvited() == nil {
		p.t.Fatalf("no invitation: %v", r)
	}
	return r.GetInvited()
}

func (p *party) open() (codes []string) {
	p.t.Helper()
	for _, i := range p.eve.ask(listRequest(p.eveToken, p.opened.Session)).GetInvites().GetOpen() {
		codes = append(codes, i.Code)
	}
	return codes
}

// comes joins by a code and goes again; it returns what the badge allows.
func (p *party) comes(c *caller, token, code string) session.Grants {
	p.t.Helper()
	s := c.subscribe(joinRequest(token, code))
	defer s.close()
	r := s.next()
	if r.GetJoined() == nil {
		p.t.Fatalf("not let in: %v", r)
	}
	claims, err := badge.Parse(ed25519.PublicKey(p.opened.BadgeKey), r.GetJoined().Badge, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	again := c.ask(&wire.Request{Kind: &wire.Request_GetBadge{GetBadge: &wire.GetBadge{Token: token, Session: p.opened.Session}}})
	fresh, err := badge.Parse(ed25519.PublicKey(p.opened.BadgeKey), again.GetBadge().GetBadge(), time.Now())
	if err != nil || fresh.Most != claims.Most {
		p.t.Errorf("a fresh badge allows %v, the first %v (%v)", fresh.Most, claims.Most, err)
	}
	return claims.Most
}

func TestInvitationBringsAnotherOrganisationIn(t *testing.T) {
	inParty(t, func(t *testing.T, p *party) {
		i := p.invite("", false, 0)
		if !codeRule.MatchString(i.Code) || i.Code == p.opened.Code || i.ExpiresUnix != time.Now().Add(inviteLife).Unix() || i.By != "eve@acme" {
			t.Errorf("%v", i)
		}
		if most := p.comes(p.zoe, p.zoes, i.Code); most != 0 {
			t.Errorf("bound to %v", most)
		}
		if n := p.audit("invite.create"); n != 1 {
			t.Errorf("%d events", n)
		}
		time.Sleep(inviteLife)
		p.comes(p.zoe, p.zoes, i.Code) // who was in comes back by it
	})
}

func TestWhoMayInvite(t *testing.T) {
	inParty(t, func(t *testing.T, p *party) {
		for name, r := range map[string]*wire.Reply{
			"invite": p.bob.ask(inviteRequest(p.bobToken, p.opened.Session, "", false, 0)),
			"list":   p.bob.ask(listRequest(p.bobToken, p.opened.Session)),
			"revoke": p.bob.ask(revokeRequest(p.bobToken, p.opened.Session, p.invite("", false, 0).Code)),
			"device": p.zoe.ask(inviteRequest(p.eveToken, p.opened.Session, "", false, 0)), // her token, not her device
		} {
			if c := r.GetProblem().GetCode(); c != wire.CodeUnknownCode && (name != "device" || c != wire.CodeLoginNeeded) {
				t.Errorf("%s from outside: %v", name, r)
			}
		}
		for _, bad := range []*wire.Request{
			inviteRequest(p.eveToken, p.opened.Session, "zoe@", false, 0), inviteRequest(p.eveToken, p.opened.Session, "Bo lt", false, 0),
			inviteRequest(p.eveToken, p.opened.Session, "", false, inviteMaxLife+time.Second), inviteRequest(p.eveToken, []byte{1}, "", false, 0),
		} {
			if r := p.eve.ask(bad); r.GetProblem().GetCode() != wire.CodeBadRequest {
				t.Errorf("%v: %v", bad, r)
			}
		}
		s := p.bob.subscribe(startRequest(p.bobToken)) // who started a session may, before anybody is in
		minted := s.next().GetMinted()
		if r := p.bob.ask(inviteRequest(p.bobToken, minted.GetSession(), "", false, 0)); r.GetInvited() == nil {
			t.Errorf("the one who started it: %v", r)
		}
		s.close()
	})
}

// Expired, revoked, for somebody else, of a session that ended: as an unknown code, at the same time.
func TestWrongInvitationsAreLikeUnknownCodes(t *testing.T) {
	inParty(t, func(t *testing.T, p *party) {
		expired, ends := p.invite("", false, time.Minute), time.Now().Add(time.Minute)
		revoked, foreign, org := p.invite("", false, day), p.invite("bob@acme", false, day), p.invite("acme", false, day)
		if r := p.eve.ask(revokeRequest(p.eveToken, p.opened.Session, revoked.Code)); r.GetDone() == nil {
			t.Fatalf("not revoked: %v", r)
		}
		if r := p.eve.ask(revokeRequest(p.eveToken, p.opened.Session, revoked.Code)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("revoked twice: %v", r)
		}
		time.Sleep(time.Until(ends))
		var first []byte
		for _, code := range []string{other(p.opened.Code), expired.Code, revoked.Code, foreign.Code, org.Code} {
			began := time.Now()
			reply := p.zoe.ask(joinRequest(p.zoes, code))
			if first == nil {
				first = flat(t, reply)
			}
			if time.Since(began) != wrongPause || reply.GetProblem().GetCode() != wire.CodeUnknownCode || !bytes.Equal(flat(t, reply), first) {
				t.Errorf("%s after %v: %v", code, time.Since(began), reply)
			}
			time.Sleep(accountWindow)
		}
		if r := p.zoe.ask(openRequest(org.Code, 9)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("a host opens an invitation: %v", r)
		}
		p.comes(p.bob, p.bobToken, foreign.Code)
		if got := p.open(); len(got) != 2 {
			t.Errorf("open: %v", got)
		}
		if n := p.audit("invite.revoke"); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestViewOnlyStaysViewOnly(t *testing.T) {
	const seeing = session.View | session.Chat
	inParty(t, func(t *testing.T, p *party) {
		look, full := p.invite("", true, 0), p.invite("bolt", false, 0)
		for name, code := range map[string]string{"invitation": look.Code, "the session's own code": p.opened.Code} {
			if most := p.comes(p.zoe, p.zoes, look.Code); most != seeing {
				t.Errorf("%s: %v", name, most)
			}
			if most := p.comes(p.zoe, p.zoes, code); most != seeing {
				t.Errorf("%s: %v", name, most)
			}
		}
		s := p.zoe.subscribe(joinRequest(p.zoes, look.Code))
		s.next()
		made := p.zoe.ask(inviteRequest(p.zoes, p.opened.Session, "", false, 0)).GetInvited()
		if !made.GetViewOnly() {
			t.Errorf("who may only look invites to more: %v", made)
		}
		s.close()
		p.comeBack(t)
		if most := p.comes(p.zoe, p.zoes, look.Code); most != seeing {
			t.Errorf("after a restart: %v", most)
		}
		if got := strings.Join(p.open(), " "); !strings.Contains(got, look.Code) || !strings.Contains(got, full.Code) {
			t.Errorf("after a restart these are open: %s", got)
		}
		if most := p.comes(p.zoe, p.zoes, full.Code); most != 0 {
			t.Errorf("by a later invitation to more: %v", most)
		}
	})
}

// comeBack is the relay dying and everybody coming back.
func (p *party) comeBack(t *testing.T) {
	t.Helper()
	for _, c := range []*caller{p.host, p.eve, p.bob, p.zoe} {
		c.hangUp()
	}
	p.h.close()
	p.a.close()
	p.restart()
	p.host, p.eve = p.dial(1, "192.0.2.1"), p.dial(2, "198.51.100.1")
	p.bob, p.zoe = p.dial(3, "203.0.113.1"), p.dial(4, "203.0.113.99")
	p.h = p.host.subscribe(openRequest(p.opened.Code, 7))
	if p.h.next().GetOpened() == nil {
		t.Fatal("the host does not come back")
	}
	p.a = p.eve.subscribe(joinRequest(p.eveToken, p.opened.Code))
	if p.a.next().GetJoined() == nil {
		t.Fatal("eve does not come back")
	}
}

func TestOpenInvitationsAreBounded(t *testing.T) {
	inParty(t, func(t *testing.T, p *party) {
		var codes []string
		for range maxOpenInvites {
			codes = append(codes, p.invite("", false, 0).Code)
			time.Sleep(3 * time.Second) // within the pace
		}
		ask := inviteRequest(p.eveToken, p.opened.Session, "", false, 0)
		if r := p.eve.ask(ask); r.GetProblem().GetCode() != wire.CodeFull {
			t.Errorf("one more: %v", r)
		}
		if r := p.eve.ask(revokeRequest(p.eveToken, p.opened.Session, codes[3])); r.GetDone() == nil {
			t.Fatal(r)
		}
		time.Sleep(3 * time.Second)
		if r := p.eve.ask(ask); r.GetInvited() == nil {
			t.Errorf("in place of a revoked one: %v", r)
		}
		p.host.ask(closeRequest("", p.opened.Session))
		if r := p.bob.ask(joinRequest(p.bobToken, codes[0])); r.GetProblem().GetCode() != wire.CodeUnknownCode {
			t.Errorf("after the code was closed: %v", r)
		}
	})
}
