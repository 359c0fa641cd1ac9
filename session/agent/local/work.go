package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"sync"
	"time"

	"assist/screen"
	"assist/session"
	"assist/session/console"
	"assist/transport"
	"assist/transport/wire"
)

// Worker is what a console's session does for programs that work in it.
type Worker interface {
	// Obtain asks the customer for grants that the agent does not have yet; console.ErrRefused is the customer's no.
	Obtain(ctx context.Context, want session.Grants) error
	// Play sends input and waits until the host has played it.
	Play(ctx context.Context, evs []screen.Input) error
	// Open opens a stream for one piece of work.
	Open(ctx context.Context, kind wire.StreamKind) (transport.Stream, error)
	// Snapshot is the text that the host shares, as it is now.
	Snapshot(ctx context.Context) (*screen.TextGrid, error)
}

// Limits of work.
const (
	maxEvents  = 4096                                                  // events of one play
	obtainTime = MaxWait                                               // for all answers of the customer
	playTime   = 2 * session.AnswerTime                                // while input is paused, and for a long text
	MaxWait    = time.Duration(session.MaxAsking) * session.AnswerTime // the longest queue of questions
)

// What a wait is for.
const (
	Joined = "joined"
	Ended  = "ended"
)

// openable are the streams that a program may use through a console.
var openable = map[wire.StreamKind]bool{
	wire.StreamReport: true, wire.StreamFile: true, wire.StreamRun: true, wire.StreamStill: true,
}

func obtain(ctx context.Context, c *call) error {
	want, err := session.ParseGrants(c.req.Grants)
	if err != nil {
		return &Error{Code: BadRequest, Text: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, obtainTime)
	defer cancel()
	if err := c.console.Obtain(ctx, want); err != nil {
		return c.refusal(err)
	}
	return c.say(reply{Done: true})
}

func play(ctx context.Context, c *call) error {
	if len(c.req.Input) > maxEvents {
		return &Error{Code: BadRequest, Text: fmt.Sprintf("at most %d events at once", maxEvents)}
	}
	for _, ev := range c.req.Input {
		if _, err := screen.ParseInput(ev.Append(nil)); err != nil {
			return &Error{Code: BadRequest, Text: err.Error()}
		}
	}
	if err := member(c.console.State()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, playTime)
	defer cancel()
	if err := c.console.Play(ctx, c.req.Input); err != nil {
		return c.refusal(err)
	}
	return c.say(reply{Done: true})
}

// wait answers when the console is in its session, or when that is over.
func wait(ctx context.Context, c *call) error {
	changed, stop := c.console.Watch()
	defer stop()
	for {
		st := c.console.State()
		switch {
		case st.Phase == console.Over && (c.req.For == Ended || !st.Started.IsZero()):
			return c.say(reply{Session: newSession(st), Done: true, Why: st.Why})
		case st.Phase == console.Over:
			return notIn(st)
		case c.req.For == Joined && st.Phase == console.In:
			return c.say(reply{Session: newSession(st), Done: true})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// open makes the connection a stream to the host: after the line that says so it carries bytes as they are, both ways, until
// one side is gone.
func open(ctx context.Context, c *call) error {
	kind := wire.StreamKind(c.req.Stream)
	if !openable[kind] {
		return &Error{Code: BadRequest, Text: "no program can open such a stream"}
	}
	if err := member(c.console.State()); err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	stream, err := c.console.Open(asking, kind)
	cancel()
	if err != nil {
		if c.console.State().Phase != console.Over && ctx.Err() == nil {
			return &Error{Code: NoContact, Text: err.Error()}
		}
		return c.refusal(err)
	}
	if err := c.say(reply{Done: true}); err != nil {
		stream.CancelRead(0)
		stream.CancelWrite(0)
		return err
	}
	_ = c.conn.SetDeadline(time.Time{})
	splice(ctx, c.conn, stream)
	return nil
}

// splice carries bytes both ways until one side is gone. The program's end closes both directions: what it has to say about
// an end it says in its own words.
func splice(ctx context.Context, conn net.Conn, stream transport.Stream) {
	giveUp := func() {
		_ = conn.Close()
		stream.CancelRead(0)
		stream.CancelWrite(0)
	}
	defer context.AfterFunc(ctx, giveUp)()
	var up sync.WaitGroup
	up.Go(func() {
		if _, err := io.Copy(stream, conn); err != nil { // the host takes no more; what it has said already still has to arrive
			_, _ = io.Copy(io.Discard, conn)
		}
		giveUp() // the program is gone
	})
	_, _ = io.Copy(conn, onlyReader{stream})
	_ = conn.Close()
	up.Wait()
}

// onlyReader hides everything but Read.
type onlyReader struct{ io.Reader }

// Obtain sees to it that the agent has grants; the customer is asked for what is missing. An *Error with Denied is the
// customer's no.
func (c *Client) Obtain(ctx context.Context, want session.Grants) error {
	return c.call(ctx, request{Verb: verbObtain, Grants: want.Names()}, func(reply) error { return nil })
}

// Play sends input and waits until it was played.
func (c *Client) Play(ctx context.Context, evs []screen.Input) error {
	return c.call(ctx, request{Verb: verbPlay, Input: evs}, func(reply) error { return nil })
}

// Wait waits until the console is in its session (Joined) or the session is over (Ended), and says why it is.
func (c *Client) Wait(ctx context.Context, what string) (out Session, why string, err error) {
	err = c.call(ctx, request{Verb: verbWait, For: what, Follow: true}, func(r reply) error {
		if r.Session != nil {
			out = *r.Session
		}
		why = r.Why
		return nil
	})
	if what == Ended && errors.Is(err, fs.ErrNotExist) { // a console takes its socket away when its session is over
		return Session{Code: c.Code, State: console.Over.String()}, "the session ended just now", nil
	}
	return out, why, err
}

// Open opens a stream to the host, of the console's link. Closing it gives up what the host has not taken yet.
func (c *Client) Open(ctx context.Context, kind wire.StreamKind) (io.ReadWriteCloser, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	in, err := exchange(conn, request{Verb: verbOpen, Stream: int(kind)}, func(reply) error { return nil })
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return pipe{in, conn}, nil
}

// pipe is a connection of which some was read ahead.
type pipe struct {
	io.Reader
	net.Conn
}

func (p pipe) Read(b []byte) (int, error) { return p.Reader.Read(b) }

// Beside is a client of a console in this same process, without a socket. Its calls end with ctx.
func Beside(ctx context.Context, con Console) *Client {
	s := &server{console: con, room: make(chan struct{}, maxCalls)}
	return &Client{Code: con.State().Code, dial: func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		s.calls.Go(func() { s.answer(ctx, far) })
		return near, nil
	}}
}
