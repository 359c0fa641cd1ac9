//go:build desktop

package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"assist/session/agent"
	"assist/session/broker/store"
	"assist/session/broker/store/storetest"
	"assist/session/console"
)

const (
	fleetSessions = 6               // two a relay
	fleetMoved    = 5 * time.Second // after the end of a lease
	fleetLogins   = 10 * time.Second
)

// databaseAway is how long nobody reaches the database: longer than a lease, so that none can be renewed. DATABASE_AWAY=60s makes a bench of
// the test, which fails over its targets.
func databaseAway(t *testing.T) (away time.Duration, bench bool) {
	v := os.Getenv("DATABASE_AWAY")
	if v == "" {
		return store.Lease + 2*time.Second, false
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		t.Fatal(err)
	}
	return d, true
}

// fleetSession is a session and the agent in it, who came by another relay than the host.
type fleetSession struct {
	code string
	seat *agent.Session
}

func TestFleetOfThreeRelays(t *testing.T) {
	away, bench := databaseAway(t)
	first := storetest.Start(t)
	first.Create("fleet")
	second := first.Standby()
	f := newFleet(t, first.URL("fleet", second))
	f.bench = bench
	for i := range fleetSessions {
		code := f.host(f.relays[i%3])
		f.sessions = append(f.sessions, fleetSession{code, f.agent(f.relays[(i+1)%3], code)}) // through the wrong relay
	}
	f.allSay("by another relay")
	for _, r := range f.relays {
		r.carries(fleetSessions / 3)
	}
	f.dashboard(f.relays[0])

	t.Log("a relay is killed")
	f.relays[0].kill()
	f.afterLease(f.relays[0], "after the kill")
	f.relays[0].start()
	f.await("it to be back", func() bool { return len(f.status("serving")) == 3 })

	t.Log("another one drains")
	f.relays[1].verb("", "drain")
	f.relays[1].carries(0)
	f.allSay("after draining")
	f.relays[1].verb("", "drain", "--off")
	f.await("it to be back", func() bool { return len(f.status("serving")) == 3 })

	t.Log("the third one is stopped in order")
	f.relays[2].stop()
	f.allSay("after the stop")
	f.relays[2].start()

	t.Logf("the database is away for %s", away)
	first.Stop()
	began := time.Now()
	for i := 0; ; i++ {
		f.allSay(fmt.Sprintf("without a database %d", i))
		if f.login(f.relays[1], "bob@acme") == nil {
			t.Error("a login without a database")
		}
		rest := away - time.Since(began)
		if rest <= 0 {
			break
		}
		time.Sleep(min(rest, 10*time.Second))
	}

	t.Log("its standby takes over")
	second.Promote()
	f.loginsAreBack()
	f.allSay("on the new primary")
	f.atTheEnd("by another relay", "after the kill", "after draining", "after the stop", "without a database 0", "without a database 1", "on the new primary")
}

// afterLease waits until the lease of a relay that was killed is over, and then for words in every session.
func (f *fleetStage) afterLease(r *fleetRelay, text string) {
	f.t.Helper()
	rest := store.Lease - f.silent(r)
	over := time.Now().Add(rest)
	f.t.Logf("its lease is over in %s", rest)
	f.sayAll(text)
	last := f.awaitAll(text, rest+patience).Sub(over)
	f.t.Logf("%q was in the log of every session %s after the end of the lease", text, last.Round(10*time.Millisecond))
	if f.bench && last > fleetMoved {
		f.t.Errorf("more than %s", fleetMoved)
	}
}

// loginsAreBack tries until a login is taken, at every relay.
func (f *fleetStage) loginsAreBack() {
	f.t.Helper()
	began := time.Now()
	for _, r := range f.relays {
		for f.login(r, "bob@acme") != nil && time.Since(began) < patience {
			time.Sleep(100 * time.Millisecond)
		}
	}
	took := time.Since(began)
	f.t.Logf("logins are back at every relay after %s", took.Round(100*time.Millisecond))
	if took > patience || (f.bench && took > fleetLogins) {
		f.t.Errorf("more than %s", fleetLogins)
	}
}

// atTheEnd looks that every session has its code and its members, and has lost no words.
func (f *fleetStage) atTheEnd(words ...string) {
	f.t.Helper()
	for _, s := range f.sessions {
		if st := s.seat.State(); st.Code != s.code || st.Phase != console.In || len(st.Roster.Members) != 2 {
			f.t.Errorf("session %s at the end: %+v", s.code, st)
		}
		for _, text := range words {
			if !said(s.seat, text) {
				f.t.Errorf("session %s: %q is lost", s.code, text)
			}
		}
	}
}
