// Package store is the broker's database: organisations, agents, their devices and logins, sessions and codes, and the audit
// log. It is an SQLite file in the relay's data folder, or a PostgreSQL database that the relays of a fleet share: one schema,
// kept by the same migrations, and the same SQL for both.
//
// One goroutine writes, for a process: it takes every write that waits, runs each in its own savepoint of one transaction,
// and commits (to disk, synchronous=FULL) once for all. Callers wait for that commit; when the writer is slow they wait
// longer, at most 64 stand in the queue, the rest at its door. Readers have their own connections and see the last commit. Another
// process (the administrator's command, another relay) may write at the same time; SQLite's lock, or one advisory lock of
// PostgreSQL, orders them, so that the audit log stays one chain.
//
// Passwords arrive here hashed, tokens and codes as hashes; the package never sees one in the clear.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// What goes wrong with a single row. Everything else is a failure of the database.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrNewer    = errors.New("the database was made by a newer version of assist")
)

const (
	maxGroup  = 64 // writes that share one commit
	readers   = 4
	busyWait  = 10 * time.Second // for another process that writes
	migrating = 30 * time.Second

	commitWithin = 30 * time.Second // a group of writes, with what it waits for
)

//go:embed migrations/*.sql
var migrations embed.FS

// engine is what differs between the databases.
type engine struct {
	dialect goose.Dialect
	others  []string // migrations that are for other engines
	options []goose.ProviderOption
	now     string // the database's clock in unix milliseconds, as an expression
	begin   string // first statement of a transaction that writes; empty: none is needed
}

// Store is the open database. Its methods may be called from any goroutine.
type Store struct {
	engine *engine                                  // set once
	listen func(context.Context) (*pgx.Conn, error) // set once; nil: nothing to listen to
	read   *sql.DB
	db     *sql.DB // owned by the writer
	writes chan job
	stop   chan struct{} // closed by Close: no more writes
	done   chan struct{} // closed when the writer is gone
}

// start makes a Store of two pools: write has one connection.
func start(ctx context.Context, e *engine, write *sql.DB, read func() (*sql.DB, error)) (*Store, error) {
	if err := e.migrate(ctx, write); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	r, err := read()
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	s := &Store{engine: e, read: r, db: write, writes: make(chan job, maxGroup), stop: make(chan struct{}), done: make(chan struct{})}
	go s.writer()
	return s, nil
}

// Close waits for writes that were accepted and closes the database.
func (s *Store) Close() error {
	close(s.stop)
	<-s.done
	return errors.Join(s.read.Close(), s.db.Close())
}

// migrate brings the schema to this build's version. Two processes may do so at once: the one that comes second finds it done
// when it looks again.
func (e *engine) migrate(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, migrating)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := e.upgrade(ctx, db)
		if err == nil || errors.Is(err, ErrNewer) || attempt == 4 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond << attempt):
		}
	}
}

// provider knows the migrations that are for this engine.
func (e *engine) provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(e.dialect, db, files, append(e.options, goose.WithExcludeNames(e.others))...)
}

func (e *engine) upgrade(ctx context.Context, db *sql.DB) error {
	p, err := e.provider(db)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	switch {
	case have > want:
		return fmt.Errorf("schema %d, this build knows %d: %w", have, want, ErrNewer)
	case have == want:
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// job is one change that waits for its commit.
type job struct {
	do   func(*sql.Tx) error
	done chan error // takes one
}

var errClosed = errors.New("the database is closed")

// change runs do in the writer and waits until it is on disk. An error of do undoes do and nothing else. Once the writer has
// taken it, it happens whatever becomes of ctx.
func (s *Store) change(ctx context.Context, do func(*sql.Tx) error) error {
	w := job{do, make(chan error, 1)}
	select {
	case <-s.stop:
		return errClosed
	default:
	}
	select {
	case s.writes <- w:
	case <-s.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-s.done:
		select {
		case err := <-w.done:
			return err
		default:
			return errClosed
		}
	}
}

func (s *Store) writer() {
	defer close(s.done)
	for {
		select {
		case w := <-s.writes:
			s.commit(s.gather(w))
		case <-s.stop:
			for {
				select {
				case w := <-s.writes:
					s.commit(s.gather(w))
				default:
					return
				}
			}
		}
	}
}

// gather takes what waits behind w, without waiting for more.
func (s *Store) gather(w job) []job {
	group := []job{w}
	for len(group) < maxGroup {
		select {
		case w := <-s.writes:
			group = append(group, w)
		default:
			return group
		}
	}
	return group
}

func (s *Store) commit(group []job) {
	errs := make([]error, len(group))
	err := s.transact(group, errs)
	for i, w := range group {
		if err != nil {
			errs[i] = err // nothing of the group was kept
		}
		w.done <- errs[i]
	}
}

func (s *Store) transact(group []job, errs []error) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitWithin)
	defer cancel()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if s.engine.begin != "" {
		if _, err := tx.Exec(s.engine.begin); err != nil {
			return errors.Join(fmt.Errorf("begin: %w", err), tx.Rollback())
		}
	}
	for i, w := range group {
		if errs[i], err = inSavepoint(tx, w.do); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// inSavepoint runs do so that its failure leaves the rest of the transaction whole. The second error is of the transaction.
func inSavepoint(tx *sql.Tx, do func(*sql.Tx) error) (error, error) {
	if _, err := tx.Exec("SAVEPOINT one"); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	failed := do(tx)
	if failed != nil {
		if _, err := tx.Exec("ROLLBACK TO SAVEPOINT one"); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
	}
	if _, err := tx.Exec("RELEASE SAVEPOINT one"); err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	return failed, nil
}

// row turns "no row" into ErrNotFound.
func row(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// unique turns a broken UNIQUE or PRIMARY KEY into ErrExists.
func unique(err error) error {
	if sqliteTaken(err) || postgresTaken(err) {
		return ErrExists
	}
	return err
}

// one says ErrNotFound when a statement changed nothing.
func one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Ping says whether the database can be read.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM organisations").Scan(&n)
}
