package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"assist/session/agent/work"
	"assist/session/inner"
)

// inTerminal runs a command that has a terminal there, in this one.
func inTerminal(ctx context.Context, cmd *cobra.Command, stream io.ReadWriteCloser, c work.Command) (work.Ended, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fd, person := terminal(cmd)
	c.Terminal = &inner.RunSize{Columns: 80, Rows: 24}
	if person {
		before, err := term.MakeRaw(fd)
		if err != nil {
			return work.Ended{}, fmt.Errorf("prepare terminal: %w", err)
		}
		defer func() { _ = term.Restore(fd, before) }()
		sizes, stop := watchSize(fd)
		defer stop()
		c.Terminal, c.Sizes = sizeOf(fd), sizes
		c.Stdin = &leaver{from: c.Stdin, leave: cancel}
	}
	if name := os.Getenv("TERM"); name != "" {
		c.Env = append(c.Env, "TERM="+name)
	}
	if isTerminal(c.Stdout) {
		out := c.Stdout
		c.Stdout = &work.Filter{To: out, Full: true}
		defer func() { _, _ = io.WriteString(out, work.Restore) }()
	}
	ended, err := work.Run(ctx, stream, c)
	if errors.Is(err, context.Canceled) {
		return ended, &exitError{Code: exitInterrupted, Err: errors.New("left the command; it has ended")}
	}
	return ended, err
}

// sizeOf is the size of a terminal.
func sizeOf(fd int) *inner.RunSize {
	w, h, err := term.GetSize(fd)
	if err != nil || w <= 0 || h <= 0 {
		return &inner.RunSize{Columns: 80, Rows: 24}
	}
	return &inner.RunSize{Columns: uint32(w), Rows: uint32(h)}
}

// leaver is stdin in which ~. at the beginning of a line leaves the command, as in ssh(1); ~~ is one tilde.
type leaver struct {
	from  io.Reader
	leave func()
	state leaving
	held  bool // a tilde waits for what follows it
}

type leaving uint8

const (
	lineStart leaving = iota
	inLine
)

func (l *leaver) Read(b []byte) (int, error) {
	if len(b) < 2 { // a tilde that was kept back needs room
		return 0, io.ErrShortBuffer
	}
	in := make([]byte, len(b)-1)
	for {
		n, err := l.from.Read(in)
		k := 0
		for _, c := range in[:n] {
			switch {
			case l.held && c == '.':
				l.leave()
				return k, io.EOF
			case l.held:
				l.held = false
				b[k], k = '~', k+1
				if c == '~' {
					l.state = inLine
					continue
				}
			case c == '~' && l.state == lineStart:
				l.held = true
				continue
			}
			b[k], k = c, k+1
			if l.state = inLine; c == '\r' || c == '\n' {
				l.state = lineStart
			}
		}
		if k > 0 || err != nil {
			return k, err
		}
	}
}
