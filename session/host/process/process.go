// Package process runs one command on this machine, as the user who runs the program, and ends it with all that it started:
// what is still in its process group when it is over is killed.
//
// A Process belongs to whoever started it. Its output is handed over by goroutines that Wait starts and ends; while a reader
// of it does not come back, the command is held up by its full pipe. The package asks nobody whether it may, bounds no
// command in time, and knows no network: session/host decides all that.
package process

import (
	"errors"
	"time"
)

// ErrUnsupported says that this system's processes are not known here.
var ErrUnsupported = errors.New("commands cannot be run on this system yet")

// Spec is what to run.
type Spec struct {
	Script  string   // for /bin/sh -c
	Folder  string   // empty: the user's home
	Env     []string // beside this program's own
	Columns uint16   // of a terminal; 0: pipes
	Rows    uint16
}

// Result is how a command ended.
type Result struct {
	Status int // exit status
	Signal int // that ended it; 0: none did
}

const (
	readSize = 32 << 10
	// afterwards is how long output is waited for that comes from what has left the group and still holds the pipe.
	afterwards = 150 * time.Millisecond
)
