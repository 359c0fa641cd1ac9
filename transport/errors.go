package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// RelayUnreachableError says that nothing that speaks our protocol answered at Addr.
type RelayUnreachableError struct {
	Addr string
	Err  error
}

func (e *RelayUnreachableError) Error() string { return fmt.Sprintf("relay %s: %v", e.Addr, e.Err) }
func (e *RelayUnreachableError) Unwrap() error { return e.Err }

// RelayKeyError says that the relay has another key than expected. Want is empty when no key was pinned and the certificate
// is not one that this system trusts; Err says why.
type RelayKeyError struct {
	Want, Got Pin
	Err       error
}

func (e *RelayKeyError) Error() string {
	if e.Want == "" {
		return fmt.Sprintf("relay key %s: %v", e.Got, e.Err)
	}
	return fmt.Sprintf("relay key is %s, expected %s", e.Got, e.Want)
}
func (e *RelayKeyError) Unwrap() error { return e.Err }

// ProblemError is a refusal by the relay or broker. Code is one of wire.Code…; Text may change.
type ProblemError struct {
	Code       uint32
	Text       string
	RetryAfter time.Duration // 0 when it says nothing
	Moved      Relay         // with wire.CodeMoved: the relay to ask instead
}

func (e *ProblemError) Error() string { return fmt.Sprintf("%s (%d)", e.Text, e.Code) }

func problem(p *wire.Problem) error {
	if p == nil {
		return nil
	}
	moved, _ := relayAt(p.Moved) // the zero Relay leads nowhere
	return &ProblemError{p.Code, p.Text, time.Duration(p.RetryAfterS) * time.Second, moved}
}

// ClosedError says that a link, or the outer connection, was closed on purpose. Remote: by the other side.
type ClosedError struct {
	Code   uint64
	Reason string
	Remote bool
}

func (e *ClosedError) Error() string {
	who := "this side"
	if e.Remote {
		who = "the other side"
	}
	if e.Reason == "" {
		return fmt.Sprintf("closed by %s (%d)", who, e.Code)
	}
	return fmt.Sprintf("closed by %s: %s (%d)", who, e.Reason, e.Code)
}

// ResetError says that one direction of a stream was given up. Remote: by the other side.
type ResetError struct {
	Code   uint64
	Remote bool
}

func (e *ResetError) Error() string { return fmt.Sprintf("stream reset (%d)", e.Code) }

// ErrSilent says that nothing was heard from the other side for so long that the connection was given up.
var ErrSilent = errors.New("no answer for too long")

// plainError puts what quic-go reports into this package's words, so that nobody above needs quic-go to read it.
func plainError(err error) error {
	var app *quic.ApplicationError
	var reset *quic.StreamError
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	switch {
	case errors.As(err, &app):
		return &ClosedError{uint64(app.ErrorCode), app.ErrorMessage, app.Remote}
	case errors.As(err, &reset):
		return &ResetError{uint64(reset.ErrorCode), reset.Remote}
	case errors.As(err, &idle), errors.As(err, &handshake):
		return ErrSilent
	}
	return err
}

// ended is why a QUIC connection is over, nil while it is not.
func ended(c *quic.Conn) error {
	if c.Context().Err() == nil {
		return nil
	}
	return plainError(context.Cause(c.Context()))
}
