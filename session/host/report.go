package host

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"assist/chat"
	"assist/diag"
	"assist/session"
	"assist/session/inner"
	"assist/transport"
)

// Prober reads this machine, as *probe.Machine does. Live and Events end with ctx, or with the error of the function that
// they are given.
type Prober interface {
	Report(ctx context.Context, ids []diag.ID) diag.Report
	Live(ctx context.Context, each func(diag.Sample) error) error
	Events(ctx context.Context, q diag.EventQuery, each func(diag.Event) error) (source string, err error)
}

// Limits of reports.
const (
	maxReports  = 4                // streams of one console at once
	reportAsk   = 5 * time.Second  // for the question to arrive
	reportTime  = 60 * time.Second // for a report to be taken, however slow the link is
	partTime    = 10 * time.Second // for one live value or event
	readingTime = 5 * time.Second  // for the events that are there already
	maxDetail   = 256 << 10        // bytes of a preview
)

var (
	errNoProber   = errors.New("this host gives no reports")
	errReportBusy = errors.New("too many reports at once, ask again in a moment")
	errGone       = errors.New("nobody waits for it any more")
)

// serveReport answers one question about the machine. The customer has allowed diagnostics as such, which is checked here and
// ends the work when it is taken back, and sees each text before it goes; live values are numbers and need no look.
func (h *Host) serveReport(ctx context.Context, c *console, stream transport.Stream) error {
	w := &reporting{h: h, c: c, out: transport.Pace(stream, transport.Bulk)}
	defer w.watched.Wait()
	defer stream.CancelRead(0)
	_ = stream.SetReadDeadline(time.Now().Add(reportAsk))
	wish, err := inner.ReadReportWish(stream)
	if err != nil {
		stream.CancelWrite(0)
		return streamEnd(err)
	}
	_ = stream.SetReadDeadline(time.Time{})
	switch err := w.serve(ctx, stream, wish); {
	case errors.Is(err, errGone):
		stream.CancelWrite(0)
		return nil
	case err != nil:
		_ = w.out.SetWriteDeadline(time.Now().Add(partTime))
		if err := inner.WriteReportFailed(w.out, reportCode(err), err.Error()); err != nil {
			return givenUp(err, "write report")
		}
	}
	_ = w.out.Close()
	return nil
}

// reportCode is the number for why there is no report.
func reportCode(err error) uint32 {
	switch {
	case errors.Is(err, errRefused), errors.Is(err, session.ErrAskedOnce):
		return inner.ReportRefused
	case errors.Is(err, session.ErrNotGiven), errors.Is(err, errTakenBack):
		return inner.ReportNotGiven
	case errors.Is(err, errReportBusy), errors.Is(err, session.ErrBusy):
		return inner.ReportBusy
	}
	return inner.ReportFailure
}

// reporting is the work on one report stream.
type reporting struct {
	h       *Host
	c       *console
	m       session.Member
	out     transport.SendStream
	watched sync.WaitGroup // whoever sees that the console is gone
}

// serve works until it is done, the grant is taken back, or the console gives the stream up.
func (w *reporting) serve(ctx context.Context, stream transport.Stream, wish inner.ReportWish) error {
	if w.h.cfg.Prober == nil {
		return errNoProber
	}
	defer w.c.reports.Add(-1)
	if w.c.reports.Add(1) > maxReports {
		return errReportBusy
	}
	ctx, m, done, err := w.h.lease(ctx, w.c, session.Diag)
	defer done()
	if err != nil {
		return err
	}
	w.m = m
	ctx, cancel := context.WithCancelCause(ctx)
	w.watched.Go(func() { // nothing more is said: whatever comes, the end included, means that nobody waits any more
		_, _ = stream.Read(make([]byte, 1))
		cancel(errGone)
	})
	switch {
	case wish.Live:
		err = w.live(ctx)
	case wish.Events != nil:
		err = w.events(ctx, *wish.Events)
	default:
		err = w.pull(ctx, wish.IDs)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// send writes one part.
func (w *reporting) send(said inner.ReportSaid, limit time.Duration) error {
	_ = w.out.SetWriteDeadline(time.Now().Add(limit))
	if err := inner.WriteReportSaid(w.out, said); err != nil {
		return errors.Join(errGone, err)
	}
	return nil
}

// pull reads the machine, shows the customer what would go, and sends it.
func (w *reporting) pull(ctx context.Context, ids []diag.ID) error {
	r := w.h.cfg.Prober.Report(ctx, ids)
	if err := w.look(ctx, "read this report about your computer", r.Glance()+"\n\n"+r.Text()); err != nil {
		return err
	}
	what := "everything"
	if len(ids) > 0 {
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = id.Title()
		}
		what = strings.Join(names, ", ")
	}
	w.tell("a report on " + what + ": " + r.Summary())
	return w.send(inner.ReportSaid{Report: &r}, reportTime)
}

// look asks the customer about a text before it goes.
func (w *reporting) look(ctx context.Context, what, text string) error {
	if err := w.send(inner.ReportSaid{Asking: true}, partTime); err != nil {
		return err
	}
	return w.h.request(ctx, w.c, session.Diag, what, diag.Clip(text, maxDetail))
}

// tell writes down that the machine was read: for everyone in the chat, and for scripts.
func (w *reporting) tell(what string) {
	w.h.loop.post(func(l *loop) {
		l.add(chat.Entry{From: uint32(w.m.ID), Name: w.m.Name, Lane: chat.Everyone, Kind: chat.Pulled, Text: what})
		l.event("diagnostics", w.m, Event{Text: what})
	})
}

// live sends the live values.
func (w *reporting) live(ctx context.Context) error {
	w.tell("the live values of load, CPU, memory, disks and network")
	return w.h.cfg.Prober.Live(ctx, func(s diag.Sample) error {
		return w.send(inner.ReportSaid{Sample: &s}, partTime)
	})
}

// events shows the customer the lines that are there and sends them; then, if it was asked for, those that come.
func (w *reporting) events(ctx context.Context, q diag.EventQuery) error {
	var old []diag.Event
	var text strings.Builder
	now := q
	now.Follow = false
	reading, stop := context.WithTimeout(ctx, readingTime)
	source, err := w.h.cfg.Prober.Events(reading, now, func(e diag.Event) error {
		old = append(old, e)
		text.WriteString(e.Line() + "\n")
		return nil
	})
	stop()
	if err != nil {
		return err
	}
	if err := w.look(ctx, "read "+q.String()+" of your computer", text.String()); err != nil {
		return err
	}
	w.tell(q.String())
	for i := range old {
		if err := w.send(inner.ReportSaid{Event: &old[i]}, partTime); err != nil {
			return err
		}
	}
	if err := w.send(inner.ReportSaid{Source: source}, partTime); err != nil || !q.Follow {
		return err
	}
	return w.follow(ctx, q, old)
}

// follow sends what comes after the lines that were sent already.
func (w *reporting) follow(ctx context.Context, q diag.EventQuery, old []diag.Event) error {
	var newest time.Time
	sent := map[diag.Event]int{} // of the newest moment
	for _, e := range old {
		if e.At.After(newest) {
			newest = e.At
			clear(sent)
		}
		if e.At.Equal(newest) {
			sent[e]++
		}
	}
	_, err := w.h.cfg.Prober.Events(ctx, q, func(e diag.Event) error {
		if e.At.Before(newest) || e.At.Equal(newest) && sent[e] > 0 {
			sent[e]--
			return nil
		}
		return w.send(inner.ReportSaid{Event: &e}, partTime)
	})
	return err
}
