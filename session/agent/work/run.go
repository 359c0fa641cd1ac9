package work

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"assist/chat"
	"assist/session/inner"
	"assist/transport/wire"
)

// Command is what to run, and where its streams lead.
type Command struct {
	Words    []string
	Folder   string
	Env      []string
	Terminal *inner.RunSize // a terminal of that size there; nil: pipes
	Stdin    io.Reader      // nil: nothing
	Stdout   io.Writer
	Stderr   io.Writer
	Signals  <-chan int            // numbers of POSIX; nil: none come
	Sizes    <-chan *inner.RunSize // of the terminal; nil: it does not change
}

// Ended is how a command ended.
type Ended struct {
	Status    int    // exit status
	Signal    int    // that ended it; 0: none did
	TakenBack string // why the host ended it; empty: it did not
}

// Run runs a command to its end. Before it has begun a no of the host is *inner.RunRefusedError; a stream that ends before the
// command does is ErrLost. When ctx ends the command does, too.
func Run(ctx context.Context, s io.ReadWriteCloser, c Command) (Ended, error) {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	begin := &inner.RunCommand{Words: c.Words, Folder: c.Folder, Env: c.Env, Terminal: c.Terminal}
	if _, err := inner.ParseCommand(begin); err != nil { // the host would say the same
		return Ended{}, err
	}
	r := &runner{s: s, c: c, wanted: make(chan struct{}, 1), over: make(chan struct{})}
	defer close(r.over)
	if err := r.say(&inner.ToRun{Kind: &inner.ToRun_Begin{Begin: &inner.RunBegin{Action: &inner.RunBegin_Command{Command: begin}}}}); err != nil {
		return Ended{}, lost(err)
	}
	ended, err := r.hear()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return ended, err
}

// runner is one command's stream. Its goroutines end with over, and with the stream; the one that reads stdin may be left
// behind in a Read, which ends with the process.
type runner struct {
	s      io.ReadWriteCloser
	c      Command
	wanted chan struct{} // cap 1: credit has grown
	credit atomic.Int64  // bytes of stdin that the host wants more
	over   chan struct{}

	mu sync.Mutex // around writing
}

func (r *runner) say(m *inner.ToRun) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wire.WriteMsg(r.s, m)
}

// hear takes what the host says until the command is over.
func (r *runner) hear() (Ended, error) {
	for {
		m, err := inner.ReadFromRun(r.s)
		if err != nil {
			return Ended{}, lost(err)
		}
		switch k := m.Kind.(type) {
		case *inner.FromRun_Refused:
			return Ended{}, inner.ParseRunRefused(k.Refused)
		case *inner.FromRun_Begun:
			go r.signals()
			go r.stdin()
		case *inner.FromRun_Wants:
			r.credit.Add(int64(min(k.Wants, inner.MaxRunStdin)))
			select {
			case r.wanted <- struct{}{}:
			default:
			}
		case *inner.FromRun_Out:
			_, err = r.c.Stdout.Write(k.Out)
		case *inner.FromRun_Err:
			_, err = r.c.Stderr.Write(k.Err)
		case *inner.FromRun_Over:
			return Ended{Status: int(k.Over.GetStatus()), Signal: int(k.Over.GetSignal()), TakenBack: chat.Line(k.Over.GetTakenBack())}, nil
		}
		if err != nil {
			return Ended{}, fmt.Errorf("write output: %w", err)
		}
	}
}

// minPiece is the least that is read from stdin at a time, in bytes.
const minPiece = 64

// stdin sends as much as the host wants.
func (r *runner) stdin() {
	if r.c.Stdin == nil {
		_ = r.say(&inner.ToRun{Kind: &inner.ToRun_StdinEnd{StdinEnd: &inner.RunStdinEnd{}}})
		return
	}
	b := make([]byte, inner.MaxRunPiece)
	for {
		for r.credit.Load() < minPiece {
			select {
			case <-r.wanted:
			case <-r.over:
				return
			}
		}
		n, err := r.c.Stdin.Read(b[:min(int64(len(b)), r.credit.Load())])
		r.credit.Add(-int64(n))
		if n > 0 && r.say(&inner.ToRun{Kind: &inner.ToRun_Stdin{Stdin: b[:n]}}) != nil {
			return
		}
		if errors.Is(err, io.EOF) {
			_ = r.say(&inner.ToRun{Kind: &inner.ToRun_StdinEnd{StdinEnd: &inner.RunStdinEnd{}}})
		}
		if err != nil {
			return
		}
	}
}

// signals passes on signals and sizes.
func (r *runner) signals() {
	for {
		var m *inner.ToRun
		select {
		case n := <-r.c.Signals:
			m = &inner.ToRun{Kind: &inner.ToRun_Signal{Signal: uint32(n)}}
		case size := <-r.c.Sizes:
			m = &inner.ToRun{Kind: &inner.ToRun_Size{Size: size}}
		case <-r.over:
			return
		}
		if r.say(m) != nil {
			return
		}
	}
}
