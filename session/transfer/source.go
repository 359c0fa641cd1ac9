package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"syscall"

	"assist/session/inner"
)

func shortHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}

// Source is a file to be sent.
type Source struct {
	*os.File
	Size uint64
	Mode uint32 // permission bits
}

// OpenSource opens a file in a folder to send it. Anything but a file is refused, and not waited for.
func OpenSource(root *os.Root, name string) (Source, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Source{}, err
	}
	return sourceOf(f)
}

// OpenSourceAt is the same for a path of the person's own.
func OpenSourceAt(name string) (Source, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Source{}, err
	}
	return sourceOf(f)
}

func sourceOf(f *os.File) (Source, error) {
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = No(inner.FileBadName, "that is no file")
	}
	if err == nil && fi.Size() > inner.MaxFileSize {
		err = No(inner.FileTooLarge, "the file is too large")
	}
	if err != nil {
		_ = f.Close()
		return Source{}, err
	}
	return Source{File: f, Size: uint64(fi.Size()), Mode: uint32(fi.Mode().Perm())}, nil
}

// prefix hashes the first n bytes; the next read comes after them.
func (s Source) prefix(n uint64) (hash.Hash, error) {
	h := sha256.New()
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return h, err
	}
	_, err := io.CopyN(h, s, int64(n))
	return h, err
}
