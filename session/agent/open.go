package agent

import (
	"context"
	"fmt"

	"assist/transport"
	"assist/transport/wire"
)

// urgencyWork is for files and commands: after everything that a person waits for (RFC 9218).
const urgencyWork = 6

// Open opens a stream of its own for one piece of work at the host: a file, a command. It belongs to the link of now and
// ends with it; whoever needs the work to outlive a broken link opens another when the session is in again.
func (s *Session) Open(ctx context.Context, kind wire.StreamKind) (transport.Stream, error) {
	stream, err := s.openStream(ctx, kind, urgencyWork)
	if err != nil {
		return nil, err
	}
	if kind == wire.StreamFile {
		return transport.Stripe(stream, transport.Bulk), nil
	}
	return transport.PaceStream(stream, transport.Bulk), nil
}

// openStream opens a stream on the link of now, if the customer has let us in there.
func (s *Session) openStream(ctx context.Context, kind wire.StreamKind, urgency int8) (transport.Stream, error) {
	v := s.here.Load()
	if v == nil {
		return nil, errNoContact
	}
	select {
	case <-v.welcomed:
	default:
		return nil, errNoContact
	}
	stream, err := v.link.OpenStream(ctx, kind)
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	stream.SetUrgency(urgency)
	return stream, nil
}
