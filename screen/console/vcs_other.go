//go:build !linux

package console

import "errors"

// Machine is the machine's own console, which only Linux shows.
type Machine struct{ *Terminal }

// OpenMachine says that there is none.
func OpenMachine() (*Machine, error) { return nil, errors.New("only Linux shows its own console") }
