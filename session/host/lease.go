package host

import (
	"context"
	"errors"

	"assist/session"
)

// lease is work of a member that lasts while the member has a grant: a report, a file, a shared terminal.
type lease struct {
	console session.ConsoleID
	member  session.MemberID
	grant   session.Grants
	end     context.CancelCauseFunc
}

// Why work under a lease is not begun, or ends.
var (
	errTakenBack = errors.New("the customer has taken that back")
	errLeft      = errors.New("the agent has gone")
	errRefused   = errors.New("the customer said no")
)

// lease lets a console work under a grant. The context ends with ctx, and at once when the member loses the grant or leaves;
// let go of it when the work is done. It fails with session.ErrNotGiven without the grant.
func (h *Host) lease(ctx context.Context, c *console, g session.Grants) (context.Context, session.Member, func(), error) {
	ctx, end := context.WithCancelCause(ctx)
	held := &lease{console: c.id, grant: g, end: end}
	got := make(chan session.Member, 1)
	ok := h.loop.post(func(l *loop) {
		m, in := l.sess.Roster().Member(c.member)
		if !in || !c.in || !m.Grants.Has(g) {
			close(got)
			return
		}
		held.member = m.ID
		l.leases[held] = struct{}{}
		got <- m
	})
	if ok {
		select {
		case m, given := <-got:
			if given {
				return ctx, m, func() {
					end(nil)
					h.loop.post(func(l *loop) { delete(l.leases, held) })
				}, nil
			}
			end(session.ErrNotGiven)
			return ctx, session.Member{}, func() {}, session.ErrNotGiven
		case <-h.loop.done:
		}
	}
	end(session.ErrOver)
	return ctx, session.Member{}, func() {}, session.ErrOver
}

// request asks the customer for one thing once, under a grant that the console's member has. It waits for the answer: nil is
// a yes.
func (h *Host) request(ctx context.Context, c *console, g session.Grants, what, detail string) error {
	if h.cfg.Gate != nil { // nobody has to answer: the grant is the answer
		return nil
	}
	answer := make(chan bool, 1)
	failed := make(chan error, 1)
	var once uint64
	ok := h.loop.post(func(l *loop) {
		l.judge(c.member)
		l.once++
		once = l.once
		l.requests[once] = answer
		if err := l.apply(session.Request{By: c.member, Once: once, Grant: g, What: what, Detail: detail}); err != nil {
			delete(l.requests, once)
			failed <- err
		}
	})
	if !ok {
		return session.ErrOver
	}
	select {
	case yes := <-answer:
		if !yes {
			return errRefused
		}
		return nil
	case err := <-failed:
		return err
	case <-ctx.Done():
		h.loop.post(func(l *loop) { _ = l.apply(session.Unask{Once: once}) }) // comes after what set it
		return context.Cause(ctx)
	case <-h.loop.done:
		return session.ErrOver
	}
}

// requested tells who made a request what became of it.
func (l *loop) requested(e session.Event) {
	if answer := l.requests[e.Question.Once]; answer != nil {
		delete(l.requests, e.Question.Once)
		answer <- e.Kind == session.EvAnswered && e.Grants != 0
	}
}
