// Package work is what a program does in a session over a stream of its own: it runs a command on the customer's machine,
// sends a file there or gets one.
//
// A stream comes from a running console's socket or from the program's own session, it is all the same here: bytes both ways
// that end when the link does. What the other side says is bounded and sanitised as it is parsed. Nothing here asks a person
// or decides what is allowed: that is the host's.
package work

import (
	"errors"
	"fmt"
	"io"
)

// ErrLost says that the stream ended before the work did: the link broke, or the console is gone.
var ErrLost = errors.New("the link to the customer's machine was lost")

// lost is a stream that ended too early.
func lost(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrLost
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}
