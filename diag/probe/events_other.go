//go:build !linux

package probe

import (
	"context"
	"errors"

	"assist/diag"
)

// Events reads the event log, which is not done on this kind of system yet.
func (m *Machine) Events(context.Context, diag.EventQuery, func(diag.Event) error) (string, error) {
	return "", errors.New("the event log is not read on this kind of system yet")
}
