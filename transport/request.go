package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// Codes with which a stream of the outer connection is given up.
const (
	streamDone  quic.StreamErrorCode = 0 // the rest is not wanted
	streamEnded quic.StreamErrorCode = 1 // the context ended
)

// Request makes one exchange with the broker. A problem in the reply comes back as a *ProblemError.
func (o *Outer) Request(ctx context.Context, req *wire.Request) (*wire.Reply, error) {
	r, err := o.Subscribe(ctx, req)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	_ = r.s.Close() // fails when the broker has read all that it wants
	return r.Next()
}

// Replies are the answers to one request, in order, until either side ends them.
type Replies struct {
	ctx  context.Context
	s    *quic.Stream
	stop func() bool
}

// Subscribe makes a request that is answered more than once. The subscription ends with ctx, too.
func (o *Outer) Subscribe(ctx context.Context, req *wire.Request) (*Replies, error) {
	s, err := o.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the broker: %w", lastWord(err))
	}
	r := &Replies{ctx: ctx, s: s}
	r.stop = context.AfterFunc(ctx, func() { r.cancel(streamEnded) })
	if err := wire.WriteMsg(s, req); err != nil {
		r.Close()
		return nil, fmt.Errorf("ask the broker: %w", lastWord(err))
	}
	return r, nil
}

// Next waits for the next answer. A problem comes as a *ProblemError; io.EOF says that there are no more.
func (r *Replies) Next() (*wire.Reply, error) {
	var reply wire.Reply
	if err := wire.ReadMsg(r.s, wire.LimitControl, &reply); err != nil {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if err == io.EOF {
			return nil, err
		}
		return nil, fmt.Errorf("answer of the broker: %w", lastWord(err))
	}
	if err := problem(reply.Problem); err != nil {
		return nil, err
	}
	return &reply, nil
}

// lastWord is err in this package's words. A relay that closes the connection says why by the number of a problem; it may
// overtake the same word on a stream.
func lastWord(err error) error {
	err = plainError(err)
	var closed *ClosedError
	if errors.As(err, &closed) && closed.Remote && closed.Code != 0 && closed.Code <= math.MaxUint32 {
		return &ProblemError{Code: uint32(closed.Code), Text: closed.Reason}
	}
	return err
}

// Finish says that this side is done; Next ends when the broker has heard it.
func (r *Replies) Finish() { _ = r.s.Close() } // fails when it was reset: then it is over, too

// Close ends the subscription; the broker sees it.
func (r *Replies) Close() {
	r.stop()
	r.cancel(streamDone)
}

func (r *Replies) cancel(code quic.StreamErrorCode) {
	r.s.CancelRead(code)
	if err := r.s.Close(); err != nil { // it was reset: there is nothing left to close
		r.s.CancelWrite(code)
	}
}
