// Package transporttest is a relay, a stand-in for the broker, and bad networks, for tests of whatever travels over
// package transport.
//
// Broker answers the outer protocol as far as two ends need to meet, without accounts: who knows a code is in. Proxy is a UDP
// path with delay, loss, a rate and an MTU. Nothing here waits for a slow reader: Proxy drops what is over its queue. It is
// for tests and benchmarks; no command uses it.
package transporttest

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"assist/transport/relay"
	"assist/transport/wire"
)

// Broker gives channels to whoever asks. The zero value is ready.
type Broker struct {
	// Versions are the lowest and the highest that it claims to speak; nil means what this build speaks.
	Versions *[2]uint32

	groups func() *relay.Group

	mu       sync.Mutex
	sessions map[string]*session
}

type session struct {
	group *relay.Group
	next  uint32
}

// Use tells the broker which relay forwards.
func (b *Broker) Use(s *relay.Server) { b.groups = s.NewGroup }

// ServeOuter answers Hello, then each request, until the connection ends.
func (b *Broker) ServeOuter(ctx context.Context, c *relay.Conn) {
	var serving sync.WaitGroup
	defer serving.Wait()
	for first := true; ; first = false {
		s, err := c.Accept(ctx)
		if err != nil {
			return
		}
		if first {
			if err := b.hello(s, c); err != nil {
				return
			}
			continue
		}
		serving.Go(func() {
			defer s.Close()
			b.request(ctx, s)
		})
	}
}

func (b *Broker) hello(s io.ReadWriteCloser, c *relay.Conn) error {
	defer s.Close()
	var h wire.Hello
	if err := wire.ReadMsg(s, wire.LimitPreAuth, &h); err != nil {
		return err
	}
	lowest, highest := uint32(wire.MinVersion), uint32(wire.MaxVersion)
	if b.Versions != nil {
		lowest, highest = b.Versions[0], b.Versions[1]
	}
	reply := &wire.HelloReply{Version: min(highest, h.MaxVersion), UnixMs: time.Now().UnixMilli(), Observed: c.Remote().String()}
	switch {
	case h.MaxVersion < lowest:
		reply = &wire.HelloReply{Problem: &wire.Problem{Code: wire.CodeTooOld, Text: "this program is too old for the relay"}}
	case h.MinVersion > highest:
		reply = &wire.HelloReply{Problem: &wire.Problem{Code: wire.CodeTooNew, Text: "the relay is too old for this program"}}
	}
	return wire.WriteMsg(s, reply)
}

// request answers OpenHost and Join; the channel lives as long as the stream.
func (b *Broker) request(ctx context.Context, s io.ReadWriteCloser) {
	var req wire.Request
	if err := wire.ReadMsg(s, wire.LimitControl, &req); err != nil {
		return
	}
	switch kind := req.Kind.(type) {
	case *wire.Request_OpenHost:
		code, sess := b.open()
		b.hold(ctx, s, sess, 0, func(ch *wire.Channel) *wire.Reply {
			return &wire.Reply{Kind: &wire.Reply_Opened{Opened: &wire.Opened{Code: code, Channel: ch}}}
		})
	case *wire.Request_Join:
		sess, peer := b.join(kind.Join.Code)
		if sess == nil {
			_ = wire.WriteMsg(s, refuse(wire.CodeUnknownCode, "unknown code"))
			return
		}
		b.hold(ctx, s, sess, peer, func(ch *wire.Channel) *wire.Reply {
			return &wire.Reply{Kind: &wire.Reply_Joined{Joined: &wire.Joined{Channel: ch}}}
		})
	case *wire.Request_Logout:
		_ = wire.WriteMsg(s, &wire.Reply{Kind: &wire.Reply_Done{Done: &wire.Done{}}})
	default:
		_ = wire.WriteMsg(s, refuse(wire.CodeBadRequest, "not known here"))
	}
}

func refuse(code uint32, text string) *wire.Reply {
	return &wire.Reply{Problem: &wire.Problem{Code: code, Text: text}}
}

func (b *Broker) hold(ctx context.Context, s io.ReadWriteCloser, sess *session, peer uint32, reply func(*wire.Channel) *wire.Reply) {
	ch, err := sess.group.Join(peer)
	if err != nil {
		_ = wire.WriteMsg(s, refuse(wire.CodeInternal, err.Error()))
		return
	}
	defer sess.group.Leave(peer)
	if err := wire.WriteMsg(s, reply(ch)); err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	_, _ = io.Copy(io.Discard, s) // until the other side ends it
}

func (b *Broker) open() (string, *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sessions == nil {
		b.sessions = map[string]*session{}
	}
	code := fmt.Sprintf("%08d", len(b.sessions)+1)
	b.sessions[code] = &session{group: b.groups(), next: 1}
	return code, b.sessions[code]
}

func (b *Broker) join(code string) (*session, uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[code]
	if s == nil {
		return nil, 0
	}
	s.next++
	return s, s.next - 1
}
