package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// opens is how the tests get at a database; another engine puts its own in place.
var opens = func(t *testing.T, dir string) (*Store, error) { return Open(t.Context(), dir) }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := opens(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func people(t *testing.T, s *Store) (Org, Agent) {
	t.Helper()
	o := Org{ID: "o1", Handle: "acme", Skeleton: "acrne", Title: "Acme Ltd", Key: make([]byte, 32), Created: noon}
	must(t, s.AddOrg(t.Context(), o, Event{At: noon, Kind: "org.add", Actor: "console", Outcome: "ok"}))
	a := Agent{ID: "a1", Org: o, Name: "eve", Skeleton: "eve", Password: "hash", Admin: true, Created: noon}
	must(t, s.AddAgent(t.Context(), a))
	return o, a
}

func TestPeopleComeBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	o, a := people(t, s)
	other := open(t, dir) // as the administrator's command does
	got, err := other.Agent(t.Context(), "eve", "acme")
	must(t, err)
	if d := cmp.Diff(a, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	orgs, err := other.Orgs(t.Context())
	must(t, err)
	if d := cmp.Diff([]Org{o}, orgs); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"same handle", s.AddOrg(t.Context(), Org{ID: "o2", Handle: "acme", Skeleton: "x", Key: o.Key}), ErrExists},
		{"look-alike handle", s.AddOrg(t.Context(), Org{ID: "o3", Handle: "acrne", Skeleton: "acrne", Key: o.Key}), ErrExists},
		{"same agent", s.AddAgent(t.Context(), Agent{ID: "a2", Org: o, Name: "eve", Skeleton: "y"}), ErrExists},
		{"no such agent", s.SetPassword(t.Context(), "a9", "h"), ErrNotFound},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, c.err, c.want)
		}
	}
	if _, err := s.Agent(t.Context(), "eve", "other"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown organisation: %v", err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	people(t, open(t, dir))
	for _, name := range []string{fileName, fileName + "-wal"} {
		st, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
	}
}

func TestLogins(t *testing.T) {
	s := open(t, t.TempDir())
	_, a := people(t, s)
	ctx := t.Context()
	login := func(token, device byte) Login {
		return Login{Agent: a.ID, Device: [32]byte{device}, Name: "laptop", Cert: "cert", Token: [32]byte{token}, Created: noon, Expires: noon.Add(time.Hour)}
	}
	valid := func(token, device byte, at time.Time) bool {
		_, _, err := s.LoggedIn(ctx, [32]byte{token}, [32]byte{device}, at)
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	must(t, s.AddLogin(ctx, login(1, 1)))
	must(t, s.AddLogin(ctx, login(2, 2)))
	if !valid(1, 1, noon) || !valid(2, 2, noon) {
		t.Error("a fresh token is not valid")
	}
	if valid(1, 2, noon) {
		t.Error("a token is valid from another device")
	}
	if valid(1, 1, noon.Add(time.Hour)) {
		t.Error("a token is valid after its end")
	}
	must(t, s.AddLogin(ctx, login(3, 1)))
	if valid(1, 1, noon) || !valid(3, 1, noon) || !valid(2, 2, noon) {
		t.Error("a new login ends exactly the earlier one of its device")
	}
	if err := s.EndLogin(ctx, [32]byte{3}, [32]byte{2}); !errors.Is(err, ErrNotFound) {
		t.Errorf("logout by another device: %v", err)
	}
	must(t, s.EndLogin(ctx, [32]byte{3}, [32]byte{1}))
	if valid(3, 1, noon) {
		t.Error("a token is valid after logout")
	}
	must(t, s.SetOrgDisabled(ctx, "acme", noon))
	must(t, s.SetOrgDisabled(ctx, "acme", time.Time{}))
	if valid(2, 2, noon) {
		t.Error("a token outlives the organisation being disabled")
	}
	if known, err := s.KnowsDevice(ctx, a.ID, [32]byte{2}); err != nil || !known {
		t.Errorf("device is forgotten: %v %v", known, err)
	}
}

func TestPasswordAndDisablingEndLogins(t *testing.T) {
	for name, do := range map[string]func(*Store) error{
		"password": func(s *Store) error { return s.SetPassword(context.Background(), "a1", "new") },
		"disabled": func(s *Store) error { return s.SetDisabled(context.Background(), "a1", noon) },
	} {
		s := open(t, t.TempDir())
		people(t, s)
		must(t, s.AddLogin(t.Context(), Login{Agent: "a1", Token: [32]byte{1}, Created: noon, Expires: noon.Add(time.Hour)}))
		must(t, do(s))
		if _, _, err := s.LoggedIn(t.Context(), [32]byte{1}, [32]byte{}, noon); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCodesAreNotGivenOutAgainWithinADay(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	mint := func(id byte, at time.Time) error {
		return s.AddSession(ctx, Session{ID: [16]byte{id}, Code: [32]byte{7}, Minted: at, Expires: at.Add(time.Minute)})
	}
	must(t, mint(1, noon))
	if err := mint(2, noon); !errors.Is(err, ErrExists) {
		t.Errorf("a code in use is given out: %v", err)
	}
	must(t, s.EndSession(ctx, [16]byte{1}, "", noon, noon.Add(24*time.Hour)))
	if err := mint(2, noon.Add(24*time.Hour-time.Second)); !errors.Is(err, ErrExists) {
		t.Errorf("a code is given out again too early: %v", err)
	}
	must(t, mint(2, noon.Add(24*time.Hour)))
}

func TestOpenSessionsAfterRestart(t *testing.T) {
	dir := t.TempDir()
	s, err := opens(t, dir)
	must(t, err)
	people(t, s)
	ctx := t.Context()
	want := Session{ID: [16]byte{1}, Code: [32]byte{1}, StartedBy: "a1", Minted: noon, Expires: noon.Add(time.Minute)}
	must(t, s.AddSession(ctx, want))
	must(t, s.SetHost(ctx, want.ID, [32]byte{2}, [32]byte{3}))
	must(t, s.Joined(ctx, want.ID, "a1", false, noon))
	must(t, s.Joined(ctx, want.ID, "a1", false, noon))
	must(t, s.CloseCode(ctx, want.ID, noon))
	must(t, s.AddSession(ctx, Session{ID: [16]byte{9}, Code: [32]byte{9}, Minted: noon}))
	must(t, s.EndSession(ctx, [16]byte{9}, "", noon, noon))
	must(t, s.Forget(ctx, noon.Add(time.Second)))
	must(t, s.Close())

	owner, host := [32]byte{2}, [32]byte{3}
	want.Owner, want.HostKey, want.Expires, want.Closed, want.Agents = owner[:], host[:], time.Time{}, noon, []string{"a1"}
	got, err := open(t, dir).OpenSessions(ctx, "")
	must(t, err)
	if d := cmp.Diff([]Session{want}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// Two open databases on one file stand for the relay and the administrator's command.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	stores := []*Store{open(t, dir), open(t, dir)}
	o, _ := people(t, stores[0])
	const each = 40
	var wg sync.WaitGroup
	for i, s := range stores {
		for n := range each {
			wg.Go(func() {
				name := fmt.Sprintf("agent%d-%d", i, n)
				err := s.AddAgent(context.Background(), Agent{ID: name, Org: o, Name: name, Skeleton: name, Created: noon},
					Event{At: noon, Kind: "agent.add", Detail: name})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	agents, err := stores[1].Agents(t.Context(), "acme")
	must(t, err)
	if len(agents) != 1+2*each {
		t.Errorf("%d agents", len(agents))
	}
	n, err := stores[0].VerifyAudit(t.Context())
	if err != nil || n != 1+2*each {
		t.Errorf("audit log: %d events, %v", n, err)
	}
}

// One write that fails must not take the others of its group with it.
func TestAGroupKeepsItsGoodWrites(t *testing.T) {
	s := open(t, t.TempDir())
	o, a := people(t, s)
	bad := job{func(tx *sql.Tx) error { return record(tx, []Event{{Kind: "undone"}, {Kind: "undone"}}) }, make(chan error, 1)}
	inner := bad.do
	bad.do = func(tx *sql.Tx) error { return errors.Join(inner(tx), ErrExists) }
	good := func(name string) job {
		return job{func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO agents (id, org_id, name, skeleton, password, created) VALUES ($1, $2, $1, $1, '', 0)", name, o.ID)
			return errors.Join(err, record(tx, []Event{{Kind: "done", Detail: name}}))
		}, make(chan error, 1)}
	}
	group := []job{good("b"), bad, good("c")}
	errs := make([]error, len(group))
	must(t, s.transact(group, errs))
	if errs[0] != nil || !errors.Is(errs[1], ErrExists) || errs[2] != nil {
		t.Errorf("%v", errs)
	}
	agents, err := s.Agents(t.Context(), "")
	must(t, err)
	if len(agents) != 3 || agents[0].Name != "b" || agents[1].Name != "c" || agents[2].Name != a.Name {
		t.Errorf("%+v", agents)
	}
	if n, err := s.VerifyAudit(t.Context()); n != 3 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}

// untie lets somebody who owns the database change the log.
var untie = map[goose.Dialect][]string{
	goose.DialectSQLite3:  {"DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"},
	goose.DialectPostgres: {"DROP TRIGGER audit_events_stay ON audit_events"},
}

func TestAuditIsAppendOnlyAndChained(t *testing.T) {
	for name, tamper := range map[string]string{
		"edit":        "UPDATE audit_events SET actor = 'nobody' WHERE seq = 2",
		"remove":      "DELETE FROM audit_events WHERE seq = 2",
		"swap fields": "UPDATE audit_events SET actor = kind, kind = actor WHERE seq = 2",
	} {
		s := open(t, t.TempDir())
		for i := range 3 {
			dev := sha256.Sum256([]byte{byte(i)})
			must(t, s.Record(t.Context(), Event{At: noon, Kind: "login", Actor: fmt.Sprint("agent", i), Device: dev[:], Outcome: "ok"}))
		}
		if n, err := s.VerifyAudit(t.Context()); n != 3 || err != nil {
			t.Fatalf("%d events, %v", n, err)
		}
		if _, err := s.db.Exec(tamper); err == nil {
			t.Errorf("%s: the log can be changed", name)
		}
		for _, q := range append(slices.Clone(untie[s.engine.dialect]), tamper) {
			if _, err := s.db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.VerifyAudit(t.Context()); n != 1 || !errors.Is(err, ErrBroken) {
			t.Errorf("%s: found %d good events, %v", name, n, err)
		}
	}
}

func TestMigrations(t *testing.T) {
	dir := t.TempDir()
	s, err := opens(t, dir)
	must(t, err)
	people(t, s)
	p, err := s.engine.provider(s.db)
	must(t, err)
	_, err = p.DownTo(t.Context(), 0)
	must(t, err)
	must(t, s.Close())
	s = open(t, dir) // up again, from nothing
	people(t, s)

	if _, err := s.db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)"); err != nil {
		t.Fatal(err)
	}
	if _, err := opens(t, dir); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer schema is opened: %v", err)
	}
}

func TestManyOpenAFreshDatabaseAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := opens(t, dir)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestClosedStoreRefuses(t *testing.T) {
	s, err := opens(t, t.TempDir())
	must(t, err)
	must(t, s.Close())
	if err := s.Record(t.Context(), Event{}); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWrites(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Record(context.Background(), Event{Kind: "bench"}); err != nil {
				b.Error(err)
			}
		}
	})
}
