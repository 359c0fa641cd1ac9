package transport

import (
	"context"
	"fmt"

	"assist/transport/wire"
)

// gramQueue is how many datagrams wait for their reader; more are lost, as on the way.
const gramQueue = 64

// datagram is one that has arrived.
type datagram struct {
	kind wire.DatagramKind
	b    []byte
}

// SendDatagram sends b, at most wire.MaxDatagram bytes with its kind, before everything that waits in streams. It may be
// lost. While 32 wait because the path takes no more, it waits, too.
func (l *Link) SendDatagram(ctx context.Context, kind wire.DatagramKind, b []byte) error {
	if len(b)+1 > wire.MaxDatagram {
		return fmt.Errorf("send datagram: %d bytes, %d allowed", len(b)+1, wire.MaxDatagram)
	}
	whole := make([]byte, 0, len(b)+1)
	whole = append(append(whole, byte(kind)), b...)
	select {
	case l.outgoing <- whole:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.Done():
		return fmt.Errorf("send datagram: %w", l.Err())
	}
}

// nudge asks the other end for a sign of life, by a packet that it acknowledges at once. It does not wait; where others wait to
// be sent they do as well.
func (l *Link) nudge() {
	select {
	case l.outgoing <- []byte{byte(wire.DatagramNudge)}:
	default:
	}
}

// sendDatagrams gives one datagram after the other to quic-go, whose own waiting cannot be ended but by the end of the link.
func (l *Link) sendDatagrams() {
	for {
		select {
		case b := <-l.outgoing:
			if l.conn.SendDatagram(b) != nil { // the link is over; the limit of the length is kept above
				return
			}
		case <-l.Done():
			return
		}
	}
}

// ReceiveDatagram waits for the next datagram. One goroutine at a time may call it; datagrams that nobody reads are lost.
func (l *Link) ReceiveDatagram(ctx context.Context) (wire.DatagramKind, []byte, error) {
	select {
	case d := <-l.grams:
		return d.kind, d.b, nil
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	case <-l.Done():
		return 0, nil, fmt.Errorf("receive datagram: %w", l.Err())
	}
}

// sortDatagrams hands out what arrives until the link is over. What has no kind that this program knows is passed over.
func (l *Link) sortDatagrams() {
	for {
		b, err := l.conn.ReceiveDatagram(l.conn.Context())
		if err != nil {
			return
		}
		if len(b) == 0 {
			continue
		}
		switch kind := wire.DatagramKind(b[0]); kind {
		case wire.DatagramInput, wire.DatagramTaken:
			select {
			case l.grams <- datagram{kind, b[1:]}:
			default:
			}
		case wire.DatagramPath:
			whole := b[1:]
			l.told.Store(&whole)
			if d := l.direct.Load(); d != nil {
				d.hear(whole)
			}
		}
	}
}
