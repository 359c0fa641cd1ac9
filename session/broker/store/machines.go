package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Enrolment is what a token for one machine allows.
type Enrolment struct {
	Hash    [32]byte // of the secret
	Org     Org      // AddEnrolment needs its ID only
	Name    string   // that the machine will have, or empty
	Tags    []string
	By      string // who made it
	Made    time.Time
	Expires time.Time
}

// Machine is enrolled for unattended access.
type Machine struct {
	ID       string
	Org      Org
	Name     string
	Skeleton string   // unique in the organisation
	Key      [32]byte // SHA-256 of its SubjectPublicKeyInfo
	OS       string
	Tags     []string
	Limits   string // policy from outside
	Enrolled time.Time
	By       string // who made the token
	Seen     time.Time
}

// Handle is NAME@ORG.
func (m Machine) Handle() string { return m.Name + "@" + m.Org.Handle }

// AddEnrolment keeps a token, and forgets those that have expired.
func (s *Store) AddEnrolment(ctx context.Context, e Enrolment, events ...Event) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM enrolments WHERE expires <= $1", ms(e.Made)); err != nil {
			return fmt.Errorf("forget enrolment tokens: %w", err)
		}
		_, err := tx.Exec("INSERT INTO enrolments (hash, org_id, name, tags, made_by, made, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			e.Hash[:], e.Org.ID, e.Name, joinTags(e.Tags), e.By, ms(e.Made), ms(e.Expires))
		if err != nil {
			return fmt.Errorf("keep enrolment token: %w", unique(err))
		}
		return record(tx, events)
	})
}

// Enroll uses a token up for a machine: fill makes the machine of what the token allows, in the same transaction, so that a
// token is used once. A machine with the same key in the same organisation is enrolled anew and keeps its id. ErrNotFound: no
// such token, or it has expired; ErrExists: the name, or one that looks like it, belongs to another key.
func (s *Store) Enroll(ctx context.Context, hash [32]byte, now time.Time, fill func(Enrolment) (Machine, Event, error)) (Machine, error) {
	var m Machine
	err := s.change(ctx, func(tx *sql.Tx) error {
		e, err := takeEnrolment(tx, hash, now)
		if err != nil {
			return err
		}
		var event Event
		if m, event, err = fill(e); err != nil {
			return err
		}
		if err := replaceMachine(tx, &m); err != nil {
			return err
		}
		return record(tx, []Event{event})
	})
	return m, err
}

func takeEnrolment(tx *sql.Tx, hash [32]byte, now time.Time) (e Enrolment, err error) {
	var tags string
	var made, expires int64
	q := "SELECT " + orgColumns + ", e.name, e.tags, e.made_by, e.made, e.expires FROM enrolments e JOIN organisations o ON o.id = e.org_id WHERE e.hash = $1"
	if err := scanOrg(tx.QueryRow(q, hash[:]), &e.Org, &e.Name, &tags, &e.By, &made, &expires); err != nil {
		return e, fmt.Errorf("enrolment token: %w", err)
	}
	e.Hash, e.Tags, e.Made, e.Expires = hash, splitTags(tags), at(made), at(expires)
	if expires <= ms(now) || !e.Org.Disabled.IsZero() {
		return e, fmt.Errorf("enrolment token: %w", ErrNotFound)
	}
	if err := one(tx.Exec("DELETE FROM enrolments WHERE hash = $1", hash[:])); err != nil {
		return e, fmt.Errorf("enrolment token: %w", err)
	}
	return e, nil
}

// replaceMachine adds m. One with its key in the same organisation gives way, and m takes its id.
func replaceMachine(tx *sql.Tx, m *Machine) error {
	var id, org string
	err := row(tx.QueryRow("SELECT id, org_id FROM machines WHERE device = $1", m.Key[:]).Scan(&id, &org))
	switch {
	case err == nil && org != m.Org.ID:
		return fmt.Errorf("machine: %w", ErrExists)
	case err == nil:
		m.ID = id
		if _, err := tx.Exec("DELETE FROM machines WHERE id = $1", id); err != nil {
			return fmt.Errorf("replace machine: %w", err)
		}
	case err != ErrNotFound:
		return fmt.Errorf("machine: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO machines (id, org_id, name, skeleton, device, os, tags, enrolled, enrolled_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		m.ID, m.Org.ID, m.Name, m.Skeleton, m.Key[:], m.OS, joinTags(m.Tags), ms(m.Enrolled), m.By)
	if err != nil {
		return fmt.Errorf("add machine: %w", unique(err))
	}
	return nil
}

const machineColumns = orgColumns + ", m.id, m.name, m.skeleton, m.device, m.os, m.tags, m.limits, m.enrolled, m.enrolled_by, m.seen"

const machinesOfOrgs = " FROM machines m JOIN organisations o ON o.id = m.org_id "

func scanMachine(r scanner, m *Machine) error {
	var key []byte
	var tags string
	var enrolled, seen int64
	err := scanOrg(r, &m.Org, &m.ID, &m.Name, &m.Skeleton, &key, &m.OS, &tags, &m.Limits, &enrolled, &m.By, &seen)
	copy(m.Key[:], key)
	m.Tags, m.Enrolled, m.Seen = splitTags(tags), at(enrolled), at(seen)
	return err
}

// Machines lists the machines of an organisation by name.
func (s *Store) Machines(ctx context.Context, orgID string) ([]Machine, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+machineColumns+machinesOfOrgs+"WHERE m.org_id = $1 ORDER BY m.name", orgID)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	defer rows.Close()
	var out []Machine
	for rows.Next() {
		var m Machine
		if err := scanMachine(rows, &m); err != nil {
			return nil, fmt.Errorf("list machines: %w", err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// Machine finds one by NAME and ORG; ErrNotFound.
func (s *Store) Machine(ctx context.Context, name, org string) (Machine, error) {
	return s.machine(ctx, "m.name = $1 AND o.handle = $2", name, org)
}

// MachineByID finds one by its id; ErrNotFound.
func (s *Store) MachineByID(ctx context.Context, id string) (Machine, error) {
	return s.machine(ctx, "m.id = $1", id)
}

func (s *Store) machine(ctx context.Context, where string, args ...any) (Machine, error) {
	var m Machine
	if err := scanMachine(s.read.QueryRowContext(ctx, "SELECT "+machineColumns+machinesOfOrgs+"WHERE "+where, args...), &m); err != nil {
		return Machine{}, fmt.Errorf("machine: %w", err)
	}
	return m, nil
}

// Saw keeps when a machine was connected last, and what it runs.
func (s *Store) Saw(ctx context.Context, id, os string, when time.Time, events ...Event) error {
	return s.changeMachine(ctx, events, "UPDATE machines SET seen = $1, os = $2 WHERE id = $3", ms(when), os, id)
}

// RemoveMachine ends an enrolment.
func (s *Store) RemoveMachine(ctx context.Context, id string, events ...Event) error {
	return s.changeMachine(ctx, events, "DELETE FROM machines WHERE id = $1", id)
}

// RenameMachine gives a machine another name; ErrExists when it, or one that looks like it, is taken.
func (s *Store) RenameMachine(ctx context.Context, id, name, skeleton string, events ...Event) error {
	return s.changeMachine(ctx, events, "UPDATE machines SET name = $1, skeleton = $2 WHERE id = $3", name, skeleton, id)
}

// TagMachine sets the tags of a machine.
func (s *Store) TagMachine(ctx context.Context, id string, tags []string, events ...Event) error {
	return s.changeMachine(ctx, events, "UPDATE machines SET tags = $1 WHERE id = $2", joinTags(tags), id)
}

// LimitMachine sets what a machine is told to forbid.
func (s *Store) LimitMachine(ctx context.Context, id, limits string, events ...Event) error {
	return s.changeMachine(ctx, events, "UPDATE machines SET limits = $1 WHERE id = $2", limits, id)
}

func (s *Store) changeMachine(ctx context.Context, events []Event, update string, args ...any) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec(update, args...)
		if err := one(r, unique(err)); err != nil {
			return fmt.Errorf("machine: %w", err)
		}
		return record(tx, events)
	})
}

func joinTags(tags []string) string { return strings.Join(tags, ",") }

func splitTags(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
