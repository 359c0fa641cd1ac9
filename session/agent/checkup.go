package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"assist/diag"
	"assist/session"
	"assist/session/console"
	"assist/session/inner"
)

// checkupSize is how many commands about the machine may wait.
const checkupSize = 8

// againAfter is how long a follower waits before it looks whether a broken link is back.
const againAfter = time.Second

// forCheckup says whether a command is about the customer's machine; those are obeyed over streams of their own.
func forCheckup(c console.Command) bool {
	switch c.(type) {
	case console.PullReport, console.FollowLive, console.FollowEvents:
		return true
	}
	return false
}

// checkups obeys commands about the machine, one goroutine for each thing that is followed. Only its own goroutine starts and
// stops them; what they learn goes into State.Checkup under the session's lock.
type checkups struct {
	s      *Session
	work   sync.WaitGroup
	live   context.CancelFunc // nil: not followed
	events context.CancelFunc
}

// runCheckups runs until ctx is done, and until everything that it started is gone.
func (s *Session) runCheckups(ctx context.Context) {
	k := checkups{s: s}
	defer k.work.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.checkups:
			k.obey(ctx, c)
		}
	}
}

func (k *checkups) obey(ctx context.Context, c console.Command) {
	switch c := c.(type) {
	case console.PullReport:
		if k.s.beginPull() {
			k.work.Go(func() { k.s.pull(ctx, c.IDs) })
		}
	case console.FollowLive:
		k.stop(&k.live)
		if c.On {
			k.start(ctx, &k.live, k.s.followLive)
		}
	case console.FollowEvents:
		k.stop(&k.events)
		k.s.checkup(func(u *console.Checkup) { u.Following = c.Query != nil })
		if c.Query != nil {
			q := *c.Query
			k.s.checkup(func(u *console.Checkup) { u.Events, u.EventQuery, u.EventsFrom, u.EventsWhy = nil, q, "", "" })
			k.start(ctx, &k.events, func(ctx context.Context) { k.s.followEvents(ctx, q) })
		}
	}
}

func (k *checkups) start(ctx context.Context, what *context.CancelFunc, do func(context.Context)) {
	ctx, *what = context.WithCancel(ctx)
	k.work.Go(func() { do(ctx) })
}

func (k *checkups) stop(what *context.CancelFunc) {
	if *what != nil {
		(*what)()
		*what = nil
	}
}

// checkup changes a copy of what is known of the machine and shows it.
func (s *Session) checkup(change func(*console.Checkup)) {
	s.update(func(st *console.State) {
		next := console.Checkup{}
		if st.Checkup != nil {
			next = *st.Checkup
		}
		change(&next)
		st.Checkup = &next
	})
}

// beginPull says whether a report may be asked for: one at a time.
func (s *Session) beginPull() (ok bool) {
	s.checkup(func(u *console.Checkup) {
		if ok = !u.Pulling; ok {
			u.Pulling, u.Doing, u.Why = true, "the customer is asked whether you may look", ""
		}
	})
	return ok
}

// pull asks for the grant and for the report.
func (s *Session) pull(ctx context.Context, ids []diag.ID) {
	err := s.Obtain(ctx, session.Diag)
	if err == nil {
		s.checkup(func(u *console.Checkup) { u.Doing = "the machine is being read" })
		var r diag.Report
		if r, err = s.report(ctx, ids); err == nil {
			s.checkup(func(u *console.Checkup) { u.Pulling, u.Doing, u.Reports = false, "", keep(u.Reports, r) })
			return
		}
	}
	s.checkup(func(u *console.Checkup) { u.Pulling, u.Doing, u.Why = false, "", err.Error() })
}

func (s *Session) report(ctx context.Context, ids []diag.ID) (diag.Report, error) {
	stream, done, err := s.reportStream(ctx)
	if err != nil {
		return diag.Report{}, err
	}
	defer done()
	return PullReport(stream, ids, func() {
		s.checkup(func(u *console.Checkup) { u.Doing = "the customer looks at what would be sent" })
	})
}

// keep adds a report. The first stays, to compare with.
func keep(all []diag.Report, r diag.Report) []diag.Report {
	all = append(slices.Clone(all), r)
	if len(all) > console.KeepReports {
		all = slices.Delete(all, 1, 2)
	}
	return all
}

// followLive keeps the live values coming until ctx is done or the host says no.
func (s *Session) followLive(ctx context.Context) {
	s.checkup(func(u *console.Checkup) { u.Live, u.LiveWhy = nil, "" })
	s.following(ctx, func(stream ReportStream) error {
		return WatchLive(stream, func(v diag.Sample) error {
			s.checkup(func(u *console.Checkup) {
				all := append(slices.Clone(u.Live), v)
				u.Live, u.LiveWhy = all[max(0, len(all)-console.KeepSamples):], ""
			})
			return nil
		})
	}, func(why string) { s.checkup(func(u *console.Checkup) { u.LiveWhy = why }) })
}

// followEvents keeps the event log coming.
func (s *Session) followEvents(ctx context.Context, q diag.EventQuery) {
	s.following(ctx, func(stream ReportStream) error {
		fresh := true // the lines of a new stream replace those of one that broke
		return WatchEvents(stream, q, func(said inner.ReportSaid) error {
			s.checkup(func(u *console.Checkup) {
				switch {
				case ctx.Err() != nil:
				case said.Asking:
					u.EventsWhy = "the customer looks at what would be sent"
				case said.Source != "":
					u.EventsFrom, u.EventsWhy = said.Source, ""
				case said.Event != nil:
					if fresh {
						u.Events, fresh = nil, false
					}
					all := append(slices.Clone(u.Events), *said.Event)
					u.Events, u.EventsWhy = all[max(0, len(all)-console.KeepEvents):], ""
				}
			})
			return nil
		})
	}, func(why string) {
		s.checkup(func(u *console.Checkup) { u.EventsWhy, u.Following = why, false })
	})
}

// following asks for the grant and follows over one stream after the other, until ctx is done or somebody says no. Where a
// link broke it goes on when there is another.
func (s *Session) following(ctx context.Context, follow func(ReportStream) error, over func(why string)) {
	for ctx.Err() == nil {
		err := s.Obtain(ctx, session.Diag)
		var no *inner.ReportError
		if err == nil {
			var stream ReportStream
			var done func()
			if stream, done, err = s.reportStream(ctx); err == nil {
				err = follow(stream)
				done()
			} else {
				err = errNoContact
			}
			if !errors.As(err, &no) && !errors.Is(err, console.ErrRefused) && ctx.Err() == nil { // the link
				pause(ctx, againAfter)
				continue
			}
		}
		if ctx.Err() == nil {
			over(err.Error())
		}
		return
	}
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
