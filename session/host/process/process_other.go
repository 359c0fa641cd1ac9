//go:build !unix

package process

import "io"

// Process is a running command; on this system there is none.
type Process struct{}

// Start starts nothing.
func Start(Spec) (*Process, error) { return nil, ErrUnsupported }

// Stdin is nothing.
func (*Process) Stdin() io.WriteCloser { return nil }

// Signal does nothing.
func (*Process) Signal(int) {}

// Kill does nothing.
func (*Process) Kill() {}

// Resize does nothing.
func (*Process) Resize(uint16, uint16) {}

// Wait has nothing to wait for.
func (*Process) Wait(_, _ func([]byte) error) Result { return Result{} }
