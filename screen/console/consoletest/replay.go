//go:build desktop || lab

package consoletest

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// The variables that make a test program one of these programs.
const (
	replaying = "ASSIST_REPLAY" // file of a recording
	flooding  = "ASSIST_FLOOD"  // bytes
)

// longestRest is how long a replay waits at most between two writes.
const longestRest = 1500 * time.Millisecond

// Save writes a recording for Replay.
func (r *Recording) Save(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return gob.NewEncoder(f).Encode(r)
}

// ReplayCommand is a command for sh that writes a saved recording to its terminal as it was written, once path.go is there, and
// makes path.done when it is through.
func ReplayCommand(path string) (string, error) {
	self, err := os.Executable()
	return fmt.Sprintf("exec env %s=%s %s", replaying, path, self), err
}

// FloodCommand is a command for sh that reads keys and writes each at the end of the last row, while it writes so many bytes
// above it after the first.
func FloodCommand(bytes int) (string, error) {
	self, err := os.Executable()
	return fmt.Sprintf("exec env %s=%d %s", flooding, bytes, self), err
}

// actors run in place of the test program where a variable says so, and do not return then.
func actors() {
	if path := os.Getenv(replaying); path != "" {
		os.Exit(replay(path))
	}
	if n := os.Getenv(flooding); n != "" {
		var bytes int
		_, _ = fmt.Sscan(n, &bytes)
		os.Exit(flood(bytes))
	}
}

func replay(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return 1
	}
	var rec Recording
	if gob.NewDecoder(f).Decode(&rec) != nil {
		return 1
	}
	_, _ = term.MakeRaw(0)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, os.Stdin) // answers to what the program had asked
	}()
	for {
		if _, err := os.Stat(path + ".go"); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	last := time.Duration(0)
	for _, c := range rec.Chunks {
		time.Sleep(min(c.At-last, longestRest))
		last = c.At
		if _, err := os.Stdout.Write(c.Bytes); err != nil {
			return 1
		}
	}
	_ = os.WriteFile(path+".done", nil, 0o600)
	select {
	case <-closed:
	case <-time.After(time.Minute):
	}
	return 0
}

// flood keeps its last row free of what it pours.
func flood(bytes int) int {
	_, _ = term.MakeRaw(0)
	out := bufio.NewWriterSize(os.Stdout, 1<<10)
	fmt.Fprintf(out, "\x1b[2J\x1b[1;23r\x1b[24;1Hready")
	_ = out.Flush()
	keys := make(chan byte, 16)
	go func() {
		in := make([]byte, 1)
		for {
			if _, err := os.Stdin.Read(in); err != nil {
				os.Exit(0)
			}
			keys <- in[0]
		}
	}()
	show := func(c byte) {
		fmt.Fprintf(out, "\x1b7\x1b[24;20H<%c>\x1b8", c)
		_ = out.Flush()
	}
	fmt.Fprint(out, "\x1b[1;1H")
	show(<-keys)
	line := strings.Repeat("flood ", 12) + "\r\n"
	for n := 0; n < bytes; n += len(line) {
		select {
		case c := <-keys:
			show(c)
		default:
		}
		fmt.Fprintf(out, "%07d%s", n, line)
	}
	fmt.Fprint(out, "\x1b[24;40Hdone")
	_ = out.Flush()
	for c := range keys {
		show(c)
	}
	return 0
}
