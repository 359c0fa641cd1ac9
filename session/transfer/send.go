package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"assist/session/inner"
)

// Progress is told how many bytes of how many the other side has got. It must not wait.
type Progress func(got, size uint64)

// Sent is what became of a file that was sent.
type Sent struct {
	From   uint64 // bytes that the other side had already
	Gone   uint64 // bytes that were sent, whatever became of them
	Digest []byte // SHA-256 of the whole
	Path   string // where the other side has kept it
}

// Send sends a file that the other side has been offered, until it is kept. It reads everything that comes by the stream. With an error
// From and Gone are right.
func Send(s io.ReadWriter, f Source, progress Progress) (Sent, error) {
	m, err := hear(s)
	for err == nil && m.GetWaiting() != nil {
		m, err = hear(s)
	}
	if err != nil {
		return Sent{}, err
	}
	want, err := inner.ParseFileWant(m.GetWant(), f.Size)
	if err != nil {
		return Sent{}, refuse(s, err)
	}
	sum, err := f.prefix(want.Offset)
	if err != nil {
		return Sent{}, refuse(s, changed(err))
	}
	from := want.Offset
	if from > 0 && !bytes.Equal(sum.Sum(nil), want.Digest) { // what it has is of another file
		from = 0
		if sum, err = f.prefix(0); err != nil {
			return Sent{}, refuse(s, err)
		}
	}
	if err := say(s, &inner.FileSay{Kind: &inner.FileSay_From{From: from}}); err != nil {
		return Sent{}, lost(err)
	}
	out := newFlow(from)
	kept := make(chan error, 1)
	var path string
	go func() {
		var err error
		path, err = hearKept(s, f.Size, out, progress)
		out.stop()
		kept <- err
	}()
	err = sendFrom(s, f, from, io.TeeReader(f, sum), out)
	end := sum.Sum(nil)
	if err == nil {
		err = gone(say(s, &inner.FileSay{Kind: &inner.FileSay_End{End: end}}))
	}
	done := Sent{From: from, Gone: out.stop() - from}
	if err == nil || errors.Is(err, errStopped) {
		err = <-kept
		done.Digest, done.Path = end, path
		return done, err
	}
	if errors.Is(err, ErrLost) {
		select { // a refusal may have come before the stream was closed
		case why := <-kept:
			return done, why
		case <-time.After(lastWord):
		}
	}
	return done, err
}

// lastWord is how long the last words of a stream that is closed are waited for.
const lastWord = 300 * time.Millisecond

// gone is the error of a write to a stream that is no more.
func gone(err error) error {
	if err != nil {
		return lost(err)
	}
	return nil
}

// sendFrom sends the bytes from an offset to the end, as the flow allows.
func sendFrom(s io.Writer, f Source, from uint64, r io.Reader, out *flow) error {
	b := make([]byte, inner.MaxFilePiece)
	for at := from; at < f.Size; {
		n, err := io.ReadFull(r, b[:min(uint64(len(b)), f.Size-at)])
		if err != nil {
			return refuse(s, changed(err))
		}
		if err := out.wait(at + uint64(n)); err != nil {
			return err
		}
		if err := say(s, &inner.FileSay{Kind: &inner.FileSay_Data{Data: b[:n]}}); err != nil {
			return lost(err)
		}
		at += uint64(n)
	}
	return nil
}

// hearKept hears how far the receiver is, until it has kept the file.
func hearKept(s io.Reader, size uint64, out *flow, progress Progress) (string, error) {
	for {
		m, err := hear(s)
		if err != nil {
			return "", err
		}
		switch k := m.Kind.(type) {
		case *inner.FileSay_Got:
			if !out.got(k.Got) {
				return "", fmt.Errorf("%w: more is acknowledged than was sent", inner.ErrMalformed)
			}
			progress(k.Got, size)
		case *inner.FileSay_Kept:
			return k.Kept.GetPath(), nil
		default:
			return "", fmt.Errorf("%w: not an answer to a file", inner.ErrMalformed)
		}
	}
}

// changed is a file that became shorter while it was read.
func changed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return No(inner.FileBroken, "the file has changed while it was sent")
	}
	return err
}
