//go:build !linux

package transport

import (
	"errors"
	"os"
)

// watchAddresses is not had here: that the address has changed is noticed by what the relay answers.
func watchAddresses(func()) (*os.File, error) { return nil, errors.ErrUnsupported }
