package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Session is what survives of a session when the relay restarts: enough for its host and agents to come back.
type Session struct {
	ID        [16]byte
	Code      [32]byte // HMAC of the code
	Owner     []byte   // 32 bytes: the outer key of the host; nil before there is one
	HostKey   []byte   // 32 bytes: the host's key inside the link; nil before
	StartedBy string   // agent, empty: the customer
	Minted    time.Time
	Expires   time.Time // of the code; zero: as long as the session
	Closed    time.Time // since when nobody new may join; zero: not
	Agents    []string  // who has been in
	Viewers   []string  // of them, those whose badges allow seeing and talking only
	Relay     string    // that serves it, in a fleet; only taken by AddSession
}

// AddSession keeps a new session; ErrExists when its code is in use, or was a short while ago.
func (s *Store) AddSession(ctx context.Context, n Session, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := takeCode(tx, n.Code, n.Minted); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO sessions (id, code, owner, host_key, started_by, minted, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			n.ID[:], n.Code[:], n.Owner, n.HostKey, n.StartedBy, ms(n.Minted), ms(n.Expires))
		if err != nil {
			return fmt.Errorf("keep session: %w", unique(err))
		}
		if n.Relay != "" {
			if _, err := tx.Exec("INSERT INTO session_routes (session_id, relay_id, epoch) VALUES ($1, $2, 1)", n.ID[:], n.Relay); err != nil {
				return fmt.Errorf("keep route: %w", err)
			}
		}
		return record(tx, events)
	})
}

// SetHost says which host answers a session that an agent started.
func (s *Store) SetHost(ctx context.Context, id [16]byte, owner, hostKey [32]byte, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("UPDATE sessions SET owner = $1, host_key = $2 WHERE id = $3", owner[:], hostKey[:], id[:])); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		return record(tx, events)
	})
}

// Joined says that an agent is in, as one whose badges allow everything or only seeing: from the first one on the code lives
// as long as the session.
func (s *Store) Joined(ctx context.Context, id [16]byte, agent string, viewOnly bool, now time.Time, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO joins (session_id, agent_id, first, view_only) VALUES ($1, $2, $3, $4)
			ON CONFLICT (session_id, agent_id) DO UPDATE SET view_only = excluded.view_only`, id[:], agent, ms(now), flag(viewOnly))
		if err != nil {
			return fmt.Errorf("keep join: %w", err)
		}
		if err := one(tx.Exec("UPDATE sessions SET expires = 0 WHERE id = $1", id[:])); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		return record(tx, events)
	})
}

// CloseCode says that nobody new may join.
func (s *Store) CloseCode(ctx context.Context, id [16]byte, now time.Time, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("UPDATE sessions SET closed = $1 WHERE id = $2", ms(now), id[:])); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		return record(tx, events)
	})
}

// EndSession ends a session; its codes may be given out again at free. by is the relay that says so: one whose session another
// relay has taken meanwhile changes nothing and hears ErrNotFound. Empty: there is one relay only.
func (s *Store) EndSession(ctx context.Context, id [16]byte, by string, now, free time.Time, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if by != "" {
			var n int
			err := tx.QueryRow("SELECT COUNT(*) FROM session_routes WHERE session_id = $1 AND relay_id = $2", id[:], by).Scan(&n)
			if err != nil || n == 0 {
				return fmt.Errorf("session: %w", errors.Join(err, ErrNotFound))
			}
		}
		if err := one(tx.Exec("UPDATE sessions SET ended = $1 WHERE id = $2 AND ended = 0", ms(now), id[:])); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		_, err := tx.Exec(`UPDATE codes SET free_at = $1 WHERE code IN
			(SELECT code FROM sessions WHERE id = $2 UNION SELECT code FROM invites WHERE session_id = $2)`, ms(free), id[:])
		if err != nil {
			return fmt.Errorf("retire code: %w", err)
		}
		return record(tx, events)
	})
}

// Forget drops sessions that ended before a time; what the audit log says of them stays.
func (s *Store) Forget(ctx context.Context, before time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM session_routes WHERE session_id IN (SELECT id FROM sessions WHERE ended > 0 AND ended < $1)", ms(before))
		if err == nil {
			_, err = tx.Exec("DELETE FROM joins WHERE session_id IN (SELECT id FROM sessions WHERE ended > 0 AND ended < $1)", ms(before))
		}
		if err == nil {
			_, err = tx.Exec("DELETE FROM invites WHERE session_id IN (SELECT id FROM sessions WHERE ended > 0 AND ended < $1)", ms(before))
		}
		if err == nil {
			_, err = tx.Exec("DELETE FROM sessions WHERE ended > 0 AND ended < $1", ms(before))
		}
		if err != nil {
			return fmt.Errorf("forget sessions: %w", err)
		}
		return nil
	})
}

// OpenSessions lists the sessions that have not ended: all, or those that a relay of a fleet serves.
func (s *Store) OpenSessions(ctx context.Context, relay string) ([]Session, error) {
	return s.openSessions(ctx, "$1 = '' OR s.id IN (SELECT session_id FROM session_routes WHERE relay_id = $1)", relay)
}

// OpenSession finds one that has not ended; ErrNotFound.
func (s *Store) OpenSession(ctx context.Context, id [16]byte) (Session, error) {
	all, err := s.openSessions(ctx, "s.id = $1", id[:])
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("session: %w", ErrNotFound)
	}
	if err != nil {
		return Session{}, err
	}
	return all[0], nil
}

func (s *Store) openSessions(ctx context.Context, which string, arg any) ([]Session, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT s.id, s.code, s.owner, s.host_key, s.started_by, s.minted, s.expires, s.closed,
		COALESCE(j.agent_id, ''), COALESCE(j.view_only, 0)
		FROM sessions s LEFT JOIN joins j ON j.session_id = s.id WHERE s.ended = 0 AND (`+which+`) ORDER BY s.minted, s.id, j.first`, arg)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer rows.Close()
	var out []Session
	for rows.Next() {
		var n Session
		var id, code []byte
		var minted, expires, closed int64
		var agent string
		var viewOnly int
		if err := rows.Scan(&id, &code, &n.Owner, &n.HostKey, &n.StartedBy, &minted, &expires, &closed, &agent, &viewOnly); err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		copy(n.ID[:], id)
		copy(n.Code[:], code)
		n.Minted, n.Expires, n.Closed = at(minted), at(expires), at(closed)
		if last := len(out) - 1; last < 0 || out[last].ID != n.ID {
			out = append(out, n)
		}
		if agent != "" {
			last := &out[len(out)-1]
			last.Agents = append(last.Agents, agent)
			if viewOnly != 0 {
				last.Viewers = append(last.Viewers, agent)
			}
		}
	}
	return out, rows.Err()
}
