package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Invite is a further code of a session, for one more agent.
type Invite struct {
	Code     [32]byte // HMAC of the code
	Session  [16]byte
	Sealed   []byte // the code itself, encrypted by the broker
	By       string // NAME@ORG
	For      string // NAME@ORG, ORG, or empty
	ViewOnly bool
	Made     time.Time
	Expires  time.Time
	Revoked  time.Time // zero: it is not
}

// AddInvite keeps a new invitation; ErrExists when its code is in use or was a short while ago, ErrNotFound when the session
// has ended.
func (s *Store) AddInvite(ctx context.Context, n Invite, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := takeCode(tx, n.Code, n.Made); err != nil {
			return err
		}
		var ended int64
		if err := tx.QueryRow("SELECT ended FROM sessions WHERE id = $1", n.Session[:]).Scan(&ended); err != nil {
			return fmt.Errorf("session: %w", row(err))
		}
		if ended != 0 {
			return fmt.Errorf("session: %w", ErrNotFound)
		}
		_, err := tx.Exec(`INSERT INTO invites (code, session_id, sealed, made_by, made_for, view_only, made, expires)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			n.Code[:], n.Session[:], n.Sealed, n.By, n.For, flag(n.ViewOnly), ms(n.Made), ms(n.Expires))
		if err != nil {
			return fmt.Errorf("keep invitation: %w", unique(err))
		}
		return record(tx, events)
	})
}

// takeCode marks a code as in use, after those that have rested are free again.
func takeCode(tx *sql.Tx, code [32]byte, now time.Time) error {
	if _, err := tx.Exec("DELETE FROM codes WHERE free_at > 0 AND free_at <= $1", ms(now)); err != nil {
		return fmt.Errorf("free codes: %w", err)
	}
	if _, err := tx.Exec("INSERT INTO codes (code, free_at) VALUES ($1, 0)", code[:]); err != nil {
		return fmt.Errorf("keep code: %w", unique(err))
	}
	return nil
}

// RevokeInvite closes an invitation for all who have not come by it yet. Its code stays in use as long as the session.
func (s *Store) RevokeInvite(ctx context.Context, code [32]byte, now time.Time, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("UPDATE invites SET revoked = $1 WHERE code = $2", ms(now), code[:])); err != nil {
			return fmt.Errorf("invitation: %w", err)
		}
		return record(tx, events)
	})
}

// Invites lists the invitations of a session, or of all sessions that have not ended (nil), oldest first; also those that are
// closed, because who came by them may come back.
func (s *Store) Invites(ctx context.Context, session []byte) ([]Invite, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT i.code, i.session_id, i.sealed, i.made_by, i.made_for, i.view_only, i.made, i.expires, i.revoked
		FROM invites i JOIN sessions s ON s.id = i.session_id WHERE s.ended = 0 AND ($1 = 1 OR i.session_id = $2) ORDER BY i.made, i.code`, flag(session == nil), session)
	if err != nil {
		return nil, fmt.Errorf("list invitations: %w", err)
	}
	defer rows.Close()
	var out []Invite
	for rows.Next() {
		var n Invite
		var code, session []byte
		var viewOnly int
		var made, expires, revoked int64
		if err := rows.Scan(&code, &session, &n.Sealed, &n.By, &n.For, &viewOnly, &made, &expires, &revoked); err != nil {
			return nil, fmt.Errorf("list invitations: %w", err)
		}
		copy(n.Code[:], code)
		copy(n.Session[:], session)
		n.ViewOnly, n.Made, n.Expires, n.Revoked = viewOnly != 0, at(made), at(expires), at(revoked)
		out = append(out, n)
	}
	return out, rows.Err()
}
