package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"time"
)

// Org is an organisation.
type Org struct {
	ID       string
	Handle   string // as in NAME@ORG
	Skeleton string // Handle with look-alikes made equal; unique
	Title    string // as people read it
	Key      ed25519.PublicKey
	Created  time.Time
	Disabled time.Time // zero: it is not
}

// Agent is a person who gives support, with an account here.
type Agent struct {
	ID       string
	Org      Org
	Name     string
	Skeleton string // unique in the organisation
	Password string // argon2id
	Admin    bool
	Created  time.Time
	Disabled time.Time
}

// Handle is NAME@ORG.
func (a Agent) Handle() string { return a.Name + "@" + a.Org.Handle }

// Active says whether the agent may log in.
func (a Agent) Active() bool { return a.Disabled.IsZero() && a.Org.Disabled.IsZero() }

// AddOrg adds an organisation; ErrExists when the handle, or one that looks like it, is taken.
func (s *Store) AddOrg(ctx context.Context, o Org, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO organisations (id, handle, skeleton, title, pub, created) VALUES ($1, $2, $3, $4, $5, $6)",
			o.ID, o.Handle, o.Skeleton, o.Title, []byte(o.Key), ms(o.Created))
		if err != nil {
			return fmt.Errorf("add organisation: %w", unique(err))
		}
		return record(tx, events)
	})
}

const orgColumns = "o.id, o.handle, o.skeleton, o.title, o.pub, o.created, o.disabled"

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func scanOrg(r scanner, o *Org, more ...any) error {
	var created, disabled int64
	var key []byte
	if err := r.Scan(append([]any{&o.ID, &o.Handle, &o.Skeleton, &o.Title, &key, &created, &disabled}, more...)...); err != nil {
		return row(err)
	}
	o.Key, o.Created, o.Disabled = key, at(created), at(disabled)
	return nil
}

// Orgs lists all organisations by handle.
func (s *Store) Orgs(ctx context.Context) ([]Org, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+orgColumns+" FROM organisations o ORDER BY o.handle")
	if err != nil {
		return nil, fmt.Errorf("list organisations: %w", err)
	}
	defer rows.Close()
	var out []Org
	for rows.Next() {
		var o Org
		if err := scanOrg(rows, &o); err != nil {
			return nil, fmt.Errorf("list organisations: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Org finds one by its handle; ErrNotFound.
func (s *Store) Org(ctx context.Context, handle string) (Org, error) {
	var o Org
	err := scanOrg(s.read.QueryRowContext(ctx, "SELECT "+orgColumns+" FROM organisations o WHERE o.handle = $1", handle), &o)
	if err != nil {
		return Org{}, fmt.Errorf("organisation: %w", err)
	}
	return o, nil
}

// SetOrgDisabled disables an organisation since when, or enables it (zero). Disabling ends the logins of all its agents.
func (s *Store) SetOrgDisabled(ctx context.Context, handle string, since time.Time, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec("UPDATE organisations SET disabled = $1 WHERE handle = $2", ms(since), handle)); err != nil {
			return fmt.Errorf("organisation: %w", err)
		}
		if !since.IsZero() {
			_, err := tx.Exec(`DELETE FROM tokens WHERE agent_id IN
				(SELECT a.id FROM agents a JOIN organisations o ON o.id = a.org_id WHERE o.handle = $1)`, handle)
			if err != nil {
				return fmt.Errorf("end logins: %w", err)
			}
		}
		return record(tx, events)
	})
}

// AddAgent adds an agent to a.Org.ID; ErrExists when the name, or one that looks like it, is taken there.
func (s *Store) AddAgent(ctx context.Context, a Agent, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO agents (id, org_id, name, skeleton, password, admin, created) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			a.ID, a.Org.ID, a.Name, a.Skeleton, a.Password, flag(a.Admin), ms(a.Created))
		if err != nil {
			return fmt.Errorf("add agent: %w", unique(err))
		}
		return record(tx, events)
	})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

const agentColumns = orgColumns + ", a.id, a.name, a.skeleton, a.password, a.admin, a.created, a.disabled"

func scanAgent(r scanner, a *Agent) error {
	var admin int
	var created, disabled int64
	err := scanOrg(r, &a.Org, &a.ID, &a.Name, &a.Skeleton, &a.Password, &admin, &created, &disabled)
	a.Admin, a.Created, a.Disabled = admin != 0, at(created), at(disabled)
	return err
}

// Agents lists the agents of an organisation (its handle), or of all (empty), by handle.
func (s *Store) Agents(ctx context.Context, org string) ([]Agent, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+agentColumns+` FROM agents a JOIN organisations o ON o.id = a.org_id
		WHERE $1 = '' OR o.handle = $1 ORDER BY o.handle, a.name`, org)
	if err != nil {
		return nil, fmt.Errorf("list agents: %w", err)
	}
	defer rows.Close()
	var out []Agent
	for rows.Next() {
		var a Agent
		if err := scanAgent(rows, &a); err != nil {
			return nil, fmt.Errorf("list agents: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Agent finds one by NAME and ORG; ErrNotFound.
func (s *Store) Agent(ctx context.Context, name, org string) (Agent, error) {
	var a Agent
	err := scanAgent(s.read.QueryRowContext(ctx, "SELECT "+agentColumns+` FROM agents a JOIN organisations o ON o.id = a.org_id
		WHERE a.name = $1 AND o.handle = $2`, name, org), &a)
	if err != nil {
		return Agent{}, fmt.Errorf("agent: %w", err)
	}
	return a, nil
}

// AgentByID finds one by its id; ErrNotFound.
func (s *Store) AgentByID(ctx context.Context, id string) (Agent, error) {
	var a Agent
	err := scanAgent(s.read.QueryRowContext(ctx, "SELECT "+agentColumns+` FROM agents a JOIN organisations o ON o.id = a.org_id
		WHERE a.id = $1`, id), &a)
	if err != nil {
		return Agent{}, fmt.Errorf("agent: %w", err)
	}
	return a, nil
}

// SetPassword changes an agent's password hash and ends all its logins.
func (s *Store) SetPassword(ctx context.Context, agent, hash string, events ...Event) error {
	return s.changeAgent(ctx, agent, events, "UPDATE agents SET password = $1 WHERE id = $2", hash, agent)
}

// SetDisabled disables an agent since when, or enables it (zero), and ends all its logins.
func (s *Store) SetDisabled(ctx context.Context, agent string, since time.Time, events ...Event) error {
	return s.changeAgent(ctx, agent, events, "UPDATE agents SET disabled = $1 WHERE id = $2", ms(since), agent)
}

func (s *Store) changeAgent(ctx context.Context, agent string, events []Event, update string, args ...any) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if err := one(tx.Exec(update, args...)); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		if _, err := tx.Exec("DELETE FROM tokens WHERE agent_id = $1", agent); err != nil {
			return fmt.Errorf("end logins: %w", err)
		}
		return record(tx, events)
	})
}
