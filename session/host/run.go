package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"assist/chat"
	"assist/session"
	"assist/session/host/process"
	"assist/session/inner"
	"assist/transport"
	"assist/transport/wire"
)

// Limits of what one console may have done at a time, and of its first word.
const (
	maxRuns   = 8 // commands and actions
	beginTime = 10 * time.Second
	lastWord  = 300 * time.Millisecond // for the console to hear how a command ended that was taken back
	urgeWork  = 6                      // RFC 9218: after pictures
)

// errMany says that a console has enough to do already.
var errMany = errors.New("too many at once")

// action is what a RunBegin asks for. It says itself how it went; an error means that it was not begun.
type action func(ctx context.Context, m session.Member, r *run) error

// run is one command or action and its stream.
type run struct {
	h *Host
	c *console
	s transport.Stream

	mu sync.Mutex // around writing
}

// say sends one message.
func (r *run) say(m *inner.FromRun) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wire.WriteMsg(r.s, m)
}

// serveRun does what a console wants to have run. It ends with the stream, with the lease, and when it is done.
func (h *Host) serveRun(ctx context.Context, c *console, s transport.Stream) error {
	defer s.CancelRead(0)
	s.SetUrgency(urgeWork)
	s = transport.PaceStream(s, transport.Bulk)
	r := &run{h: h, c: c, s: s}
	if c.runs.Add(1) > maxRuns {
		c.runs.Add(-1)
		return r.refuse(errMany)
	}
	defer c.runs.Add(-1)
	_ = s.SetReadDeadline(time.Now().Add(beginTime))
	m, err := inner.ReadToRun(s)
	if err != nil {
		s.CancelWrite(0)
		return nil // its link is gone, or it has thought better of it
	}
	_ = s.SetReadDeadline(time.Time{})
	do, err := h.action(m.GetBegin())
	if err != nil {
		return r.refuse(err)
	}
	held, by, done, err := h.lease(ctx, c, session.Run)
	if err != nil {
		return r.refuse(err)
	}
	defer done()
	defer context.AfterFunc(held, func() { _ = s.SetWriteDeadline(time.Now().Add(lastWord)) })()
	if err := do(held, by, r); err != nil {
		return r.refuse(err)
	}
	_ = s.Close()
	return nil
}

// action reads what is wanted.
func (h *Host) action(m *inner.RunBegin) (action, error) {
	switch a := m.GetAction().(type) {
	case *inner.RunBegin_Command:
		c, err := inner.ParseCommand(a.Command)
		return func(ctx context.Context, by session.Member, r *run) error { return r.command(ctx, by, c) }, err
	case *inner.RunBegin_Deed:
		d, err := inner.ParseDeed(a.Deed)
		return func(ctx context.Context, by session.Member, r *run) error { return r.deed(ctx, by, d) }, err
	}
	return nil, fmt.Errorf("%w: nothing that this host can do", inner.ErrMalformed)
}

// refuse says why nothing was begun.
func (r *run) refuse(err error) error {
	no := &inner.RunRefused{Code: inner.RunFailed, Text: err.Error()}
	switch {
	case errors.Is(err, session.ErrNotGiven):
		no.Code = inner.RunNotGiven
	case errors.Is(err, errRefused), errors.Is(err, errTakenBack), errors.Is(err, session.ErrAskedOnce):
		no.Code = inner.RunSaidNo
	case errors.Is(err, errMany):
		no.Code = inner.RunTooMany
	case errors.Is(err, inner.ErrMalformed):
		no.Code = inner.RunMalformed
	}
	if r.say(&inner.FromRun{Kind: &inner.FromRun_Refused{Refused: no}}) == nil {
		_ = r.s.Close()
	}
	return nil
}

// command runs a command of by's as the user who runs this host. Everybody in the session reads what was run.
func (r *run) command(ctx context.Context, by session.Member, c inner.Command) error {
	spec := process.Spec{Script: c.Script(), Folder: c.Folder, Env: c.Env}
	if c.Terminal != nil {
		spec.Columns, spec.Rows = uint16(c.Terminal.Columns), uint16(c.Terminal.Rows)
	}
	r.h.tellRun(by, "command", "runs: "+c.Line(), c.Line(), "")
	p, err := process.Start(spec)
	if err != nil {
		r.h.tellRun(by, "command_over", "", c.Line(), chat.Line(err.Error()))
		return startError(err)
	}
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	defer context.AfterFunc(ctx, p.Kill)()
	err = r.say(&inner.FromRun{Kind: &inner.FromRun_Begun{Begun: &inner.RunBegun{}}})
	var up sync.WaitGroup
	up.Go(func() { r.hear(ctx, p, gone) })
	result := p.Wait(
		func(b []byte) error { return r.say(&inner.FromRun{Kind: &inner.FromRun_Out{Out: b}}) },
		func(b []byte) error { return r.say(&inner.FromRun{Kind: &inner.FromRun_Err{Err: b}}) },
	)
	over := &inner.RunOver{Status: uint32(result.Status), Signal: uint32(result.Signal)}
	how := outcomeOf(result)
	if cause := context.Cause(ctx); errors.Is(cause, errTakenBack) || errors.Is(cause, errLeft) {
		over.TakenBack, how = cause.Error(), how+", "+cause.Error()
	}
	r.h.tellRun(by, "command_over", "", c.Line(), how)
	if r.say(&inner.FromRun{Kind: &inner.FromRun_Over{Over: over}}) != nil || err != nil {
		r.s.CancelWrite(0)
	}
	r.s.CancelRead(0) // hear ends by that
	up.Wait()
	return nil
}

// startError says why a command could not be started, without what only this machine knows.
func startError(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("the folder to run it in is not there")
	}
	return err
}

func outcomeOf(r process.Result) string {
	if r.Signal != 0 {
		return fmt.Sprintf("signal %d", r.Signal)
	}
	return fmt.Sprintf("exit %d", r.Status)
}

// hear takes what the console says while its command runs. Stdin waits in a queue that the console never overfills, so that a
// signal gets past a command that does not read. When the console is gone, or has said what it must not, gone ends the command.
func (r *run) hear(ctx context.Context, p *process.Process, gone func()) {
	stdin := newFeed()
	var feeding sync.WaitGroup
	feeding.Go(func() { stdin.run(p.Stdin(), r.wants) })
	defer feeding.Wait()
	defer context.AfterFunc(ctx, stdin.stop)()
	defer gone()
	r.wants(inner.MaxRunStdin)
	for {
		m, err := inner.ReadToRun(r.s)
		if err != nil {
			return
		}
		switch k := m.Kind.(type) {
		case *inner.ToRun_Stdin:
			if !stdin.put(k.Stdin) {
				return
			}
		case *inner.ToRun_StdinEnd:
			stdin.end()
		case *inner.ToRun_Signal:
			n, err := inner.ParseRunSignal(k.Signal)
			if err != nil {
				return
			}
			p.Signal(n)
		case *inner.ToRun_Size:
			size := inner.ParseRunSize(k.Size)
			p.Resize(uint16(size.Columns), uint16(size.Rows))
		default:
			return
		}
	}
}

func (r *run) wants(n int) { _ = r.say(&inner.FromRun{Kind: &inner.FromRun_Wants{Wants: uint32(n)}}) }

// tellRun writes a command into the log, if there are words for it, and tells scripts.
func (h *Host) tellRun(by session.Member, event, note, line, why string) {
	h.loop.post(func(l *loop) {
		if note != "" {
			l.note(chat.Everyone, by, chat.Line(note))
		}
		l.event(event, by, Event{Text: line, Why: why})
	})
}
