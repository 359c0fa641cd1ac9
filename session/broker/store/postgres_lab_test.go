//go:build lab && linux

package store

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"testing"

	"assist/session/broker/store/storetest"
)

// TestOnPostgres runs what holds for SQLite on a real PostgreSQL server, each test with databases of its own.
func TestOnPostgres(t *testing.T) {
	server := storetest.Start(t)
	was := opens
	t.Cleanup(func() { opens = was })
	var mu sync.Mutex
	made := map[string]bool{}
	opens = func(t *testing.T, dir string) (*Store, error) {
		sum := sha256.Sum256([]byte(dir))
		name := "t" + hex.EncodeToString(sum[:8])
		mu.Lock()
		if !made[name] {
			made[name] = true
			server.Create(name)
		}
		mu.Unlock()
		return OpenPostgres(t.Context(), server.URL(name))
	}
	for name, test := range map[string]func(*testing.T){
		"people": TestPeopleComeBack, "logins": TestLogins, "disabling": TestPasswordAndDisablingEndLogins, "codes": TestCodesAreNotGivenOutAgainWithinADay,
		"restart": TestOpenSessionsAfterRestart, "writers": TestConcurrentWriters, "group": TestAGroupKeepsItsGoodWrites,
		"audit": TestAuditIsAppendOnlyAndChained, "migrations": TestMigrations, "fresh": TestManyOpenAFreshDatabaseAtOnce,
		"closed": TestClosedStoreRefuses, "routes": TestRoutesHaveLeasesAndEpochs, "wrong tries": TestWrongTriesAreToldToTheOthers,
		"keys": TestRelaysOfOneDatabaseHaveTheSameKeys, "invites": TestInvitesComeBackUntilTheSessionEnds,
	} {
		t.Run(name, test)
	}
}

// A primary that dies is replaced by its standby without a new address.
func TestStandbyTakesOver(t *testing.T) {
	first := storetest.Start(t)
	first.Create("fleet")
	second := first.Standby()
	s, err := OpenPostgres(t.Context(), first.URL("fleet", second))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	people(t, s)
	first.Followed(second)
	first.Stop()
	if s.Ping(t.Context()) == nil {
		t.Fatal("a dead primary answers")
	}
	second.Promote()
	for range 50 { // what was replicated is there, and writes go on
		if _, err = s.Agent(t.Context(), "eve", "acme"); err == nil {
			err = s.Record(t.Context(), Event{At: noon, Kind: "after"})
		}
		if err == nil {
			break
		}
	}
	must(t, err)
	if n, err := s.VerifyAudit(t.Context()); n != 2 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}
