package broker

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// Limits of invitations.
const (
	inviteLife       = 15 * time.Minute // when none is asked for
	inviteMaxLife    = day
	maxOpenInvites   = 32  // of one session at a time
	maxInvites       = 256 // of one session ever: who came by a closed one may come back by it
	invitesPerMinute = 30  // of one account
)

// invitation is a further code of a session. The directory owns revoked; the rest does not change.
type invitation struct {
	code     codeMAC
	sealed   []byte // the code, for those who may list it
	by       string // NAME@ORG
	who      string // NAME@ORG, ORG, or empty: for whoever has the code
	viewOnly bool
	expires  time.Time
	revoked  bool
}

func (i *invitation) open(now time.Time) bool { return !i.revoked && now.Before(i.expires) }

// meant says whether the invitation is for the agent of c.
func (i *invitation) meant(c *console) bool { return meant(i.who, c) }

// meant says whether what is for who (NAME@ORG, ORG, or empty for everybody) is for the agent of c.
func meant(who string, c *console) bool { return who == "" || who == c.handle || who == c.org }

// admits says whether c may come in by code; by is the invitation that it came by, nil for the session's own code. Who has
// been in may come back by any.
func (s *live) admits(code codeMAC, c *console, now time.Time) (by *invitation, ok bool) {
	known := s.agents[c.agent] || (s.startedBy != "" && s.startedBy == c.agent)
	by = s.invites[code]
	switch {
	case s.closed && !known:
		return nil, false
	case by == nil:
		return nil, s.code == code && (s.host != nil || known) // without a host it would tell a stranger that the code is one
	case by.open(now) && by.meant(c):
		return by, s.host != nil || known
	}
	return nil, known
}

// came keeps what the way in means for the badges of c's agent: the first one counts, but for a later invitation to more.
func (s *live) came(c *console, by *invitation) {
	switch {
	case by == nil:
	case by.viewOnly && !s.agents[c.agent] && s.startedBy != c.agent:
		s.viewers[c.agent] = true
	case !by.viewOnly:
		delete(s.viewers, c.agent)
	}
	c.viewOnly, c.by = s.viewers[c.agent], by
	s.agents[c.agent] = true
}

// inviteRoom says why no invitation can be added.
func (s *live) inviteRoom(now time.Time) error {
	open := 0
	for _, i := range s.invites {
		if i.open(now) {
			open++
		}
	}
	switch {
	case s.closed:
		return no(wire.CodeBadRequest, "the session takes nobody in any more")
	case open >= maxOpenInvites:
		return no(wire.CodeFull, fmt.Sprintf("%d invitations are open; revoke one first", open))
	case len(s.invites) >= maxInvites:
		return no(wire.CodeFull, "there were too many invitations to this session")
	}
	return nil
}

// addInvite lets an invitation be used.
func (d *directory) addInvite(s *live, i *invitation, now time.Time) error {
	if d.byID[s.id] != s {
		return errUnknown
	}
	if d.byCode[i.code] != nil {
		return errInUse
	}
	if err := s.inviteRoom(now); err != nil {
		return err
	}
	s.invites[i.code], d.byCode[i.code] = i, s
	return nil
}

// insider finds a session for an agent who may invite: one whose device is in it, or who started it.
func (b *Broker) insider(ctx context.Context, x *exchange, token string, id []byte) (a store.Agent, s *live, viewOnly bool, err error) {
	if a, _, err = b.who(ctx, x, token); err != nil {
		return a, nil, false, err
	}
	s, err = b.find(id, func(s *live) bool {
		viewOnly = s.viewers[a.ID]
		return s.seated(a.ID, x.key) || (s.startedBy != "" && s.startedBy == a.ID)
	})
	return a, s, viewOnly, err
}

// invite makes an invitation. Who came to see only can invite to nothing more.
func (b *Broker) invite(ctx context.Context, x *exchange, r *wire.Invite) error {
	a, s, viewOnly, err := b.insider(ctx, x, r.Token, r.Session)
	if err != nil {
		return err
	}
	who, err := invitee(r.For)
	if err != nil {
		return err
	}
	life := time.Duration(r.LifeS) * time.Second
	if life == 0 {
		life = inviteLife
	}
	if life > inviteMaxLife {
		return no(wire.CodeBadRequest, "an invitation lasts a day at most")
	}
	now := time.Now()
	if wait := b.invites.take(a.ID, now); wait > 0 {
		return slowDown(wait)
	}
	if err := b.dir.do(func() error { return s.inviteRoom(now) }); err != nil {
		return err
	}
	i := &invitation{by: a.Handle(), who: who, viewOnly: r.ViewOnly || viewOnly, expires: now.Add(life)}
	code, err := b.addInvite(ctx, x, s, i, now)
	if err != nil {
		return err
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Invited{Invited: i.message(code)}})
}

// addInvite draws a code for i and adds it, on disk and in the directory.
func (b *Broker) addInvite(ctx context.Context, x *exchange, s *live, i *invitation, now time.Time) (code string, err error) {
	ev := x.event("invite.create", i.by, "ok")
	ev.Session, ev.Detail = s.id[:], i.detail()
	for range mintTries {
		if code, err = newCode(); err != nil {
			return "", err
		}
		i.code = b.mac(code)
		i.sealed = b.seal.Seal(nil, nil, []byte(code), s.id[:])
		err = b.store.AddInvite(ctx, store.Invite{
			Code: i.code, Session: s.id, Sealed: i.sealed, By: i.by, For: i.who, ViewOnly: i.viewOnly, Made: now, Expires: i.expires,
		}, ev)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return "", ended(err)
		}
		if err = b.dir.do(func() error { return b.dir.addInvite(s, i, now) }); err != nil {
			return "", errors.Join(err, b.store.RevokeInvite(ctx, i.code, now))
		}
		return code, nil
	}
	return "", errFull
}

// ended is what a session that is not in the database any more means.
func ended(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errUnknown
	}
	return err
}

// invitee checks whom an invitation is for: NAME@ORG, ORG, or whoever has the code.
func invitee(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	var err error
	switch {
	case strings.Contains(s, "@"):
		_, _, err = ParseHandle(s)
	case s != "":
		err = CheckName(s)
	}
	if err != nil {
		return "", no(wire.CodeBadRequest, "an invitation is for NAME@ORG or for ORG")
	}
	return s, nil
}

func (i *invitation) message(code string) *wire.Invited {
	return &wire.Invited{Code: code, ExpiresUnix: i.expires.Unix(), For: i.who, ViewOnly: i.viewOnly, By: i.by}
}

// detail is the invitation in the audit log.
func (i *invitation) detail() string {
	who, may := i.who, "control"
	if who == "" {
		who = "whoever has the code"
	}
	if i.viewOnly {
		may = "view only"
	}
	return fmt.Sprintf("for %s, %s, until %s", who, may, i.expires.UTC().Format(time.RFC3339))
}

// listInvites tells which invitations of a session are open, the oldest first.
func (b *Broker) listInvites(ctx context.Context, x *exchange, r *wire.ListInvites) error {
	_, s, _, err := b.insider(ctx, x, r.Token, r.Session)
	if err != nil {
		return err
	}
	var open []*invitation
	now := time.Now()
	err = b.dir.do(func() error {
		for _, i := range s.invites {
			if i.open(now) {
				open = append(open, i)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(open, func(i, j *invitation) int { return i.expires.Compare(j.expires) })
	list := &wire.Invites{}
	for _, i := range open {
		code, err := b.seal.Open(nil, nil, i.sealed, s.id[:])
		if err != nil {
			return fmt.Errorf("open sealed code: %w", err)
		}
		list.Open = append(list.Open, i.message(string(code)))
	}
	return x.reply(&wire.Reply{Kind: &wire.Reply_Invites{Invites: list}})
}

// revokeInvite closes an invitation for all who have not come by it yet.
func (b *Broker) revokeInvite(ctx context.Context, x *exchange, r *wire.RevokeInvite) error {
	a, s, _, err := b.insider(ctx, x, r.Token, r.Session)
	if err != nil {
		return err
	}
	mac, now := b.mac(r.Code), time.Now()
	var found *invitation
	err = b.dir.do(func() error {
		if found = s.invites[mac]; found == nil || !found.open(now) {
			return no(wire.CodeUnknownCode, "no open invitation has this code")
		}
		found.revoked = true
		return nil
	})
	if err != nil {
		return err
	}
	ev := x.event("invite.revoke", a.Handle(), "ok")
	ev.Session, ev.Detail = s.id[:], found.detail()
	if err := b.store.RevokeInvite(ctx, mac, now, ev); err != nil {
		return err
	}
	return x.done()
}

// sealer encrypts codes of invitations in the database, so that those in the session can list them. The key is made from
// the one that names codes: who has the database only has neither.
func sealer(key [32]byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("assist invitation 1"))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal codes: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
