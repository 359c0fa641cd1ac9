package agent

import (
	"context"
	"errors"
	"fmt"
	"io"

	"assist/diag"
	"assist/session/console"
	"assist/session/inner"
	"assist/transport/wire"
)

// PullReport asks for a report over a stream of kind report, which it does not close. Asked, which may be nil, is called when
// the customer looks at what would be sent.
func PullReport(stream ReportStream, ids []diag.ID, asked func()) (diag.Report, error) {
	if err := inner.WriteReportWish(stream, inner.ReportWish{Pull: true, IDs: ids}); err != nil {
		return diag.Report{}, fmt.Errorf("ask for a report: %w", err)
	}
	for {
		said, err := inner.ReadReportSaid(stream)
		switch {
		case err != nil:
			return diag.Report{}, reportError(err)
		case said.Report != nil:
			return *said.Report, nil
		case said.Asking && asked != nil:
			asked()
		}
	}
}

// WatchLive asks for live values over a stream of kind report, until each returns an error or the stream ends.
func WatchLive(stream ReportStream, each func(diag.Sample) error) error {
	if err := inner.WriteReportWish(stream, inner.ReportWish{Live: true}); err != nil {
		return fmt.Errorf("ask for live values: %w", err)
	}
	for {
		said, err := inner.ReadReportSaid(stream)
		if err != nil {
			return reportError(err)
		}
		if said.Sample == nil {
			continue
		}
		if err := each(*said.Sample); err != nil {
			return err
		}
	}
}

// WatchEvents asks for lines of the event log. Said is called for each answer: an event, that the customer is being asked, or
// where the lines are from, after those that were there. It is nil when all that was asked for has come.
func WatchEvents(stream ReportStream, q diag.EventQuery, told func(inner.ReportSaid) error) error {
	if err := inner.WriteReportWish(stream, inner.ReportWish{Events: &q}); err != nil {
		return fmt.Errorf("ask for events: %w", err)
	}
	for {
		said, err := inner.ReadReportSaid(stream)
		if errors.Is(err, io.EOF) && !q.Follow {
			return nil
		}
		if err != nil {
			return reportError(err)
		}
		if err := told(said); err != nil {
			return err
		}
	}
}

// reportError makes the customer's no what it is everywhere.
func reportError(err error) error {
	var no *inner.ReportError
	if errors.As(err, &no) && no.Code == inner.ReportRefused {
		return console.ErrRefused
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReportStream is a stream of kind report.
type ReportStream = io.ReadWriter

// reportStream opens a stream of kind report that ends with ctx.
func (s *Session) reportStream(ctx context.Context) (ReportStream, func(), error) {
	stream, err := s.Open(ctx, wire.StreamReport)
	if err != nil {
		return nil, nil, err
	}
	giveUp := func() {
		stream.CancelRead(0)
		stream.CancelWrite(0)
	}
	stop := context.AfterFunc(ctx, giveUp)
	return stream, func() { stop(); giveUp() }, nil
}
