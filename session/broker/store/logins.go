package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Login is a fresh token of an agent on a device.
type Login struct {
	Agent   string // id
	Device  [32]byte
	Name    string // of the device, as a person recognises it
	Cert    string // device certificate, or empty
	Token   [32]byte
	Created time.Time
	Expires time.Time
}

// AddLogin keeps a login. The device's earlier token, if any, ends, and so do all that have expired.
func (s *Store) AddLogin(ctx context.Context, l Login, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO devices (agent_id, device, name, cert, created, seen) VALUES ($1, $2, $3, $4, $5, $5)
			ON CONFLICT (agent_id, device) DO UPDATE SET name = excluded.name, cert = excluded.cert, seen = excluded.seen`,
			l.Agent, l.Device[:], l.Name, l.Cert, ms(l.Created))
		if err != nil {
			return fmt.Errorf("keep device: %w", err)
		}
		_, err = tx.Exec("DELETE FROM tokens WHERE (agent_id = $1 AND device = $2) OR expires <= $3", l.Agent, l.Device[:], ms(l.Created))
		if err != nil {
			return fmt.Errorf("end earlier login: %w", err)
		}
		_, err = tx.Exec("INSERT INTO tokens (hash, agent_id, device, created, expires) VALUES ($1, $2, $3, $4, $5)",
			l.Token[:], l.Agent, l.Device[:], ms(l.Created), ms(l.Expires))
		if err != nil {
			return fmt.Errorf("keep token: %w", unique(err))
		}
		return record(tx, events)
	})
}

// LoggedIn finds who a token belongs to: it must be of this device, not expired, of an agent and an organisation that are not
// disabled; else ErrNotFound. cert is the device certificate.
func (s *Store) LoggedIn(ctx context.Context, token, device [32]byte, now time.Time) (a Agent, cert string, err error) {
	var agent string
	var expires int64
	err = s.read.QueryRowContext(ctx, `SELECT t.agent_id, t.expires, d.cert FROM tokens t
		JOIN devices d ON d.agent_id = t.agent_id AND d.device = t.device WHERE t.hash = $1 AND t.device = $2`,
		token[:], device[:]).Scan(&agent, &expires, &cert)
	if err != nil {
		return Agent{}, "", fmt.Errorf("token: %w", row(err))
	}
	if a, err = s.AgentByID(ctx, agent); err != nil {
		return Agent{}, "", fmt.Errorf("token: %w", err)
	}
	if !a.Active() || expires <= ms(now) {
		return Agent{}, "", fmt.Errorf("token: %w", ErrNotFound)
	}
	return a, cert, nil
}

// EndLogin ends the login of a token; ErrNotFound when there is none on this device.
func (s *Store) EndLogin(ctx context.Context, token, device [32]byte, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("DELETE FROM tokens WHERE hash = $1 AND device = $2", token[:], device[:])); err != nil {
			return fmt.Errorf("token: %w", err)
		}
		return record(tx, events)
	})
}

// KnowsDevice says whether the agent has logged in with this device before.
func (s *Store) KnowsDevice(ctx context.Context, agent string, device [32]byte) (bool, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM devices WHERE agent_id = $1 AND device = $2", agent, device[:]).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("device: %w", err)
	}
	return n > 0, nil
}
