package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lease is how long a relay that is not heard from keeps its sessions, by the database's clock.
const Lease = 8 * time.Second

// tryLife is how long wrong tries are told: as long as any limit counts them.
const tryLife = 24 * time.Hour

// Relay is one relay of a fleet.
type Relay struct {
	ID       string
	Addr     string // host:port that clients dial
	Pin      string // fingerprint of its key
	Region   string
	Software string
	Started  time.Time
	Draining bool // asked to give its sessions away; kept by Beat
	Sessions int
	Conns    int
	Silent   time.Duration // since its last beat; only read
	Alive    bool          // its lease holds; only read
}

// Open says whether the relay takes sessions.
func (r Relay) Open() bool { return r.Alive && !r.Draining }

// Route says which relay serves a session.
type Route struct {
	Session [16]byte
	Epoch   int64
	Relay   Relay    // its ID is empty when no relay ever had it
	Claimed bool     // a host has it
	Owner   [32]byte // the host's outer key, once claimed
	For     string   // by an invitation's code: whom that is for; else empty
}

// Beat renews a relay's lease and tells what it carries. It reports whether the relay was asked to drain, and never undoes that.
func (s *Store) Beat(ctx context.Context, r Relay) (draining bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO relays (id, addr, pin, region, software, started, beat, sessions, conns)
			VALUES ($1, $2, $3, $4, $5, $6, `+s.engine.now+`, $7, $8)
			ON CONFLICT (id) DO UPDATE SET addr = excluded.addr, pin = excluded.pin, region = excluded.region, software = excluded.software,
			started = excluded.started, beat = excluded.beat, sessions = excluded.sessions, conns = excluded.conns`,
			r.ID, r.Addr, r.Pin, r.Region, r.Software, ms(r.Started), r.Sessions, r.Conns)
		if err != nil {
			return fmt.Errorf("beat: %w", err)
		}
		var flag int
		err = tx.QueryRow("SELECT draining FROM relays WHERE id = $1", r.ID).Scan(&flag)
		draining = flag != 0
		return err
	})
	return draining, err
}

// Drain asks a relay to give its sessions away, or to take some again; ErrNotFound when it never was.
func (s *Store) Drain(ctx context.Context, id string, on bool, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("UPDATE relays SET draining = $1 WHERE id = $2", flag(on), id)); err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		return record(tx, events)
	})
}

// Gone ends a relay's lease at once.
func (s *Store) Gone(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE relays SET beat = 0, sessions = 0, conns = 0 WHERE id = $1", id)
		return err
	})
}

const relayColumns = "r.id, r.addr, r.pin, r.region, r.software, r.started, r.draining, r.sessions, r.conns, "

func scanRelay(r *Relay) ([]any, func()) {
	var started, silent int64
	var draining int
	return []any{&r.ID, &r.Addr, &r.Pin, &r.Region, &r.Software, &started, &draining, &r.Sessions, &r.Conns, &silent}, func() {
		r.Started, r.Draining = at(started), draining != 0
		r.Silent = time.Duration(silent) * time.Millisecond
		r.Alive = r.ID != "" && r.Silent < Lease
	}
}

// Relays lists those that were heard from within a day, by region and address.
func (s *Store) Relays(ctx context.Context) ([]Relay, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+relayColumns+s.engine.now+` - r.beat FROM relays r
		WHERE r.beat > `+s.engine.now+fmt.Sprintf(" - %d", (24*time.Hour).Milliseconds())+" ORDER BY r.region, r.addr, r.id")
	if err != nil {
		return nil, fmt.Errorf("list relays: %w", err)
	}
	defer rows.Close()
	var out []Relay
	for rows.Next() {
		var r Relay
		into, done := scanRelay(&r)
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("list relays: %w", err)
		}
		done()
		out = append(out, r)
	}
	return out, rows.Err()
}

// Route finds who serves the session of a code, its own or an invitation's; ErrNotFound when no session has it.
func (s *Store) Route(ctx context.Context, code [32]byte) (Route, error) {
	return s.route(ctx, `SELECT id, '' FROM sessions WHERE code = $1 AND ended = 0
		UNION ALL SELECT session_id, made_for FROM invites WHERE code = $1`, code[:])
}

// RouteOf finds who serves a session; ErrNotFound when it has ended or never was.
func (s *Store) RouteOf(ctx context.Context, id [16]byte) (Route, error) {
	return s.route(ctx, "SELECT id, '' FROM sessions WHERE id = $1", id[:])
}

func (s *Store) route(ctx context.Context, which string, key []byte) (Route, error) {
	var r Route
	var id, owner []byte
	var epoch sql.NullInt64
	into, done := scanRelay(&r.Relay)
	err := s.read.QueryRowContext(ctx, `WITH w (id, made_for) AS (`+which+`)
		SELECT s.id, w.made_for, s.owner, t.epoch, COALESCE(r.id, ''), COALESCE(r.addr, ''), COALESCE(r.pin, ''), COALESCE(r.region, ''),
		COALESCE(r.software, ''), COALESCE(r.started, 0), COALESCE(r.draining, 0), COALESCE(r.sessions, 0), COALESCE(r.conns, 0),
		`+s.engine.now+` - COALESCE(r.beat, 0)
		FROM w JOIN sessions s ON s.id = w.id LEFT JOIN session_routes t ON t.session_id = s.id LEFT JOIN relays r ON r.id = t.relay_id
		WHERE s.ended = 0`, key).Scan(append([]any{&id, &r.For, &owner, &epoch}, into...)...)
	if err != nil {
		return Route{}, fmt.Errorf("route: %w", row(err))
	}
	done()
	copy(r.Session[:], id)
	r.Epoch = epoch.Int64
	r.Claimed = copy(r.Owner[:], owner) == len(r.Owner)
	return r, nil
}

// Take moves a session to a relay: one that no relay has, whose relay's lease has ended, or whose relay drains. seen is the epoch
// that the caller knows; ErrNotFound when it is no longer so.
func (s *Store) Take(ctx context.Context, id [16]byte, relay string, seen int64, events ...Event) (epoch int64, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO session_routes (session_id, relay_id, epoch) VALUES ($1, '', 0) ON CONFLICT (session_id) DO NOTHING", id[:])
		if err != nil {
			return fmt.Errorf("take session: %w", err)
		}
		err = one(tx.Exec(`UPDATE session_routes SET relay_id = $1, epoch = epoch + 1 WHERE session_id = $2 AND epoch = $3
			AND (relay_id = $1 OR NOT EXISTS (SELECT 1 FROM relays r WHERE r.id = session_routes.relay_id AND r.draining = 0
			AND r.beat > `+s.engine.now+fmt.Sprintf(" - %d))", Lease.Milliseconds()), relay, id[:], seen))
		if err != nil {
			return fmt.Errorf("take session: %w", err)
		}
		if err := s.hint(tx, relay); err != nil {
			return err
		}
		return record(tx, events)
	})
	return seen + 1, err
}

// Routes lists the sessions that a relay serves, with their epochs.
func (s *Store) Routes(ctx context.Context, relay string) (map[[16]byte]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT t.session_id, t.epoch FROM session_routes t JOIN sessions s ON s.id = t.session_id
		WHERE t.relay_id = $1 AND s.ended = 0`, relay)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	defer rows.Close()
	out := map[[16]byte]int64{}
	for rows.Next() {
		var id []byte
		var epoch int64
		if err := rows.Scan(&id, &epoch); err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		var key [16]byte
		copy(key[:], id)
		out[key] = epoch
	}
	return out, rows.Err()
}

// Place keeps at which relay a machine is connected.
func (s *Store) Place(ctx context.Context, machine, relay string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO machine_places (machine_id, relay_id) VALUES ($1, $2)
			ON CONFLICT (machine_id) DO UPDATE SET relay_id = excluded.relay_id`, machine, relay)
		if err != nil {
			return fmt.Errorf("place machine: %w", err)
		}
		return nil
	})
}

// Displace forgets that a machine is connected at a relay.
func (s *Store) Displace(ctx context.Context, machine, relay string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM machine_places WHERE machine_id = $1 AND relay_id = $2", machine, relay)
		return err
	})
}

// PlaceOf is the relay at which a machine is connected, which may be dead; ErrNotFound.
func (s *Store) PlaceOf(ctx context.Context, machine string) (Relay, error) {
	var r Relay
	into, done := scanRelay(&r)
	err := s.read.QueryRowContext(ctx, "SELECT "+relayColumns+s.engine.now+` - r.beat FROM machine_places p JOIN relays r ON r.id = p.relay_id
		WHERE p.machine_id = $1`, machine).Scan(into...)
	if err != nil {
		return r, fmt.Errorf("machine: %w", row(err))
	}
	done()
	return r, nil
}

// Placed lists the machines that are connected at living relays.
func (s *Store) Placed(ctx context.Context) (map[string]bool, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT p.machine_id FROM machine_places p JOIN relays r ON r.id = p.relay_id WHERE r.beat > "+
		s.engine.now+fmt.Sprintf(" - %d", Lease.Milliseconds()))
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list machines: %w", err)
		}
		out[id] = true
	}
	return out, rows.Err()
}

// WrongTry is one wrong code or login, told to the other relays.
type WrongTry struct {
	ID      int64 // given by the store
	Relay   string
	Kind    string // code, login
	Account string // empty: by nobody known
	Address string
	At      time.Time
}

// TellWrong keeps a wrong try for the others.
func (s *Store) TellWrong(ctx context.Context, w WrongTry) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO wrong_tries (id, relay_id, kind, account, address, at)
			SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5 FROM wrong_tries`, w.Relay, w.Kind, w.Account, w.Address, ms(w.At))
		if err == nil {
			_, err = tx.Exec("DELETE FROM wrong_tries WHERE at < $1", ms(w.At.Add(-tryLife)))
		}
		if err != nil {
			return fmt.Errorf("tell wrong try: %w", err)
		}
		return nil
	})
}

// WrongTries lists what other relays told after a number, oldest first, at most 10,000.
func (s *Store) WrongTries(ctx context.Context, after int64, but string) ([]WrongTry, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, relay_id, kind, account, address, at FROM wrong_tries
		WHERE id > $1 AND relay_id <> $2 ORDER BY id LIMIT 10000`, after, but)
	if err != nil {
		return nil, fmt.Errorf("list wrong tries: %w", err)
	}
	defer rows.Close()
	var out []WrongTry
	for rows.Next() {
		var w WrongTry
		var when int64
		if err := rows.Scan(&w.ID, &w.Relay, &w.Kind, &w.Account, &w.Address, &when); err != nil {
			return nil, fmt.Errorf("list wrong tries: %w", err)
		}
		w.At = at(when)
		out = append(out, w)
	}
	return out, rows.Err()
}

// ErrOtherKeys says that the relays of this database have other keys than this one.
var ErrOtherKeys = errors.New("the relays of this database have other keys")

// Mark keeps the first mark of a name, and says ErrOtherKeys to everybody who comes with another.
func (s *Store) Mark(ctx context.Context, name string, mark []byte) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO fleet_marks (name, mark) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, mark); err != nil {
			return fmt.Errorf("mark: %w", err)
		}
		var first []byte
		if err := tx.QueryRow("SELECT mark FROM fleet_marks WHERE name = $1", name).Scan(&first); err != nil {
			return fmt.Errorf("mark: %w", err)
		}
		if !bytes.Equal(first, mark) {
			return fmt.Errorf("%s: %w", name, ErrOtherKeys)
		}
		return nil
	})
}
