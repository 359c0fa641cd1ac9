package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const fileName = "broker.db"

var sqliteEngine = &engine{
	dialect: goose.DialectSQLite3, others: []string{"00002_audit_append_only_postgres.sql"},
	now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
}

// Open opens, makes or upgrades the SQLite database in dir, which must exist. It must be closed.
func Open(ctx context.Context, dir string) (*Store, error) {
	path := filepath.Join(dir, fileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := openSQLite(path, "_txlock=immediate", 1)
	if err != nil {
		return nil, err
	}
	return start(ctx, sqliteEngine, db, func() (*sql.DB, error) { return openSQLite(path, "_pragma=query_only(1)", readers) })
}

func openSQLite(path, extra string, conns int) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	dsn.RawQuery = fmt.Sprintf("_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&%s",
		busyWait.Milliseconds(), extra)
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return bound(db, conns), nil
}

// bound keeps a pool at so many connections.
func bound(db *sql.DB, conns int) *sql.DB {
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
}

func sqliteTaken(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
