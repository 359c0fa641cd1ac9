package transport

import (
	"encoding/binary"
	"io"
	"os"
	"time"
)

// Write implements io.Writer.
func (t *striped) Write(b []byte) (int, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	for n := 0; n < len(b); {
		p := b[n:min(len(b), n+stripePiece)]
		if err := t.consider(time.Now()); err != nil {
			return n, err
		}
		if err := t.write(p); err != nil {
			return n, err
		}
		n += len(p)
		t.at += uint64(len(p))
	}
	return len(b), nil
}

// consider spreads the stream when the line has turned out to be lossy. It needs writing, as write does.
func (t *striped) consider(now time.Time) error {
	if t.spread || t.at < spreadAfter || now.Sub(t.looked) < losesEvery {
		return nil
	}
	t.looked = now
	if t.losses.Look(now, t.link.Line()); !t.losses.Lossy {
		return nil
	}
	if !t.link.dialed {
		if err := t.frame(0, lengthMore, nil); err != nil {
			return err
		}
	}
	t.spread = true
	t.mu.Lock()
	t.sends = true
	t.sending.Go(func() { t.carry(t.out) })
	t.mu.Unlock()
	if t.link.dialed {
		t.dial()
	}
	return nil
}

func (t *striped) write(p []byte) error {
	if !t.spread {
		return t.frame(t.at, uint16(len(p)), p)
	}
	select {
	case t.pieces <- framed(t.at, uint16(len(p)), p):
		return nil
	case <-t.noMore:
		return t.writeFailure()
	}
}

func framed(at uint64, n uint16, p []byte) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, pieceHeader+len(p)), at)
	return append(binary.BigEndian.AppendUint16(b, n), p...)
}

// frame writes to the first connection.
func (t *striped) frame(at uint64, n uint16, p []byte) error {
	_, err := t.out.Write(framed(at, n, p))
	if err != nil {
		t.failWriting(err)
	}
	return err
}

// carry sends pieces over one lane until there are no more.
func (t *striped) carry(s SendStream) {
	for {
		select {
		case <-t.noMore:
			return
		case b, more := <-t.pieces:
			if !more {
				return
			}
			if _, err := s.Write(b); err != nil {
				t.failWriting(err)
				return
			}
		}
	}
}

// Close ends writing: what was written goes first.
func (t *striped) Close() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	again := t.wrote
	t.wrote = true
	t.mu.Unlock()
	if again {
		return t.writeFailure()
	}
	close(t.pieces)
	t.sending.Wait()
	err := t.frame(t.at, lengthEnd, nil)
	if err == nil {
		err = t.out.Close()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish()
	return err
}

// failWriting ends writing by an error.
func (t *striped) failWriting(err error) { t.cancelWrite(0, err) }

// CancelWrite implements SendStream.
func (t *striped) CancelWrite(code uint64) { t.cancelWrite(code, errGivenUp) }

func (t *striped) cancelWrite(code uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writeErr == nil {
		t.writeErr = err
		close(t.noMore)
	}
	t.wrote = true
	t.out.CancelWrite(code)
	for _, x := range t.lanes {
		x.s.CancelWrite(code)
	}
	t.finish()
}

func (t *striped) writeFailure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writeErr
}

// SetWriteDeadline implements SendStream; of lanes that come later it holds nothing up.
func (t *striped) SetWriteDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.lanes {
		_ = x.s.SetWriteDeadline(at)
	}
	return t.out.SetWriteDeadline(at)
}

// SetUrgency implements SendStream.
func (t *striped) SetUrgency(u int8) { t.out.SetUrgency(u) }

// receive takes the pieces that come by the first connection, or by a lane, whose link it then ends.
func (t *striped) receive(r io.Reader, lane *Link) {
	first := lane == nil
	var h [pieceHeader]byte
	for {
		switch _, err := io.ReadFull(r, h[:]); {
		case err == io.EOF && !first:
			lane.Close(0, "")
			return
		case err != nil:
			t.failReading(unexpected(err))
			return
		}
		at, n := binary.BigEndian.Uint64(h[:]), int(binary.BigEndian.Uint16(h[8:]))
		var err error
		switch {
		case n == lengthMore && first && t.link.dialed:
			t.dial()
		case n == lengthEnd && first:
			t.ended(at)
			return
		case n == lengthEnd || n > stripePiece:
			err = errPieces
		default:
			err = t.take(r, at, n)
		}
		if err != nil {
			t.failReading(err)
			return
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// take reads a piece when there is room for it: there always is for the one that comes next.
func (t *striped) take(r io.Reader, at uint64, n int) error {
	t.mu.Lock()
	for t.readErr == nil && at > t.next && (at-t.next > stripeAhead || len(t.waiting) >= mostPieces) {
		t.room.Wait()
	}
	err := t.readErr
	if err == nil && (at < t.next || t.waiting[at] != nil) {
		err = errPieces
	}
	t.mu.Unlock()
	if err != nil {
		return err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return unexpected(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[at] = b
	if at == t.next {
		t.poke()
	}
	return nil
}

func (t *striped) ended(at uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends, t.end = true, at
	t.finish()
	t.poke()
}

func (t *striped) poke() {
	select {
	case t.ready <- struct{}{}:
	default:
	}
}

// Read implements io.Reader. One goroutine reads.
func (t *striped) Read(b []byte) (int, error) {
	for {
		n, deadline, err := t.read(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		var late <-chan time.Time
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return 0, os.ErrDeadlineExceeded
			}
			timer := time.NewTimer(left)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-t.ready:
		case <-late:
		}
	}
}

// read gives what is there.
func (t *striped) read(b []byte) (int, time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.head) == 0 {
		t.head = t.waiting[t.next]
		delete(t.waiting, t.next)
		t.next += uint64(len(t.head))
		t.room.Broadcast()
		t.finish()
	}
	if n := copy(b, t.head); n > 0 {
		t.head = t.head[n:]
		return n, t.deadline, nil
	}
	if t.ends && t.next == t.end {
		return 0, t.deadline, io.EOF
	}
	return 0, t.deadline, t.readErr
}

// failReading ends reading by an error.
func (t *striped) failReading(err error) { t.cancelRead(0, err) }

// CancelRead implements ReceiveStream.
func (t *striped) CancelRead(code uint64) { t.cancelRead(code, errGivenUp) }

func (t *striped) cancelRead(code uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readErr == nil {
		t.readErr = err
	}
	t.first.CancelRead(code)
	for _, x := range t.lanes {
		x.s.CancelRead(code)
	}
	t.room.Broadcast()
	t.finish()
	t.poke()
}

// SetReadDeadline implements ReceiveStream.
func (t *striped) SetReadDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deadline = at
	t.poke()
	return nil
}
