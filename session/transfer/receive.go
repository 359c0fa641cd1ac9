package transfer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"

	"assist/session/inner"
)

// Sink is where a file is kept.
type Sink struct {
	Root  *os.Root
	Name  string // local path inside it (Local)
	Size  uint64 // as offered
	Mode  uint32 // as offered; what others may write or run as somebody else does not count
	Force bool   // an older file of that name may be replaced
}

// keptModes are the permissions that a received file may have.
const keptModes = 0o755

// Check says why the file cannot be kept, before anything is done.
func (k Sink) Check() error {
	folder := path.Dir(k.Name)
	fi, err := k.Root.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return No(inner.FileMissing, "there is no folder %s", folder)
	case err != nil:
		return escape(err)
	case !fi.IsDir():
		return No(inner.FileBadName, "%s is no folder", folder)
	}
	fi, err = k.Root.Lstat(k.Name)
	switch {
	case err == nil && fi.IsDir():
		return No(inner.FileBadName, "%s is a folder", k.Name)
	case err == nil && !k.Force:
		return No(inner.FileExists, "%s is there already", k.Name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return escape(err)
	}
	if room, known := free(k.Root.Name()); known && k.Size > room {
		have := uint64(0)
		if fi, err := k.Root.Lstat(k.part()); err == nil {
			have = uint64(fi.Size())
		}
		if k.Size > room+have {
			return No(inner.FileTooLarge, "there is no room for it on the disk")
		}
	}
	return nil
}

// escape is an error of a path that os.Root does not follow.
func escape(err error) error {
	if err != nil && plain(err).Error() == "path escapes from parent" { // os.Root has no error value for it
		return No(inner.FileBadName, "a link on that path leads out of the folder for files")
	}
	return err
}

func (k Sink) part() string { return path.Join(path.Dir(k.Name), partOf(path.Base(k.Name))) }

// Received is a file that was kept.
type Received struct {
	From   uint64 // bytes that were there already
	Digest []byte // SHA-256 of the whole
}

// Receive receives a file that was offered and accepted, and keeps it. What it has got stays when the stream is lost. With an error and a
// digest the file was kept, and its sender may not know.
func Receive(s io.ReadWriter, k Sink, progress Progress) (Received, error) {
	p, err := k.open()
	if err != nil {
		return Received{}, refuse(s, err)
	}
	defer p.Close()
	if err := p.negotiate(s); err != nil {
		return Received{}, err
	}
	from := p.at
	err = p.fill(s, progress)
	if err == nil {
		err = k.keep(p)
	}
	if err != nil {
		if !errors.Is(err, ErrLost) {
			return Received{}, refuse(s, err)
		}
		return Received{}, err
	}
	digest := p.sum.Sum(nil)
	done := Received{From: from, Digest: digest}
	if err := say(s, &inner.FileSay{Kind: &inner.FileSay_Kept{Kept: &inner.FileKept{Path: k.Name}}}); err != nil {
		return done, lost(err)
	}
	return done, nil
}

// Again tells a sender who has not heard of it that the file was kept before, if it is the same one.
func Again(s io.ReadWriter, k Sink) error {
	f, err := k.Root.Open(k.Name)
	if err != nil {
		return refuse(s, escape(err))
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return refuse(s, err)
	}
	digest := sum.Sum(nil)
	other := No(inner.FileExists, "%s is there already", k.Name)
	if err := say(s, &inner.FileSay{Kind: &inner.FileSay_Want{Want: &inner.FileWant{Offset: min(uint64(n), k.Size), Digest: digest}}}); err != nil {
		return lost(err)
	}
	m, err := hear(s)
	if err != nil {
		return err
	}
	if m.GetFrom() != k.Size || uint64(n) != k.Size {
		return refuse(s, other)
	}
	if m, err = hear(s); err != nil {
		return err
	}
	if !bytes.Equal(m.GetEnd(), digest) {
		return refuse(s, other)
	}
	return gone(say(s, &inner.FileSay{Kind: &inner.FileSay_Kept{Kept: &inner.FileKept{Path: k.Name}}}))
}

// part is a file that is not whole yet.
type part struct {
	*os.File
	k   Sink
	at  uint64 // bytes in it
	sum hash.Hash
}

// open opens the part of the file, or makes it. Nobody else writes to it then.
func (k Sink) open() (*part, error) {
	f, err := k.Root.OpenFile(k.part(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, escape(err)
	}
	p := &part{File: f, k: k, sum: sha256.New()}
	mine, err := f.Stat()
	if err == nil {
		err = lock(f)
	}
	if err == nil { // whoever had it before may have made it the file meanwhile; a link is not written through
		var named fs.FileInfo
		if named, err = k.Root.Lstat(k.part()); err != nil || !os.SameFile(mine, named) || !named.Mode().IsRegular() {
			err = No(inner.FileBusy, "it is being sent already")
		}
	}
	if err == nil && uint64(mine.Size()) <= k.Size {
		var n int64
		n, err = io.Copy(p.sum, f)
		p.at = uint64(n)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return p, nil
}

// negotiate says what is there already and hears from where the sender goes on.
func (p *part) negotiate(s io.ReadWriter) error {
	want := &inner.FileWant{Offset: p.at, Digest: p.sum.Sum(nil)}
	if err := say(s, &inner.FileSay{Kind: &inner.FileSay_Want{Want: want}}); err != nil {
		return lost(err)
	}
	m, err := hear(s)
	if err != nil {
		return err
	}
	from, ok := m.Kind.(*inner.FileSay_From)
	if !ok || from.From != 0 && from.From != p.at {
		return refuse(s, fmt.Errorf("%w: not from where it was wanted", inner.ErrMalformed))
	}
	if from.From == 0 {
		p.at = 0
		p.sum.Reset()
	}
	if err := p.Truncate(int64(p.at)); err != nil {
		return refuse(s, err)
	}
	if _, err := p.Seek(int64(p.at), io.SeekStart); err != nil {
		return refuse(s, err)
	}
	return nil
}

// fill takes data until the file is whole and its checksum right.
func (p *part) fill(s io.ReadWriter, progress Progress) error {
	for {
		m, err := hear(s)
		if err != nil {
			return err
		}
		switch d := m.Kind.(type) {
		case *inner.FileSay_Data:
			if err := p.write(d.Data); err != nil {
				return err
			}
			progress(p.at, p.k.Size)
			if err := say(s, &inner.FileSay{Kind: &inner.FileSay_Got{Got: p.at}}); err != nil {
				return lost(err)
			}
		case *inner.FileSay_End:
			if p.at != p.k.Size || !bytes.Equal(d.End, p.sum.Sum(nil)) {
				_ = p.k.Root.Remove(p.k.part())
				return No(inner.FileBroken, "the checksum differs: what arrived is not what was sent")
			}
			return nil
		default:
			return fmt.Errorf("%w: not a piece of a file", inner.ErrMalformed)
		}
	}
}

// write adds one piece. Without room on the disk the part goes, so that the machine can go on.
func (p *part) write(b []byte) error {
	if len(b) == 0 || len(b) > inner.MaxFilePiece || uint64(len(b)) > p.k.Size-p.at {
		_ = p.k.Root.Remove(p.k.part())
		return fmt.Errorf("%w: more than was offered", inner.ErrMalformed)
	}
	if _, err := p.Write(b); err != nil {
		if Refusal(err).Code == inner.FileTooLarge {
			_ = p.k.Root.Remove(p.k.part())
		}
		return err
	}
	_, _ = p.sum.Write(b) // never fails (package hash)
	p.at += uint64(len(b))
	return nil
}

// keep makes the part the file.
func (k Sink) keep(p *part) error {
	if err := p.Chmod(fs.FileMode(k.Mode & keptModes)); err != nil {
		return err
	}
	if err := p.Sync(); err != nil {
		return err
	}
	if k.Force {
		return escape(k.Root.Rename(k.part(), k.Name))
	}
	err := k.Root.Link(k.part(), k.Name) // fails when there is one meanwhile
	switch {
	case err == nil:
		return k.Root.Remove(k.part())
	case errors.Is(err, fs.ErrExist):
		return No(inner.FileExists, "%s is there already", k.Name)
	}
	if _, err := k.Root.Lstat(k.Name); err == nil { // a file system without links
		return No(inner.FileExists, "%s is there already", k.Name)
	}
	return escape(k.Root.Rename(k.part(), k.Name))
}
