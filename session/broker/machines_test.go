package broker

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"assist/transport/wire"
)

func enrollRequest(secret, name string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Enroll{Enroll: &wire.Enroll{Secret: secret, Name: name, Os: "Debian 13", Suggested: "fallback"}}}
}

func attendRequest(id string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Attend{Attend: &wire.Attend{Id: id, Os: "Debian 14"}}}
}

func connectRequest(token, machine string) *wire.Request {
	return &wire.Request{Kind: &wire.Request_Connect{Connect: &wire.Connect{Token: token, Machine: machine}}}
}

func changeRequest(c *wire.ChangeMachine) *wire.Request {
	return &wire.Request{Kind: &wire.Request_ChangeMachine{ChangeMachine: c}}
}

func ownRequest(session []byte, key byte) *wire.Request {
	hostKey := [32]byte{key}
	return &wire.Request{Kind: &wire.Request_OpenHost{OpenHost: &wire.OpenHost{Session: session, HostKey: hostKey[:]}}}
}

func code(r *wire.Reply) uint32 { return r.GetProblem().GetCode() }

// secret is an enrolment token made on the relay itself.
func (w *world) secret(name string, tags ...string) string {
	w.t.Helper()
	t, err := w.admin.MintEnrolment(w.t.Context(), "acme", name, tags, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return t.Secret
}

// enroll makes a machine of a connection with that key.
func (w *world) enroll(key byte, name string, tags ...string) (id string) {
	w.t.Helper()
	c := w.dial(key, "192.0.2.50")
	defer c.hangUp()
	r := c.ask(enrollRequest(w.secret(name, tags...), ""))
	if r.GetEnrolled().GetId() == "" || len(r.GetEnrolled().GetOrgKey()) != 32 {
		w.t.Fatalf("enroll: %v", r)
	}
	return r.GetEnrolled().Id
}

// agentOf is a logged-in agent.
func (w *world) agentOf(key byte, user string) (*caller, string) {
	c := w.dial(key, "192.0.2.9")
	return c, w.login(c, user)
}

func (c *caller) machines(token, tag string) (out []*wire.Machine) {
	c.w.t.Helper()
	sub := c.subscribe(&wire.Request{Kind: &wire.Request_ListMachines{ListMachines: &wire.ListMachines{Token: token, Tag: tag}}})
	defer sub.close()
	for {
		r := sub.next()
		if r.GetMachines() == nil {
			c.w.t.Fatalf("list of machines: %v", r)
		}
		out = append(out, r.GetMachines().All...)
		if !r.GetMachines().More {
			return out
		}
	}
}

func TestMachineIsEnrolledCalledAndAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mia, admin := w.agentOf(1, "mia@acme")
		r := mia.ask(&wire.Request{Kind: &wire.Request_MintEnrolment{MintEnrolment: &wire.MintEnrolment{Token: admin, Org: "acme", Tags: []string{"web", "lab", "web"}}}})
		m := w.dial(50, "192.0.2.50")
		in := m.ask(enrollRequest(r.GetEnrolment().GetSecret(), "web-01")).GetEnrolled()
		if in.GetName() != "web-01" || in.GetOrg() != "acme" || !bytes.Equal(in.GetOrgKey(), r.GetEnrolment().GetOrgKey()) {
			t.Fatalf("enrolled: %v", in)
		}
		eve, token := w.agentOf(2, "eve@acme")
		if off := eve.ask(connectRequest(token, "web-01")); code(off) != wire.CodeOffline {
			t.Errorf("a machine that is not connected: %v", off)
		}
		at := m.subscribe(attendRequest(in.Id))
		if a := at.next().GetAttending(); a.GetName() != "web-01" {
			t.Fatalf("attending: %v", a)
		}
		list := eve.machines(token, "")
		if len(list) != 1 || !list[0].Online || list[0].Busy || list[0].Os != "Debian 14" || len(list[0].Tags) != 2 || list[0].Key[0] != 50 {
			t.Errorf("list: %v", list)
		}
		if len(eve.machines(token, "lab")) != 1 || len(eve.machines(token, "db")) != 0 {
			t.Error("tags do not filter")
		}

		call := eve.subscribe(connectRequest(token, "web-01@acme"))
		c := call.next().GetConnecting()
		called := at.next().GetCalled()
		if len(c.GetCode()) != 8 || c.MachineKey[0] != 50 || !bytes.Equal(c.Session, called.GetSession()) {
			t.Fatalf("connecting %v, called %v", c, called)
		}
		host := w.dial(50, "192.0.2.50").subscribe(ownRequest(called.Session, 50))
		opened := host.next().GetOpened()
		if opened == nil || opened.InvitedBy.GetName() != "eve" || call.next().GetHostHere() == nil {
			t.Fatalf("opened: %v", opened)
		}
		joined := eve.subscribe(joinRequest(token, c.Code))
		if j := joined.next().GetJoined(); !bytes.Equal(j.GetSession(), c.Session) || j.HostKey[0] != 50 {
			t.Fatalf("joined: %v", j)
		}

		bob, bobs := w.agentOf(3, "bob@acme")
		second := bob.subscribe(connectRequest(bobs, "web-01"))
		c2 := second.next().GetConnecting()
		if !bytes.Equal(c2.GetSession(), c.Session) || c2.Code == c.Code || second.next().GetHostHere() == nil {
			t.Fatalf("a second agent is led to %v", c2)
		}
		if again := bob.subscribe(connectRequest(bobs, "web-01")).next().GetConnecting(); again.GetCode() != c2.Code {
			t.Errorf("asked twice, two ways in: %v", again)
		}
		if eve.ask(joinRequest(token, c2.Code)).GetJoined() == nil {
			t.Error("who is in may come back by any code of the session")
		}
		if bob.subscribe(joinRequest(bobs, c2.Code)).next().GetJoined() == nil {
			t.Error("the second agent cannot join")
		}
		if list := bob.machines(bobs, ""); !list[0].Busy {
			t.Error("a machine with a session is not busy")
		}
		for _, kind := range []string{"machine.token", "machine.enrol", "machine.connect"} {
			if w.audit(kind) != 1 {
				t.Errorf("%d events %s", w.audit(kind), kind)
			}
		}
	})
}

func TestEnrolmentTokenIsGoodOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		secret := w.secret("web-01")
		c := w.dial(50, "192.0.2.50")
		if r := c.ask(enrollRequest(secret, "web-02")); code(r) != wire.CodeBadRequest {
			t.Errorf("a token for another name: %v", r)
		}
		if r := c.ask(enrollRequest(secret, "")); r.GetEnrolled().GetName() != "web-01" {
			t.Fatalf("after a refusal that used nothing up: %v", r)
		}
		thief := w.dial(66, "203.0.113.66")
		if r := thief.ask(enrollRequest(secret, "")); code(r) != wire.CodeToken {
			t.Errorf("a token that was used: %v", r)
		}
		if r := thief.ask(enrollRequest("guessed", "")); code(r) != wire.CodeToken {
			t.Errorf("a token that nobody made: %v", r)
		}
		late := w.secret("late")
		time.Sleep(enrolLife)
		if r := thief.ask(enrollRequest(late, "")); code(r) != wire.CodeToken {
			t.Errorf("a token that has expired: %v", r)
		}
		other := w.secret("web-0l")
		if r := thief.ask(enrollRequest(other, "")); code(r) != wire.CodeMachineKey {
			t.Errorf("a name that looks like one with another key: %v", r)
		}
		if r := w.dial(50, "192.0.2.50").ask(enrollRequest(w.secret("renamed"), "")); r.GetEnrolled().GetName() != "renamed" {
			t.Errorf("the same key enrolled anew: %v", r)
		}
		all, err := w.store.Machines(context.Background(), mustOrg(w).ID)
		if err != nil || len(all) != 1 || all[0].Name != "renamed" {
			t.Errorf("machines: %v %v", all, err)
		}
	})
}

func TestMachineKeyIsBoundAtEnrolment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.enroll(50, "web-01")
		thief := w.dial(66, "203.0.113.66")
		if r := thief.ask(attendRequest(id)); code(r) != wire.CodeMachineKey {
			t.Errorf("another key: %v", r)
		}
		synctest.Wait()
		if w.audit("machine.key") != 1 {
			t.Errorf("%d events about another key", w.audit("machine.key"))
		}
		if r := thief.ask(attendRequest("nobody")); code(r) != wire.CodeNoMachine {
			t.Errorf("an id that is not there: %v", r)
		}
		m := w.dial(50, "192.0.2.50").subscribe(attendRequest(id))
		m.next()
		eve, token := w.agentOf(2, "eve@acme")
		c := eve.subscribe(connectRequest(token, "web-01")).next().GetConnecting()
		m.next()
		for name, r := range map[string]*wire.Reply{
			"another connection": thief.ask(ownRequest(c.Session, 50)),
			"another host key":   w.dial(50, "192.0.2.50").ask(ownRequest(c.Session, 66)),
			"a bare code":        thief.ask(openRequest(c.Code, 66)),
			"another's decline":  thief.ask(&wire.Request{Kind: &wire.Request_Decline{Decline: &wire.Decline{Session: c.Session}}}),
			"another's retire":   thief.ask(&wire.Request{Kind: &wire.Request_Retire{Retire: &wire.Retire{Id: id}}}),
		} {
			if r.GetProblem() == nil {
				t.Errorf("%s takes the machine's session: %v", name, r)
			}
		}
	})
}

func mustOrg(w *world) (o orgOf) {
	got, err := w.store.Org(context.Background(), "acme")
	if err != nil {
		w.t.Fatal(err)
	}
	return orgOf{got.ID}
}

type orgOf struct{ ID string }

func TestForeignAgentsAndAgentsWithoutOffice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if _, err := w.admin.AddOrg(t.Context(), "evil", "Evil"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.admin.AddAgent(t.Context(), "max@evil", password, true); err != nil {
			t.Fatal(err)
		}
		id := w.enroll(50, "web-01")
		w.dial(50, "192.0.2.50").subscribe(attendRequest(id)).next()
		max, foreign := w.agentOf(4, "max@evil")
		for _, name := range []string{"web-01@acme", "web-01", "nothing@acme"} {
			if r := max.ask(connectRequest(foreign, name)); code(r) != wire.CodeNoMachine {
				t.Errorf("%s for an agent of another organisation: %v", name, r)
			}
		}
		if list := max.machines(foreign, ""); len(list) != 0 {
			t.Errorf("they see %v", list)
		}
		eve, token := w.agentOf(2, "eve@acme")
		for name, r := range map[string]*wire.Request{
			"remove": changeRequest(&wire.ChangeMachine{Token: token, Machine: "web-01", To: &wire.ChangeMachine_Remove{Remove: true}}),
			"token":  {Kind: &wire.Request_MintEnrolment{MintEnrolment: &wire.MintEnrolment{Token: token, Org: "acme"}}},
		} {
			if got := eve.ask(r); code(got) != wire.CodeForbidden {
				t.Errorf("%s by an agent who is no administrator: %v", name, got)
			}
		}
		if r := max.ask(&wire.Request{Kind: &wire.Request_MintEnrolment{MintEnrolment: &wire.MintEnrolment{Token: foreign, Org: "acme"}}}); code(r) != wire.CodeForbidden {
			t.Errorf("an administrator of another organisation: %v", r)
		}
		if r := max.ask(changeRequest(&wire.ChangeMachine{Token: foreign, Machine: "web-01@acme", To: &wire.ChangeMachine_Remove{Remove: true}})); code(r) != wire.CodeNoMachine {
			t.Errorf("removal by another organisation: %v", r)
		}
	})
}

func TestNewerConnectionOfAMachineWins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.enroll(50, "web-01")
		old := w.dial(50, "192.0.2.50").subscribe(attendRequest(id)) // dies unnoticed: nobody closes it
		old.next()
		fresh := w.dial(50, "192.0.2.50").subscribe(attendRequest(id))
		fresh.next()
		eve, token := w.agentOf(2, "eve@acme")
		c := eve.subscribe(connectRequest(token, "web-01")).next().GetConnecting()
		if called := fresh.next().GetCalled(); !bytes.Equal(called.GetSession(), c.GetSession()) || c == nil {
			t.Errorf("the newer connection is not called: %v", called)
		}
		if r := old.next(); r != nil {
			t.Errorf("the older connection hears %v", r)
		}
		old.close()
		synctest.Wait()
		if list := eve.machines(token, ""); !list[0].Online {
			t.Error("the end of the older connection takes the newer one along")
		}
		fresh.close()
		synctest.Wait()
		if list := eve.machines(token, ""); list[0].Online || list[0].SeenUnix == 0 {
			t.Errorf("after it went: %v", list[0])
		}
	})
}

func TestSessionWaitsForItsMachine(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.enroll(50, "web-01")
		at := w.dial(50, "192.0.2.50")
		sub := at.subscribe(attendRequest(id))
		sub.next()
		eve, token := w.agentOf(2, "eve@acme")
		c := eve.subscribe(connectRequest(token, "web-01")).next().GetConnecting()
		sub.next()
		host := w.dial(50, "192.0.2.50")
		if host.subscribe(ownRequest(c.Session, 50)).next().GetOpened() == nil {
			t.Fatal("the machine cannot open its session")
		}
		if eve.subscribe(joinRequest(token, c.Code)).next().GetJoined() == nil {
			t.Fatal("the agent cannot join")
		}
		killed := w.dial(50, "192.0.2.50").subscribe(attendRequest(id)) // a new process, before the old one is found dead
		killed.next()
		if called := killed.next().GetCalled(); !bytes.Equal(called.GetSession(), c.Session) {
			t.Errorf("a new process is not told of the machine's session: %v", called)
		}
		host.hangUp() // the machine goes down
		at.hangUp()
		w.restart() // and the relay too
		back := w.dial(50, "192.0.2.50").subscribe(attendRequest(id))
		back.next()
		if called := back.next().GetCalled(); !bytes.Equal(called.GetSession(), c.Session) {
			t.Fatalf("a machine that comes back is not told of its session: %v", called)
		}
		if w.dial(50, "192.0.2.50").subscribe(ownRequest(c.Session, 50)).next().GetOpened() == nil {
			t.Error("it cannot open it again")
		}
		if w.dial(2, "192.0.2.9").subscribe(joinRequest(token, c.Code)).next().GetJoined() == nil {
			t.Error("the agent cannot come back")
		}
	})
}

func TestAdministratorChangesMachines(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.enroll(50, "web-01", "old")
		w.enroll(51, "web-02")
		sub := w.dial(50, "192.0.2.50").subscribe(attendRequest(id))
		sub.next()
		mia, token := w.agentOf(1, "mia@acme")
		change := func(name string, c *wire.ChangeMachine) *wire.Reply {
			c.Token, c.Machine = token, name
			return mia.ask(changeRequest(c))
		}
		if r := change("web-01", &wire.ChangeMachine{To: &wire.ChangeMachine_Name{Name: "web-02"}}); code(r) != wire.CodeBadRequest {
			t.Errorf("a name that is taken: %v", r)
		}
		if r := change("web-01", &wire.ChangeMachine{To: &wire.ChangeMachine_Name{Name: "db"}}); r.GetDone() == nil || sub.next().GetAttending().GetName() != "db" {
			t.Errorf("rename: %v", r)
		}
		if r := change("db", &wire.ChangeMachine{To: &wire.ChangeMachine_Tags{Tags: &wire.Tags{All: []string{"new"}}}}); r.GetDone() == nil {
			t.Errorf("tags: %v", r)
		}
		limits := "grants = [\"view\"]"
		if r := change("db", &wire.ChangeMachine{To: &wire.ChangeMachine_Restrict{Restrict: &wire.Restrict{Policy: limits}}}); r.GetDone() == nil || sub.next().GetAttending().GetRestrict() != limits {
			t.Errorf("restrict: %v", r)
		}
		if m := mia.machines(token, "new"); len(m) != 1 || m[0].Restrict != limits || m[0].Name != "db" {
			t.Errorf("list: %v", m)
		}
		call := mia.subscribe(connectRequest(token, "db"))
		call.next()
		sub.next()
		if r := change("db", &wire.ChangeMachine{To: &wire.ChangeMachine_Remove{Remove: true}}); r.GetDone() == nil {
			t.Errorf("remove: %v", r)
		}
		if r := sub.next(); code(r) != wire.CodeNoMachine {
			t.Errorf("the machine hears %v", r)
		}
		if r := call.next(); r.GetHostGone() == nil {
			t.Errorf("the agent hears %v", r)
		}
		if r := w.dial(50, "192.0.2.50").ask(attendRequest(id)); code(r) != wire.CodeNoMachine {
			t.Errorf("afterwards: %v", r)
		}
	})
}
