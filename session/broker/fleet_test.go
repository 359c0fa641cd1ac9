package broker

import (
	"errors"
	"testing"
	"time"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// relays are two relays of one fleet, on real time: leases go by the database's clock.
func relays(t *testing.T) (a, b *world) {
	t.Helper()
	dir := t.TempDir()
	for _, w := range []**world{&a, &b} {
		*w = &world{t: t, dir: dir, fwd: &forwards{}}
	}
	a.fleet = &Fleet{ID: "a", Addr: "a.example:8443", Pin: "1.aaaa"}
	b.fleet = &Fleet{ID: "b", Addr: "b.example:8443", Pin: "1.bbbb"}
	a.open()
	b.open()
	b.b.fleet.look(t.Context())
	a.b.fleet.look(t.Context()) // now they know of each other
	t.Cleanup(b.close)
	admin := Admin{Store: a.store, Dir: dir}
	if _, err := admin.AddOrg(t.Context(), "acme", "Acme Ltd"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.AddAgent(t.Context(), "eve@acme", password, false); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// ring connects until the test is over.
func ring(w *world, key byte, addr string) *caller {
	c := w.dial(key, addr)
	w.t.Cleanup(c.hangUp)
	return c
}

func movesTo(r *wire.Reply) string {
	if r.GetProblem().GetCode() != wire.CodeMoved {
		return r.String()
	}
	return r.GetProblem().GetMoved().GetAddr() + " " + r.GetProblem().GetMoved().GetKey()
}

const (
	toA = "a.example:8443 1.aaaa"
	toB = "b.example:8443 1.bbbb"
)

func TestAnyRelayAnswersACode(t *testing.T) {
	a, b := relays(t)
	defer a.close()
	opened := ring(a, 9, "198.51.100.1").subscribe(openRequest("", 7)).next().GetOpened()
	agent := ring(b, 1, "203.0.113.1")
	token := b.login(agent, "eve@acme")
	if got := movesTo(agent.ask(joinRequest(token, opened.Code))); got != toA {
		t.Errorf("a join through the other relay: %s", got)
	}
	if r := ring(b, 8, "198.51.100.2").ask(openRequest(opened.Code, 8)); r.GetProblem().GetCode() != wire.CodeUnknownCode {
		t.Errorf("another host hears of the session: %v", r)
	}
	if r := agent.ask(joinRequest(token, "00000000")); r.GetProblem().GetCode() != wire.CodeUnknownCode {
		t.Errorf("a wrong code: %v", r)
	}
	there := ring(a, 1, "203.0.113.1") // the token is good at both
	if r := there.subscribe(joinRequest(token, opened.Code)).next(); r.GetJoined() == nil {
		t.Errorf("at the right relay: %v", r)
	}
}

func TestSessionsOfADeadRelayAreTakenOver(t *testing.T) {
	a, b := relays(t)
	host, agent := ring(a, 9, "198.51.100.1"), ring(a, 1, "203.0.113.1")
	hosting := host.subscribe(openRequest("", 7))
	opened := hosting.next().GetOpened()
	token := a.login(agent, "eve@acme")
	joining := agent.subscribe(joinRequest(token, opened.Code))
	joining.next()
	a.close()
	for _, s := range []*subscription{hosting, joining} {
		r := s.next()
		for r.GetIntroduced() != nil {
			r = s.next()
		}
		if movesTo(r) != toB {
			t.Errorf("the last word is %v", r)
		}
	}
	agent = ring(b, 1, "203.0.113.1")
	if r := agent.ask(joinRequest(token, opened.Code)); r.GetProblem().GetCode() != wire.CodeHostGone {
		t.Errorf("before the host is there: %v", r)
	}
	again := ring(b, 9, "198.51.100.1").subscribe(openRequest(opened.Code, 7)).next().GetOpened()
	if again.GetCode() != opened.Code || string(again.GetSession()) != string(opened.Session) {
		t.Fatalf("the host gets %v", again)
	}
	if r := agent.subscribe(joinRequest(token, opened.Code)).next(); r.GetJoined() == nil {
		t.Errorf("after: %v", r)
	}
}

func TestDrainMovesSessionsAndNewcomers(t *testing.T) {
	a, b := relays(t)
	defer a.close()
	hosting := ring(a, 9, "198.51.100.1").subscribe(openRequest("", 7))
	opened := hosting.next().GetOpened()
	if err := a.store.Drain(t.Context(), "a", true); err != nil {
		t.Fatal(err)
	}
	a.b.fleet.look(t.Context())
	if got := movesTo(hosting.next()); got != toB {
		t.Errorf("a host that is there hears %s", got)
	}
	if got := movesTo(ring(a, 8, "198.51.100.2").ask(openRequest("", 8))); got != toB {
		t.Errorf("a new one hears %s", got)
	}
	if again := ring(b, 9, "198.51.100.1").subscribe(openRequest(opened.Code, 7)).next().GetOpened(); again == nil {
		t.Error("b does not take the session")
	}
	if got := movesTo(ring(a, 9, "198.51.100.1").ask(openRequest(opened.Code, 7))); got != toB {
		t.Errorf("who comes back to a hears %s", got)
	}
}

// A relay that was thought dead lets go of what another one took, and cannot end it.
func TestFencedRelayLetsGo(t *testing.T) {
	a, b := relays(t)
	defer a.close()
	hosting := ring(a, 9, "198.51.100.1").subscribe(openRequest("", 7))
	opened := hosting.next().GetOpened()
	id := [16]byte(opened.Session)
	if err := a.store.Gone(t.Context(), "a"); err != nil { // as if its lease had ended
		t.Fatal(err)
	}
	if r := ring(b, 9, "198.51.100.1").subscribe(openRequest(opened.Code, 7)).next(); r.GetOpened() == nil {
		t.Fatalf("b does not take over: %v", r)
	}
	a.b.fleet.look(t.Context())
	if got := movesTo(hosting.next()); got != toB {
		t.Errorf("its host hears %s", got)
	}
	a.b.sessionEnded(&live{id: id}, "the host did not come back")
	time.Sleep(100 * time.Millisecond)
	if _, err := b.store.OpenSession(t.Context(), id); err != nil {
		t.Errorf("ended by a relay that lost it: %v", err)
	}
}

func TestWrongTriesCountAtAllRelays(t *testing.T) {
	a, b := relays(t)
	defer a.close()
	agents := map[*world]*caller{a: ring(a, 1, "203.0.113.1"), b: ring(b, 1, "203.0.113.1")}
	token := a.login(agents[a], "eve@acme")
	var got []uint32
	for i := range accountWrong + 1 {
		w := []*world{a, b}[i%2]
		got = append(got, agents[w].ask(joinRequest(token, "00000000")).GetProblem().GetCode())
	}
	for i, code := range got {
		want := uint32(wire.CodeUnknownCode)
		if i == accountWrong {
			want = wire.CodeSlowDown
		}
		if code != want {
			t.Errorf("tries are answered %v", got)
			break
		}
	}
}

func TestATwinIsRefused(t *testing.T) {
	a, _ := relays(t)
	defer a.close()
	twin := &world{t: t, dir: a.dir, fwd: &forwards{}}
	_, err := New(t.Context(), Config{
		Store: a.store, Keys: a.keys, Forwarder: twin.fwd, Fleet: &Fleet{ID: "a", Addr: "elsewhere:8443"},
	})
	if !errors.Is(err, ErrTwin) {
		t.Errorf("a copied data folder: %v", err)
	}
	other := a.keys
	other.Code = [32]byte{1}
	_, err = New(t.Context(), Config{Store: a.store, Keys: other, Forwarder: twin.fwd, Fleet: &Fleet{ID: "c"}})
	if !errors.Is(err, store.ErrOtherKeys) {
		t.Errorf("other keys: %v", err)
	}
}
