// Package transfer moves one file over a stream: the sender's half and the receiver's, which the customer's host and an
// agent's program share, and the rules about names, folders and what may be replaced (threats A21).
//
// A receiver writes into a part beside the file, inside a folder that nothing leads out of (os.Root), and gives it its name
// when the checksum of the whole is right. What was received stays when a stream breaks, and the next attempt goes on from
// there if both sides have the same bytes before it. A sender keeps no more on its way than the path takes without building up
// a queue, so that typing beside it stays quick.
//
// The package asks nobody whether it may, opens no stream and bounds no time: its callers do, and end it by closing the
// stream. What comes from the other side has its limits checked before anything is done with it.
package transfer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"assist/session/inner"
	"assist/transport/wire"
)

// ErrLost says that the stream ended before the file was kept.
var ErrLost = errors.New("the link was lost")

// refuse says why a file is not sent or taken, and returns it.
func refuse(s io.Writer, err error) error {
	no := Refusal(err)
	_ = say(s, &inner.FileSay{Kind: &inner.FileSay_Refused{Refused: &inner.FileRefused{Code: no.Code, Text: no.Text}}})
	return no
}

// Refusal is err with a number.
func Refusal(err error) *inner.FileRefusedError {
	var known *inner.FileRefusedError
	if errors.As(err, &known) {
		return known
	}
	no := &inner.FileRefusedError{Code: inner.FileFailed, Text: plain(err).Error()}
	switch {
	case errors.Is(err, inner.ErrMalformed):
		no.Code = inner.FileMalformed
	case errors.Is(err, fs.ErrExist):
		no.Code = inner.FileExists
	case errors.Is(err, fs.ErrNotExist):
		no.Code = inner.FileMissing
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		no.Code, no.Text = inner.FileTooLarge, "there is no room left on the disk"
	}
	return no
}

// No makes a refusal.
func No(code uint32, format string, args ...any) error {
	return &inner.FileRefusedError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// plain leaves out paths: the other side knows which file it is, and need not know more.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func say(w io.Writer, m *inner.FileSay) error { return wire.WriteMsg(w, m) }

// hear reads the next message. A refusal is an error, and so is the end of the stream.
func hear(r io.Reader) (*inner.FileSay, error) {
	m, err := inner.ReadFileSay(r)
	if err != nil {
		if errors.Is(err, wire.ErrTooLong) {
			return nil, fmt.Errorf("%w: %w", inner.ErrMalformed, err)
		}
		return nil, lost(err)
	}
	if no := m.GetRefused(); no != nil {
		return nil, inner.ParseFileRefused(no)
	}
	return m, nil
}

func lost(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrLost
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}
