package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"assist/transport/wire"
)

// kindWithin is how long a new stream may keep its first byte back.
const kindWithin = 5 * time.Second

// codeUnknownKind resets a stream whose kind this program does not know, or that never said it.
const codeUnknownKind quic.StreamErrorCode = 2

// SendStream is written by this end. Close ends it in order; CancelWrite gives up what the other end has not got yet.
type SendStream interface {
	io.WriteCloser
	CancelWrite(code uint64)
	SetWriteDeadline(t time.Time) error
	// SetUrgency puts this stream before others of the link: 0 before everything, 7 after everything, 3 unless set
	// (RFC 9218, 4.1). Streams of one urgency take turns.
	SetUrgency(u int8)
}

// ReceiveStream is read by this end. Reading returns a *ResetError when the other end gave it up.
type ReceiveStream interface {
	io.Reader
	CancelRead(code uint64)
	SetReadDeadline(t time.Time) error
}

// Stream is both. Close ends writing only.
type Stream interface {
	SendStream
	ReceiveStream
}

// OpenStream opens a stream of that kind in both directions. It waits while the other end allows no more.
func (l *Link) OpenStream(ctx context.Context, kind wire.StreamKind) (Stream, error) {
	s, err := l.conn.OpenStreamSync(ctx)
	if err == nil {
		_, err = s.Write([]byte{byte(kind)})
	}
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", plainError(err))
	}
	return duplex{l.sending(s), receiving{s}, l, s.StreamID()}, nil
}

// OpenUni opens a stream of that kind that only this end writes.
func (l *Link) OpenUni(ctx context.Context, kind wire.StreamKind) (SendStream, error) {
	s, err := l.conn.OpenUniStreamSync(ctx)
	if err == nil {
		_, err = s.Write([]byte{byte(kind)})
	}
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", plainError(err))
	}
	return l.sending(s), nil
}

// AcceptStream waits for the next stream in both directions and reads its kind. Kinds that do not exist are reset.
func (l *Link) AcceptStream(ctx context.Context) (wire.StreamKind, Stream, error) {
	for {
		s, err := l.conn.AcceptStream(ctx)
		if err != nil {
			return 0, nil, fmt.Errorf("accept stream: %w", plainError(err))
		}
		switch kind, ok := l.kindOf(ctx, s); {
		case ok && !kind.Uni():
			return kind, duplex{l.sending(s), receiving{s}, l, s.StreamID()}, nil
		default:
			s.CancelRead(codeUnknownKind)
			s.CancelWrite(codeUnknownKind)
		}
	}
}

// uni is a stream of the other end whose kind is known.
type uni struct {
	kind wire.StreamKind
	s    ReceiveStream
}

// AcceptUni waits for the next stream that only the other end writes and whose kind has arrived. Kinds that do not exist are
// reset.
func (l *Link) AcceptUni(ctx context.Context) (wire.StreamKind, ReceiveStream, error) {
	select {
	case u := <-l.unis:
		return u.kind, u.s, nil
	case <-ctx.Done():
		return 0, nil, fmt.Errorf("accept stream: %w", ctx.Err())
	case <-l.Done():
		return 0, nil, fmt.Errorf("accept stream: %w", l.Err())
	}
}

// sortUnis reads the kinds of such streams until the link is over. QUIC gives streams in the order of their numbers: one whose
// first packet was lost must not keep those after it waiting, which are newer pictures. There are innerStreams at most.
func (l *Link) sortUnis() {
	var reading sync.WaitGroup
	defer reading.Wait()
	for {
		s, err := l.conn.AcceptUniStream(l.conn.Context())
		if err != nil {
			return
		}
		reading.Go(func() {
			kind, ok := l.kindOf(l.conn.Context(), s)
			if !ok || !kind.Uni() {
				s.CancelRead(codeUnknownKind)
				return
			}
			select {
			case l.unis <- uni{kind, receiving{s}}:
			case <-l.Done():
			}
		})
	}
}

// kindOf reads the first byte. A stream that keeps it back only holds up the link of the end that opened it.
func (l *Link) kindOf(ctx context.Context, s interface {
	io.Reader
	SetReadDeadline(time.Time) error
},
) (wire.StreamKind, bool) {
	_ = s.SetReadDeadline(time.Now().Add(kindWithin))
	stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Now()) })
	var kind [1]byte
	_, err := io.ReadFull(s, kind[:])
	if !stop() || err != nil {
		return 0, false
	}
	_ = s.SetReadDeadline(time.Time{})
	return wire.StreamKind(kind[0]), wire.StreamKind(kind[0]).Known()
}

// quicSend is what quic.Stream and quic.SendStream have in common.
type quicSend interface {
	io.WriteCloser
	CancelWrite(quic.StreamErrorCode)
	SetWriteDeadline(time.Time) error
	SetPriority(urgency int8, incremental bool)
	WriteWithLimit(b []byte, limit func(most int) int) (int, error)
}

type sending struct {
	s     quicSend
	pace  *pace
	ended <-chan struct{} // with the link
}

func (l *Link) sending(s quicSend) sending { return sending{s, l.gauge.pace, l.Done()} }

func (s sending) Write(b []byte) (int, error) {
	n, err := s.s.Write(b)
	return n, plainStreamError(err)
}
func (s sending) Close() error                       { return plainStreamError(s.s.Close()) }
func (s sending) CancelWrite(code uint64)            { s.s.CancelWrite(quic.StreamErrorCode(code)) }
func (s sending) SetWriteDeadline(t time.Time) error { return s.s.SetWriteDeadline(t) }
func (s sending) SetUrgency(u int8)                  { s.s.SetPriority(u, true) }

// quicReceive is what quic.Stream and quic.ReceiveStream have in common.
type quicReceive interface {
	io.Reader
	CancelRead(quic.StreamErrorCode)
	SetReadDeadline(time.Time) error
}

type receiving struct{ s quicReceive }

func (r receiving) Read(b []byte) (int, error) {
	n, err := r.s.Read(b)
	return n, plainStreamError(err)
}
func (r receiving) CancelRead(code uint64)            { r.s.CancelRead(quic.StreamErrorCode(code)) }
func (r receiving) SetReadDeadline(t time.Time) error { return r.s.SetReadDeadline(t) }

type duplex struct {
	sending
	receiving
	link *Link
	id   quic.StreamID
}

func plainStreamError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return plainError(err)
}
