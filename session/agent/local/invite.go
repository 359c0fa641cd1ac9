package local

import (
	"context"
	"time"

	"assist/session/console"
)

// Invitee says who is invited, to what, and for how long.
type Invitee struct {
	For      string // NAME@ORG, ORG, or empty for whoever has the code
	ViewOnly bool
	Life     time.Duration // 0: 15 minutes; at most a day
}

// Invite is an invitation: `assist invite --json`, and one of `assist invite --list --json`.
type Invite struct {
	Code     string `json:"code"`
	URL      string `json:"url"`
	Expires  string `json:"expires"` // RFC 3339; empty: as long as the session lasts
	For      string `json:"for,omitempty"`
	ViewOnly bool   `json:"view_only,omitempty"`
}

func newInvite(i console.Invitation) Invite {
	out := Invite{Code: i.Code, URL: i.URL, For: i.For, ViewOnly: i.ViewOnly}
	if !i.Expires.IsZero() {
		out.Expires = i.Expires.UTC().Format(time.RFC3339)
	}
	return out
}

// Invite makes an invitation.
func (c *Client) Invite(ctx context.Context, to Invitee) (out Invite, err error) {
	req := request{Verb: verbInvite, For: to.For, ViewOnly: to.ViewOnly, Life: int((to.Life + time.Second - 1) / time.Second)}
	err = c.call(ctx, req, func(r reply) error {
		if r.Invite != nil {
			out = *r.Invite
		}
		return nil
	})
	return out, err
}

// Invites lists the open invitations of the session, whoever made them.
func (c *Client) Invites(ctx context.Context) ([]Invite, error) {
	out := []Invite{}
	err := c.call(ctx, request{Verb: verbInvites}, func(r reply) error { out = append(out, r.Invites...); return nil })
	return out, err
}

// RevokeInvite closes the invitation with a code.
func (c *Client) RevokeInvite(ctx context.Context, code string) error {
	return c.call(ctx, request{Verb: verbRevoke, Code: code}, func(reply) error { return nil })
}

// maxLife is more than a relay grants; it keeps the number of seconds within a time.Duration.
const maxLife = 365 * 24 * 60 * 60

func invite(ctx context.Context, c *call) error {
	if c.req.Life < 0 || c.req.Life > maxLife {
		return &Error{Code: BadRequest, Text: "an invitation lasts a day at most"}
	}
	return c.atRelay(ctx, func(ctx context.Context) error {
		made, err := c.console.Invite(ctx, console.Invite{For: c.req.For, ViewOnly: c.req.ViewOnly, Life: time.Duration(c.req.Life) * time.Second})
		if err != nil {
			return c.refusal(err)
		}
		line := newInvite(made)
		return c.say(reply{Invite: &line, Done: true})
	})
}

func invites(ctx context.Context, c *call) error {
	return c.atRelay(ctx, func(ctx context.Context) error {
		open, err := c.console.Invites(ctx)
		if err != nil {
			return c.refusal(err)
		}
		r := reply{Done: true}
		for _, i := range open {
			r.Invites = append(r.Invites, newInvite(i))
		}
		return c.say(r)
	})
}

func revoke(ctx context.Context, c *call) error {
	return c.atRelay(ctx, func(ctx context.Context) error {
		if err := c.console.RevokeInvite(ctx, c.req.Code); err != nil {
			return c.refusal(err)
		}
		return c.say(reply{Done: true})
	})
}

// atRelay does what only a console in a session can ask the relay, for askTime at most.
func (c *call) atRelay(ctx context.Context, do func(context.Context) error) error {
	if st := c.console.State(); st.Phase != console.AwaitingHost {
		if err := member(st); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return do(ctx)
}
