package inner

import (
	"crypto/sha256"
	"io"

	"assist/chat"
	"assist/transport/wire"
)

// Limits of a file's stream.
const (
	MaxFilePiece = 32 << 10 // bytes of a file in one message
	MaxFilePath  = 4096     // bytes of a path (PATH_MAX)
	MaxFileSize  = 1 << 40  // bytes, whatever a side may allow
)

// Numbers of FileRefused.code. They are the interface, the texts may improve.
const (
	FileNotGiven  = 1 // the customer has not allowed it
	FileSaidNo    = 2 // the customer said no to this one
	FileTooMany   = 3
	FileMalformed = 4
	FileFailed    = 5  // the disk, or the file system
	FileBadName   = 6  // a name or path that is not taken
	FileExists    = 7  // there is one of that name, and force was not said
	FileMissing   = 8  // there is none
	FileTooLarge  = 9  // for the limit, or for what is free
	FileBroken    = 10 // the checksum differs
	FileBusy      = 11 // it is being sent already
)

// FileRefusedError is a file that the other side does not send or take.
type FileRefusedError struct {
	Code uint32
	Text string // sanitised
}

func (e *FileRefusedError) Error() string { return e.Text }

// ParseFileRefused takes a refusal.
func ParseFileRefused(m *FileRefused) error {
	return &FileRefusedError{Code: m.GetCode(), Text: chat.Line(m.GetText())}
}

// ReadFileSay reads one message.
func ReadFileSay(r io.Reader) (*FileSay, error) {
	m := new(FileSay)
	return m, wire.ReadMsg(r, wire.LimitControl, m)
}

// ParseFileOffer takes what is offered: its size within the limit, its mode without what is not a permission of the file.
func ParseFileOffer(m *FileOffer) (*FileOffer, error) {
	if m == nil || m.GetSize() > MaxFileSize || len(m.GetName()) > chat.MaxFileBytes {
		return nil, malformed("a file of %d bytes", m.GetSize())
	}
	return &FileOffer{Name: m.GetName(), Size: m.GetSize(), Mode: m.GetMode() & 0o777}, nil
}

// ParseFileWant takes where the receiver of a file of size bytes wants to go on.
func ParseFileWant(m *FileWant, size uint64) (*FileWant, error) {
	if m == nil || m.GetOffset() > size || m.GetOffset() > 0 && len(m.GetDigest()) != sha256.Size {
		return nil, malformed("wanted from %d of %d bytes", m.GetOffset(), size)
	}
	return m, nil
}
