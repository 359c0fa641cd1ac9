package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Event is one line of the audit log. Every field may come from outside; it is shown only through the sanitiser.
type Event struct {
	Seq     uint64 // given by the store, from 1, without gaps
	At      time.Time
	Kind    string // what happened, e.g. "login", "agent.add"
	Actor   string // NAME@ORG, "console" for the local command, empty for nobody known
	Device  []byte // SHA-256 of the key, or nil
	Address string // where it came from, or empty
	Session []byte // or nil
	Outcome string // "ok", or why not
	Detail  string
}

// ErrBroken says that the audit log was changed from outside; the error names the first bad event.
var ErrBroken = errors.New("the audit log does not hold together")

// Record appends events on their own.
func (s *Store) Record(ctx context.Context, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error { return record(tx, events) })
}

// record appends events in tx, so that they stand or fall with what they tell of.
func record(tx *sql.Tx, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	var seq uint64
	prev := make([]byte, sha256.Size)
	err := tx.QueryRow("SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1").Scan(&seq, &prev)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read audit head: %w", err)
	}
	for _, e := range events {
		seq++
		e.Seq = seq
		hash := e.hash(prev)
		_, err := tx.Exec(`INSERT INTO audit_events (seq, at, kind, actor, device, address, session, outcome, detail, prev, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			int64(e.Seq), ms(e.At), e.Kind, e.Actor, e.Device, e.Address, e.Session, e.Outcome, e.Detail, prev, hash)
		if err != nil {
			return fmt.Errorf("append audit event: %w", err)
		}
		prev = hash
	}
	return nil
}

// hash chains the event to the one before: SHA-256 of prev, seq and time as big-endian uint64, then every field with its length
// as a big-endian uint32 before it, in the order of the struct.
func (e Event) hash(prev []byte) []byte {
	b := append([]byte(nil), prev...)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(ms(e.At)))
	for _, f := range [][]byte{[]byte(e.Kind), []byte(e.Actor), e.Device, []byte(e.Address), e.Session, []byte(e.Outcome), []byte(e.Detail)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// Events calls f for every event after seq, oldest first, until f returns an error.
func (s *Store) Events(ctx context.Context, after uint64, f func(Event) error) error {
	return s.events(ctx, after, func(e Event, _, _ []byte) error { return f(e) })
}

// VerifyAudit reads the whole log and says whether every event follows from the one before; n is how many do.
func (s *Store) VerifyAudit(ctx context.Context) (n uint64, err error) {
	want := make([]byte, sha256.Size)
	err = s.events(ctx, 0, func(e Event, prev, hash []byte) error {
		if e.Seq != n+1 || !bytes.Equal(prev, want) || !bytes.Equal(hash, e.hash(prev)) {
			return fmt.Errorf("event %d: %w", n+1, ErrBroken)
		}
		n, want = e.Seq, hash
		return nil
	})
	return n, err
}

func (s *Store) events(ctx context.Context, after uint64, f func(e Event, prev, hash []byte) error) error {
	rows, err := s.read.QueryContext(ctx, `SELECT seq, at, kind, actor, device, address, session, outcome, detail, prev, hash
		FROM audit_events WHERE seq > $1 ORDER BY seq`, int64(after))
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var when int64
		var prev, hash []byte
		if err := rows.Scan(&e.Seq, &when, &e.Kind, &e.Actor, &e.Device, &e.Address, &e.Session, &e.Outcome, &e.Detail, &prev, &hash); err != nil {
			return fmt.Errorf("read audit log: %w", err)
		}
		e.At = at(when)
		if err := f(e, prev, hash); err != nil {
			return err
		}
	}
	return rows.Err()
}
