package broker

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"time"

	"assist/session/broker/store"
	"assist/transport/wire"
)

// Conn is one outer connection, as the relay hands it over.
type Conn interface {
	// Key is the SHA-256 of the SubjectPublicKeyInfo of the client certificate that the connection authenticated with.
	Key() (key [32]byte, ok bool)
	Remote() netip.AddrPort
	// Accept waits for the next stream that the other side opens.
	Accept(ctx context.Context) (Stream, error)
}

// Stream is one exchange. Close ends both directions.
type Stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

const (
	helloWithin   = 5 * time.Second
	requestWithin = 10 * time.Second
	replyWithin   = 10 * time.Second // for a reader that does not read
	wrongPause    = 250 * time.Millisecond
)

// peer is what is known of the other side of a connection.
type peer struct {
	key  [32]byte
	addr netip.AddrPort
}

// exchange is one request and where its replies go.
type exchange struct {
	peer
	s     Stream
	began time.Time
	left  chan bool // filled when the other side goes: true when it said so
}

// refusal is an error that the other side is told.
type refusal struct {
	code  uint32
	text  string
	after time.Duration
	moved *wire.RelayAddress // with wire.CodeMoved
}

func (r *refusal) problem() *wire.Problem {
	after := uint32((r.after + time.Second - 1) / time.Second)
	return &wire.Problem{Code: r.code, Text: r.text, RetryAfterS: after, Moved: r.moved}
}

func (r *refusal) Error() string { return r.text }

func no(code uint32, text string) error { return &refusal{code: code, text: text} }

var (
	refuseLogin   = &refusal{code: wire.CodeLoginNeeded, text: "login needed"}
	refuseCode    = &refusal{code: wire.CodeUnknownCode, text: "this code is unknown or has expired"}
	refuseHost    = &refusal{code: wire.CodeHostGone, text: "the customer's machine is not connected"}
	refuseDrain   = &refusal{code: wire.CodeDraining, text: "the relay is going down, try again in a moment", after: 2 * time.Second}
	refuseFull    = &refusal{code: wire.CodeFull, text: "the relay is full", after: 30 * time.Second}
	refuseRequest = &refusal{code: wire.CodeBadRequest, text: "the request makes no sense to this relay"}
)

func slowDown(wait time.Duration) error {
	return &refusal{code: wire.CodeSlowDown, text: "too many wrong tries", after: wait}
}

// ServeOuter answers one connection until ctx ends or the other side goes. It returns when all it started is gone.
func (b *Broker) ServeOuter(ctx context.Context, c Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := peer{addr: c.Remote()}
	var ok bool
	if p.key, ok = c.Key(); !ok {
		b.log.Debug("connection without a key", "from", p.addr)
		return
	}
	if !b.greet(ctx, c, p) {
		return
	}
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	for {
		s, err := c.Accept(ctx)
		if err != nil {
			return
		}
		open.Go(func() { b.exchange(ctx, p, s) })
	}
}

// greet answers Hello, the first stream of a connection.
func (b *Broker) greet(ctx context.Context, c Conn, p peer) bool {
	within, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	s, err := c.Accept(within)
	if err != nil {
		return false
	}
	defer s.Close()
	stop := context.AfterFunc(within, func() { s.SetDeadline(time.Now()) })
	defer stop()
	var hello wire.Hello
	if err := wire.ReadMsg(s, wire.LimitPreAuth, &hello); err != nil {
		return false
	}
	reply := &wire.HelloReply{Software: b.conf.Software, UnixMs: time.Now().UnixMilli(), Observed: p.addr.String(), SecondPort: uint32(b.conf.SecondPort), Relays: b.fleet.addresses()}
	switch {
	case hello.MaxVersion < wire.MinVersion:
		reply.Problem = &wire.Problem{Code: wire.CodeTooOld, Text: "this program is too old for the relay"}
	case hello.MinVersion > wire.MaxVersion:
		reply.Problem = &wire.Problem{Code: wire.CodeTooNew, Text: "the relay is too old for this program"}
	default:
		reply.Version = min(hello.MaxVersion, wire.MaxVersion)
	}
	if err := wire.WriteMsg(s, reply); err != nil {
		return false
	}
	if reply.Problem != nil {
		s.Close()
		_, _ = c.Accept(within) // give it time to read why; it goes by itself
		return false
	}
	return true
}

// exchange reads one request, answers it and closes the stream.
func (b *Broker) exchange(ctx context.Context, p peer, s Stream) {
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	x := &exchange{peer: p, s: s, began: time.Now(), left: make(chan bool, 1)}
	s.SetDeadline(x.began.Add(requestWithin))
	stop := context.AfterFunc(ctx, func() { s.SetDeadline(time.Now()) })
	defer stop()
	var req wire.Request
	if err := wire.ReadMsg(s, wire.LimitPreAuth, &req); err != nil {
		return
	}
	s.SetDeadline(time.Time{})
	if ctx.Err() != nil {
		return
	}
	err := b.answer(ctx, x, &req)
	b.count.request(&req, err)
	if err == nil || ctx.Err() != nil {
		return
	}
	if err := x.reply(&wire.Reply{Problem: b.problem(err)}); err != nil {
		b.log.Debug("reply", "to", p.addr, "err", err)
	}
}

func (b *Broker) answer(ctx context.Context, x *exchange, req *wire.Request) error {
	if b.draining() {
		return refuseDrain
	}
	switch r := req.Kind.(type) {
	case *wire.Request_Login:
		return b.login(ctx, x, r.Login)
	case *wire.Request_Logout:
		return b.logout(ctx, x, r.Logout)
	case *wire.Request_Whoami:
		return b.whoami(ctx, x, r.Whoami)
	case *wire.Request_Start:
		return b.start(ctx, x, r.Start)
	case *wire.Request_OpenHost:
		return b.openHost(ctx, x, r.OpenHost)
	case *wire.Request_Join:
		return b.join(ctx, x, r.Join)
	case *wire.Request_GetBadge:
		return b.getBadge(ctx, x, r.GetBadge)
	case *wire.Request_CloseCode:
		return b.closeCode(ctx, x, r.CloseCode)
	case *wire.Request_Invite:
		return b.invite(ctx, x, r.Invite)
	case *wire.Request_ListInvites:
		return b.listInvites(ctx, x, r.ListInvites)
	case *wire.Request_RevokeInvite:
		return b.revokeInvite(ctx, x, r.RevokeInvite)
	}
	return b.answerMachine(ctx, x, req)
}

// problem puts an error into what may be said outside; anything unexpected goes into the log only.
func (b *Broker) problem(err error) *wire.Problem {
	var r *refusal
	switch {
	case errors.As(err, &r):
	case errors.Is(err, errDraining):
		r = refuseDrain
	case errors.Is(err, errFull):
		r = refuseFull
	case errors.Is(err, errUnknown): // it ended meanwhile
		r = refuseCode
	case errors.Is(err, errHostGone):
		r = refuseHost
	default:
		b.log.Error("request failed", "err", err)
		r = &refusal{code: wire.CodeInternal, text: "the relay failed; its log says why"}
	}
	return r.problem()
}

func (x *exchange) reply(r *wire.Reply) error {
	x.s.SetDeadline(time.Now().Add(replyWithin))
	defer x.s.SetDeadline(time.Time{})
	return wire.WriteMsg(x.s, r)
}

// watch reads until the other side goes. Nothing more is expected on the stream.
func (x *exchange) watch() {
	var b [1]byte
	n, err := x.s.Read(b[:])
	x.left <- n == 0 && errors.Is(err, io.EOF)
}

// deliver sends the replies of e until the directory or the other side ends it. said tells whether the other side ended the
// stream in order, rather than being lost.
func (x *exchange) deliver(ctx context.Context, e *end) (said bool) {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		x.watch()
	}()
	defer func() {
		x.s.SetDeadline(time.Now())
		<-watched
	}()
	for {
		select {
		case r := <-e.mail:
			if x.send(r) != nil {
				return false
			}
		case <-e.over:
			x.flush(e)
			return false
		case said = <-x.left:
			return said
		case <-ctx.Done():
			return false
		}
	}
}

// send writes while watch reads: only the direction of writing gets a deadline, where the stream has one.
func (x *exchange) send(r *wire.Reply) error {
	if w, ok := x.s.(interface{ SetWriteDeadline(time.Time) error }); ok {
		w.SetWriteDeadline(time.Now().Add(replyWithin))
		defer w.SetWriteDeadline(time.Time{})
	}
	return wire.WriteMsg(x.s, r)
}

func (x *exchange) flush(e *end) {
	for {
		select {
		case r := <-e.mail:
			if x.send(r) != nil {
				return
			}
		default:
			if e.last != nil {
				x.send(e.last)
			}
			return
		}
	}
}

// evenOut waits so that every wrong try is answered at the same time after it began: the next multiple of wrongPause.
func (x *exchange) evenOut(ctx context.Context) {
	spent := time.Since(x.began)
	t := time.NewTimer((spent/wrongPause+1)*wrongPause - spent)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// event begins an audit event about this exchange.
func (x *exchange) event(kind, actor, outcome string) store.Event {
	return store.Event{At: time.Now(), Kind: kind, Actor: actor, Device: x.key[:], Address: x.addr.Addr().String(), Outcome: outcome}
}
