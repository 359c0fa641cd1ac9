package agent

import (
	"context"
	"errors"
	"fmt"

	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// What can keep a console out of a session, besides the errors of transport (RelayUnreachableError, RelayKeyError and, for
// all other answers of the relay, ProblemError) and *inner.RefusedError, the host's or the customer's no. Run wraps them.
var (
	ErrLoginNeeded = errors.New("not signed in to this relay, or the login has ended")
	ErrUnknownCode = errors.New("no session has this code, or the code has expired")
	ErrTooOld      = errors.New("this assist is too old")
	ErrTooNew      = errors.New("the other side's assist is too old")
	ErrHostGone    = errors.New("the customer's host does not answer")
	ErrGaveUp      = errors.New("no contact with the customer's host for too long")
	ErrNoMachine   = errors.New("no machine of your organisation has this name")
	ErrOffline     = errors.New("the machine is not connected")
	ErrProof       = errors.New("the machine wants its password or a one-time code, and nobody is there to give it")
	ErrNoDirect    = errors.New("no direct path leads to the customer's machine, and only that was to be taken")
	ErrNoAnswer    = errors.New("the machine was called and did not come")
)

// HostKeyError says that the host has another key than the one that is expected: somebody sits in between, or the address
// belongs to another session.
type HostKeyError struct {
	Machine   string // NAME@ORG, when it is an enrolled one
	Want, Got transport.Pin
	From      string // where Want is from, in words
}

func (e *HostKeyError) Error() string {
	if e.Machine != "" {
		return fmt.Sprintf("%s is enrolled with the key %s now, but %s knows it by %s", e.Machine, e.Got, e.From, e.Want)
	}
	return fmt.Sprintf("host key is %s, but %s says %s", e.Got, e.From, e.Want)
}

// What ends a link or a session without being a failure of it.
var (
	errLeft   = errors.New("left")
	errSilent = errors.New("nothing heard from the host")
	errGap    = errors.New("an entry of the log is missing")
)

// endedError is the host's word that the session is over for this console.
type endedError struct{ why string }

func (e *endedError) Error() string { return e.why }

// ofBroker names the problems that a person can do something about.
func ofBroker(err error) error {
	var p *transport.ProblemError
	if !errors.As(err, &p) {
		return err
	}
	switch p.Code {
	case wire.CodeLoginNeeded:
		return fmt.Errorf("%w: %w", ErrLoginNeeded, err)
	case wire.CodeUnknownCode:
		return fmt.Errorf("%w: %w", ErrUnknownCode, err)
	case wire.CodeTooOld:
		return fmt.Errorf("%w: %w", ErrTooOld, err)
	case wire.CodeTooNew:
		return fmt.Errorf("%w: %w", ErrTooNew, err)
	case wire.CodeHostGone:
		return fmt.Errorf("%w: %w", ErrHostGone, err)
	case wire.CodeNoMachine:
		return fmt.Errorf("%w: %w", ErrNoMachine, err)
	case wire.CodeOffline:
		return fmt.Errorf("%w: %w", ErrOffline, err)
	}
	return err
}

// ofHost does the same for a refusal of the host.
func ofHost(err error) error {
	var r *inner.RefusedError
	if !errors.As(err, &r) {
		return err
	}
	switch r.Code {
	case inner.RefusedTooOld:
		return fmt.Errorf("%w: %w", ErrTooOld, err)
	case inner.RefusedTooNew:
		return fmt.Errorf("%w: %w", ErrTooNew, err)
	}
	return err
}

// final says whether err cannot be mended by another attempt.
func final(err error) bool {
	var problem *transport.ProblemError
	var relayKey *transport.RelayKeyError
	var hostKey *HostKeyError
	var refused *inner.RefusedError
	var ended *endedError
	switch {
	case errors.As(err, &problem):
		return problem.Code != wire.CodeDraining && problem.Code != wire.CodeHostGone && problem.Code != wire.CodeInternal && problem.Code != wire.CodeFull &&
			problem.Code != wire.CodeMoved
	case errors.As(err, &refused):
		return refused.Code != inner.RefusedBadge // it may just have expired; a fresh one is asked for
	}
	return errors.As(err, &relayKey) || errors.As(err, &hostKey) || errors.As(err, &ended) || errors.Is(err, errLeft) || errors.Is(err, ErrProof) ||
		errors.Is(err, ErrNoDirect) ||
		errors.Is(err, context.Canceled)
}

// WhyLeft is State.Why of a session that this agent left, while it may go on for others.
const WhyLeft = "you left the session"

// lastWords are what the last State says and what Run returns.
func lastWords(err error) (why string, failure error) {
	var ended *endedError
	switch {
	case err == nil, errors.Is(err, errLeft):
		return WhyLeft, nil
	case errors.As(err, &ended):
		return ended.why, nil
	}
	return err.Error(), err
}
