package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Of a database that other machines run: what does not answer so long is not there.
const (
	dialWithin    = 4 * time.Second
	answerWithin  = 8 * time.Second
	connLife      = 5 * time.Minute // so that a new primary is found also by connections that nobody broke
	uniqueIsTaken = "23505"         // unique_violation (PostgreSQL, appendix A)
)

// newPostgres is the engine of PostgreSQL. Whoever writes holds one lock for the length of a transaction; its number is "assist" in ASCII.
func newPostgres() (*engine, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("migrate database: %w", err)
	}
	return &engine{
		dialect: goose.DialectPostgres, others: []string{"00002_audit_append_only.sql"},
		options: []goose.ProviderOption{goose.WithSessionLocker(locker)},
		now:     "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
		begin:   "SELECT pg_advisory_xact_lock(107148485423988)",
	}, nil
}

// OpenPostgres opens, makes or upgrades the schema in the PostgreSQL database that url names (libpq's URL or keywords; what it
// leaves out comes from the PG* variables and the password file). Several hosts may be named: the one that takes writes is used.
// It must be closed.
func OpenPostgres(ctx context.Context, url string) (*Store, error) {
	conf, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", errPostgresURL)
	}
	conf.ConnectTimeout = dialWithin
	conf.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	conf.RuntimeParams["statement_timeout"] = fmt.Sprint(answerWithin.Milliseconds())
	conf.RuntimeParams["application_name"] = "assist relay"
	e, err := newPostgres()
	if err != nil {
		return nil, err
	}
	pool := func(conns int) *sql.DB {
		db := bound(stdlib.OpenDB(*conf), conns)
		db.SetConnMaxLifetime(connLife)
		return db
	}
	s, err := start(ctx, e, pool(2), func() (*sql.DB, error) { return pool(2 * readers), nil })
	if err != nil {
		return nil, err
	}
	s.listen = func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, conf) }
	return s, nil
}

// hintChannel is where relays tell each other that a session changed hands: a hint only, everybody looks by itself as well.
const hintChannel = "assist_routes"

func (s *Store) hint(tx *sql.Tx, from string) error {
	if s.listen == nil {
		return nil
	}
	if _, err := tx.Exec("SELECT pg_notify('"+hintChannel+"', $1)", from); err != nil {
		return fmt.Errorf("hint: %w", err)
	}
	return nil
}

// Hints calls hinted when another process says that routes have changed, until ctx ends. It returns at once where the database
// cannot tell, and looks for the database again when it was lost.
func (s *Store) Hints(ctx context.Context, hinted func()) {
	for s.listen != nil && ctx.Err() == nil {
		_ = s.hear(ctx, hinted) // lost: whoever relies on hints looks by itself meanwhile
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Store) hear(ctx context.Context, hinted func()) error {
	conn, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+hintChannel); err != nil {
		return err
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		hinted()
	}
}

// errPostgresURL keeps a password that stands in a broken address out of logs.
var errPostgresURL = errors.New("the address is not one of PostgreSQL, such as postgres://assist@db.example/assist")

func postgresTaken(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == uniqueIsTaken
}
