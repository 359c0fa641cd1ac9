// Package wire is the envelope of everything that crosses a connection: how a message is framed, how long it may be, the
// numbers of problems, and the header of the packets that the relay forwards.
//
// Every length that comes from the network has its limit in this package, and is checked before memory is asked for.
// The package opens no connection and starts no goroutine.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
)

// Protocol versions spoken by this build, of the outer (broker) and the inner (host) conversation.
const (
	MinVersion = 1
	MaxVersion = 1
)

// Names of the two conversations in TLS (RFC 7301).
const (
	OuterALPN = "assist-outer/1"
	InnerALPN = "assist-inner/1"
)

// Limits in bytes of one framed message.
const (
	LimitPreAuth = 4 << 10  // before the other side is known
	LimitControl = 64 << 10 // control messages between known sides
	LimitWelcome = 1 << 20  // the snapshot that opens a session: roster and chat history
)

// Numbers of problems. They are the interface, the texts may improve; a number is never used again for another thing.
const (
	CodeInternal    = 1  // the relay failed; it says so in its log
	CodeBadRequest  = 2  // the request makes no sense
	CodeTooOld      = 3  // the client speaks no version that the relay still speaks
	CodeTooNew      = 4  // the relay speaks no version that the client still speaks
	CodeBadLogin    = 10 // wrong account or password, the same for both
	CodeLoginNeeded = 11 // no token, or one that ended
	CodeUnknownCode = 20 // unknown, expired, closed or used: one answer for all
	CodeSlowDown    = 21 // too many wrong tries
	CodeHostGone    = 22 // the session is known, its host is not connected
	CodeNoMachine   = 23 // no such machine, for this agent or at all; or it is not enrolled any more
	CodeOffline     = 24 // the machine is known and not connected
	CodeMachineKey  = 25 // the machine's key is not the one that was enrolled under this name
	CodeToken       = 26 // enrolment token unknown, used or expired: one answer for all
	CodeForbidden   = 27 // known and logged in, but not allowed to do that
	CodeDraining    = 30 // the relay is going down
	CodeFull        = 31 // a limit of the relay is reached
	CodeMoved       = 40 // another relay of the fleet serves it; the problem names that one
)

// ErrTooLong says that the other side announced a message over its limit; nothing of it was read.
var ErrTooLong = errors.New("message over its limit")

// WriteMsg writes m as one frame: a big-endian uint32 length and the message. It makes one Write.
func WriteMsg(w io.Writer, m proto.Message) error {
	b, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, 4, 256), m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err = w.Write(b)
	return err
}

// ReadMsg reads one frame of at most limit bytes into m.
func ReadMsg(r io.Reader, limit int, m proto.Message) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return fmt.Errorf("%d bytes announced, %d allowed: %w", n, limit, ErrTooLong)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("decode message: %w", err)
	}
	return nil
}

// StreamKind is the first byte of every stream inside the end-to-end link.
type StreamKind byte

// The streams of a link. Retired numbers stay reserved.
const (
	StreamControl StreamKind = 1 // bidirectional, opened by the console: inner.ToHost up, inner.ToConsole down
	StreamScreen  StreamKind = 2 // bidirectional, opened by the console: viewports and acknowledgements up, pointer and monitors down
	StreamPicture StreamKind = 3 // unidirectional, opened by the host: the pictures of one viewport, in order
	// 4 was input, in order; it travels in datagrams now
	StreamReport StreamKind = 5  // bidirectional, opened by the console: one diagnostic report
	StreamFile   StreamKind = 6  // bidirectional, opened by the console: one file
	StreamText   StreamKind = 7  // bidirectional, opened by the console: a shared terminal's cells down, size and acknowledgements up
	StreamRun    StreamKind = 8  // bidirectional, opened by the console: one command or action on the machine
	StreamStill  StreamKind = 10 // bidirectional, opened by the console: one still picture of the display at full resolution
	StreamLane   StreamKind = 11 // bidirectional, opened by the console on a link of its own: a lane of a stream of another link
)

// Known says whether k is one of the streams above.
func (k StreamKind) Known() bool {
	return k >= StreamControl && k <= StreamRun && k != 4 || k == StreamStill || k == StreamLane
}

// Uni says whether streams of this kind are written by one side only.
func (k StreamKind) Uni() bool { return k == StreamPicture }
