package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"assist/chat"
)

// ErrNoSession says that no console of this user has a session, or none with the code that was asked for.
var ErrNoSession = errors.New("no live session")

// Client speaks to one live session. Each method is a call of its own; they may run side by side.
type Client struct {
	Code string // of the session, as its socket is named
	path string
	dial func(context.Context) (net.Conn, error) // to a console in this process; nil: by path
}

// Dial finds the live session with a code; without one, the newest of this user. The error is ErrNoSession.
func Dial(code string) (*Client, error) {
	for _, p := range live() {
		if code == "" || code == p.code {
			return &Client{Code: p.code, path: p.path}, nil
		}
	}
	if code != "" {
		return nil, fmt.Errorf("%w with the code %s", ErrNoSession, chat.Line(code))
	}
	return nil, ErrNoSession
}

// Live describes the live sessions of this user, newest first.
func Live(ctx context.Context) []Session {
	out := []Session{}
	for _, p := range live() {
		c := Client{Code: p.code, path: p.path}
		ctx, cancel := context.WithTimeout(ctx, dialTime)
		err := c.call(ctx, request{Verb: verbSession}, func(r reply) error {
			if r.Session != nil {
				out = append(out, *r.Session)
			}
			return nil
		})
		cancel()
		if err != nil { // it is there, but it does not say more
			out = append(out, Session{Code: p.code, State: "silent"})
		}
	}
	return out
}

// Roster lists who is in the session.
func (c *Client) Roster(ctx context.Context) (out []Member, err error) {
	err = c.call(ctx, request{Verb: verbRoster}, func(r reply) error { out = r.Roster; return nil })
	return out, err
}

// Say adds words to the chat; lane is LaneAll or LaneAgents.
func (c *Client) Say(ctx context.Context, lane, text string) (out Said, err error) {
	err = c.call(ctx, request{Verb: verbSay, Lane: lane, Text: text}, func(r reply) error {
		if r.Said != nil {
			out = *r.Said
		}
		return nil
	})
	return out, err
}

// Chat gives each entry after a number, oldest first, and with follow those that come until the session is over, or until
// entry returns an error, which is then returned.
func (c *Client) Chat(ctx context.Context, after chat.Seq, follow bool, entry func(Entry) error) error {
	return c.call(ctx, request{Verb: verbChat, After: after, Follow: follow}, func(r reply) error {
		if r.Entry == nil {
			return nil
		}
		return entry(*r.Entry)
	})
}

// Leave takes the console out; the session goes on.
func (c *Client) Leave(ctx context.Context) error {
	return c.call(ctx, request{Verb: verbLeave}, func(reply) error { return nil })
}

// End ends the session for everyone; only the lead can.
func (c *Client) End(ctx context.Context) error {
	return c.call(ctx, request{Verb: verbEnd}, func(reply) error { return nil })
}

// HandOver offers the lead to the agent called name and waits for the answer. Offered is called when the offer is made.
func (c *Client) HandOver(ctx context.Context, name, note string, offered func(Member)) (to Member, err error) {
	err = c.call(ctx, request{Verb: verbHandOver, Name: name, Text: note}, func(r reply) error {
		if r.Offered != nil {
			to = *r.Offered
			offered(to)
		}
		return nil
	})
	return to, err
}

// call says one request and hands over each line of the answer. A no of the console is an *Error.
func (c *Client) call(ctx context.Context, req request, line func(reply) error) error {
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	_, err = exchange(conn, req, line)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	if c.dial != nil {
		return c.dial(ctx)
	}
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "unix", c.path)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrNoSession, err) // it ended between Dial and now
	}
	u := conn.(*net.UnixConn) // what "unix" dials
	if err := samePeer(u); err != nil {
		_ = u.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return u, nil
}

// exchange says a request and hands over each line of the answer; what is left on conn is read from in.
func exchange(conn io.ReadWriter, req request, line func(reply) error) (in *bufio.Reader, err error) {
	req.Version = version
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(req); err != nil {
		return nil, err
	}
	if b.Len() > maxRequest {
		return nil, &Error{Code: BadRequest, Text: fmt.Sprintf("too long: at most %d bytes", chat.MaxBodyBytes)}
	}
	if _, err := conn.Write(b.Bytes()); err != nil {
		return nil, fmt.Errorf("ask the console: %w", err)
	}
	in = bufio.NewReaderSize(conn, 64<<10)
	for {
		r, err := readReply(in)
		switch {
		case err != nil:
			return nil, err
		case r.Error != nil:
			return nil, r.Error
		}
		if err := line(r); err != nil || r.Done {
			return in, err
		}
	}
}

// readReply reads one line of at most maxReply bytes.
func readReply(in *bufio.Reader) (r reply, err error) {
	var whole []byte
	for {
		part, err := in.ReadSlice('\n')
		if whole = append(whole, part...); err == nil {
			break
		}
		switch {
		case errors.Is(err, io.EOF):
			return r, errors.New("the console went away before it had answered")
		case !errors.Is(err, bufio.ErrBufferFull), len(whole) > maxReply:
			return r, fmt.Errorf("answer of the console: %w", err)
		}
	}
	if err := json.Unmarshal(whole, &r); err != nil {
		return r, fmt.Errorf("answer of the console: %w", err)
	}
	return r, nil
}
