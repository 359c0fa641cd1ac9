package host

import (
	"context"
	"errors"

	"assist/chat"
	"assist/diag"
	"assist/session"
	"assist/session/inner"
)

// Doer does something about what was found, as *remedy.Machine does.
type Doer interface {
	// Prepare says what d means on this machine, in lines for the customer, and returns what does exactly that.
	Prepare(ctx context.Context, d diag.Deed) (detail string, do func(context.Context) error, err error)
}

var errNoDoer = errors.New("this host does nothing of the kind")

// deed asks the customer about one thing, and does it. Everybody in the session reads it.
func (r *run) deed(ctx context.Context, by session.Member, d diag.Deed) error {
	if r.h.cfg.Doer == nil {
		return errNoDoer
	}
	detail, do, err := r.h.cfg.Doer.Prepare(ctx, d)
	if err != nil {
		return err
	}
	if err := r.h.request(ctx, r.c, session.Run, d.String(), chat.Body(detail)); err != nil {
		return err
	}
	r.h.tellRun(by, "command", "does: "+d.String(), d.String(), "")
	err = do(ctx)
	how := "done"
	if err != nil {
		how = chat.Line(err.Error())
	}
	r.h.tellRun(by, "command_over", "", d.String(), how)
	if err != nil {
		return err
	}
	_ = r.say(&inner.FromRun{Kind: &inner.FromRun_Over{Over: &inner.RunOver{}}}) // who has gone does not hear it
	return nil
}
