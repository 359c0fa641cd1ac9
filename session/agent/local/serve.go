package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"assist/session/console"
)

// Serve answers on the control socket of c from when its code is known until the session is over or ctx ends. Then it is
// nil, and all that was started is gone; open calls get lastTime to take their answer, when it is the session that ended.
func Serve(ctx context.Context, c Console) error {
	s := server{console: c, allow: samePeer, room: make(chan struct{}, maxCalls)}
	return s.run(ctx)
}

// server is one console's socket.
type server struct {
	console Console
	allow   func(*net.UnixConn) error
	room    chan struct{} // a token for each open call
	calls   sync.WaitGroup
}

func (s *server) run(ctx context.Context) error {
	changed, stop := s.console.Watch()
	defer stop()
	st := s.console.State()
	for st.Code == "" && st.Phase != console.Over {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			st = s.console.State()
		}
	}
	if st.Phase == console.Over {
		return nil
	}
	sock, err := listen(st.Code)
	if err != nil {
		return err
	}
	calls, cancel := context.WithCancel(ctx)
	accepted := make(chan struct{})
	var failed error
	go func() {
		defer close(accepted)
		failed = s.accept(calls, sock.UnixListener)
	}()
	err = s.stay(ctx, sock, changed, accepted)
	if err == nil && ctx.Err() == nil {
		s.lastCall(ctx, sock)
	}
	sock.close()
	<-accepted
	if errors.Is(err, errNoMore) {
		err = fmt.Errorf("accept on control socket: %w", failed)
	}
	if ctx.Err() == nil {
		s.farewell()
	}
	cancel()
	s.calls.Wait()
	return err
}

var errNoMore = errors.New("no more calls are accepted")

// stay keeps the socket under the session's code until it has to go.
func (s *server) stay(ctx context.Context, sock *socket, changed, accepted <-chan struct{}) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-accepted:
			return errNoMore
		case <-changed:
		}
		st := s.console.State()
		if st.Phase == console.Over {
			return nil
		}
		if st.Code == "" {
			continue
		}
		if err := sock.rename(st.Code); err != nil {
			return fmt.Errorf("name control socket: %w", err)
		}
	}
}

// lastCall lets those in who found the socket while the session lasted: nobody finds it any more, and who has found it stands in
// line before a call of our own.
func (s *server) lastCall(ctx context.Context, sock *socket) {
	if sock.hide() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	last := Client{path: sock.path}
	_ = last.call(ctx, request{Verb: verbSession}, func(reply) error { return nil }) // that it was answered is all that counts
}

// farewell waits a moment for open calls: somebody may be taking the answer to `assist end`.
func (s *server) farewell() {
	done := make(chan struct{})
	go func() {
		s.calls.Wait()
		close(done)
	}()
	t := time.NewTimer(lastTime)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

func (s *server) accept(ctx context.Context, l *net.UnixListener) error {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return err
		}
		s.calls.Go(func() { s.serve(ctx, conn) })
	}
}

// serve answers one connection.
func (s *server) serve(ctx context.Context, conn *net.UnixConn) {
	defer conn.Close()
	if s.allow(conn) != nil {
		return // nothing is said to another user, not even who we are
	}
	s.answer(ctx, conn)
}

// answer reads one request and does it.
func (s *server) answer(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	c := &call{console: s.console, conn: conn}
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		_ = c.say(reply{Error: &Error{Code: Busy, Text: "too many programs ask this session at once"}})
		return
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := c.answer(ctx, cancel)
	var no *Error
	if errors.As(err, &no) {
		_ = c.say(reply{Error: no})
	}
}

// call is one request and its answer.
type call struct {
	console Console
	conn    net.Conn
	req     request
}

// answer reads the request and does it. An *Error goes to the client; any other means that the client is gone.
func (c *call) answer(ctx context.Context, gone context.CancelFunc) error {
	if err := c.read(); err != nil {
		return err
	}
	do, known := verbs[c.req.Verb]
	if !known {
		return &Error{Code: BadRequest, Text: "this assist does not know what is asked; is one of the two older?"}
	}
	if c.req.Follow || c.req.Verb == verbHandOver || c.req.Verb == verbObtain { // these wait, so it has to be seen when nobody waits with them
		_ = c.conn.SetReadDeadline(time.Time{})
		end := make(chan struct{})
		go func() {
			defer close(end)
			_, _ = c.conn.Read(make([]byte, 1))
			gone()
		}()
		defer func() {
			_ = c.conn.SetReadDeadline(time.Unix(1, 0))
			<-end
		}()
	}
	return do(ctx, c)
}

func (c *call) read() error {
	_ = c.conn.SetReadDeadline(time.Now().Add(readTime))
	in := bufio.NewScanner(c.conn)
	in.Buffer(make([]byte, 0, 4<<10), maxRequest)
	if !in.Scan() {
		if errors.Is(in.Err(), bufio.ErrTooLong) {
			return &Error{Code: BadRequest, Text: fmt.Sprintf("a request has at most %d bytes", maxRequest)}
		}
		return net.ErrClosed // it went, or it was too slow
	}
	if err := json.Unmarshal(in.Bytes(), &c.req); err != nil {
		return &Error{Code: BadRequest, Text: "a request is one line of JSON"}
	}
	if c.req.Version != version {
		return &Error{Code: BadRequest, Text: fmt.Sprintf("the console speaks version %d here, not %d; restart the older one", version, c.req.Version)}
	}
	return nil
}

// say sends lines, in one write.
func (c *call) say(lines ...reply) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, r := range lines {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := c.conn.Write(b.Bytes())
	return err
}
