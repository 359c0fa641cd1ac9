package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/adrg/xdg"

	"assist/chat"
	"assist/session"
	"assist/session/inner"
	"assist/session/transfer"
	"assist/transport"
	"assist/transport/wire"
)

// Limits of files.
const (
	maxFiles    = 4        // of one console at a time
	maxFile     = 64 << 30 // bytes of one that is received, unless Config says otherwise
	maxAccepted = 64       // that the customer said yes to and that are not whole yet
)

// shelf is the folder that files are put into and taken from, and what the customer has said yes to: a file whose link broke
// is not asked about again, and who has not heard that one was kept may ask.
type shelf struct {
	mu       sync.Mutex
	accepted several
	kept     several
}

// several is at most maxAccepted of them: with one more all before are forgotten.
type several map[accepted]struct{}

func (s *several) add(a accepted) {
	if *s == nil || len(*s) >= maxAccepted {
		*s = several{}
	}
	(*s)[a] = struct{}{}
}

type accepted struct {
	member session.MemberID
	put    bool
	path   string
	size   uint64
}

func (s *shelf) has(a accepted) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.accepted[a]
	return ok
}

func (s *shelf) add(a accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted.add(a)
}

func (s *shelf) remove(a accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accepted, a)
}

// keep says that a file of a member's was kept.
func (s *shelf) keep(a accepted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accepted, a)
	s.kept.add(a)
}

func (s *shelf) hasKept(a accepted) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[a]
	return ok
}

// folder is where files are kept; unless Config says so, a folder of the session's own among the user's downloads.
func (h *Host) folder() string {
	if h.cfg.Files != "" {
		return h.cfg.Files
	}
	downloads := xdg.UserDirs.Download
	if downloads == "" {
		downloads = xdg.Home
	}
	return filepath.Join(downloads, "assist-"+h.loop.at.code)
}

// file is one file's stream.
type file struct {
	h    *Host
	c    *console
	s    transport.Stream
	by   session.Member
	root *os.Root
	open *inner.FileOpen
}

// serveFile takes a file from a console or gives it one.
func (h *Host) serveFile(ctx context.Context, c *console, s transport.Stream) error {
	defer s.CancelRead(0)
	s.SetUrgency(urgeWork)
	s = transport.Stripe(s, transport.Bulk)
	f := &file{h: h, c: c, s: s}
	if c.files.Add(1) > maxFiles {
		c.files.Add(-1)
		return f.refuse(transfer.No(inner.FileTooMany, "too many files at once"))
	}
	defer c.files.Add(-1)
	_ = s.SetReadDeadline(time.Now().Add(beginTime))
	m, err := inner.ReadFileSay(s)
	if err != nil {
		s.CancelWrite(0)
		return nil // its link is gone, or it has thought better of it
	}
	if f.open = m.GetOpen(); f.open == nil {
		return f.refuse(fmt.Errorf("%w: not the beginning of a file", inner.ErrMalformed))
	}
	held, by, done, err := h.lease(ctx, c, session.File)
	if err != nil {
		return f.refuse(err)
	}
	defer done()
	defer context.AfterFunc(held, func() { // the customer takes it back, or the session is over
		s.CancelRead(0)
		s.CancelWrite(0)
	})()
	f.by = by
	if err := f.serve(held); err != nil {
		return f.refuse(err)
	}
	_ = s.Close()
	return nil
}

// serve opens the folder and does what is wanted.
func (f *file) serve(ctx context.Context) error {
	name, err := transfer.Local(f.h.folder(), f.open.GetPath())
	if err != nil {
		return err
	}
	if f.open.GetPut() && f.h.cfg.Files == "" {
		if err := os.MkdirAll(f.h.folder(), 0o700); err != nil {
			return err
		}
	}
	if f.root, err = os.OpenRoot(f.h.folder()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return transfer.No(inner.FileMissing, "there is no folder for files yet: %s", f.h.folder())
		}
		return err
	}
	defer f.root.Close()
	if f.open.GetPut() {
		return f.take(ctx, name)
	}
	return f.give(ctx, name)
}

// take receives a file.
func (f *file) take(ctx context.Context, name string) error {
	m, err := inner.ReadFileSay(f.s)
	if err != nil {
		return transfer.ErrLost
	}
	_ = f.s.SetReadDeadline(time.Time{})
	offer, err := inner.ParseFileOffer(m.GetOffer())
	if err != nil {
		return err
	}
	if fi, err := f.root.Stat(name); err == nil && fi.IsDir() {
		if err := transfer.CheckName(offer.Name); err != nil {
			return err
		}
		name = path.Join(name, offer.Name)
	} else if strings.HasSuffix(f.open.GetPath(), "/") {
		return transfer.No(inner.FileMissing, "there is no folder %s", name)
	}
	if err := f.allowed(name); err != nil {
		return err
	}
	if most := f.most(); offer.Size > most {
		return transfer.No(inner.FileTooLarge, "a file may have %s here, at most", transfer.Bytes(most))
	}
	sink := transfer.Sink{Root: f.root, Name: name, Size: offer.Size, Mode: offer.Mode, Force: f.open.GetForce()}
	a := accepted{f.by.ID, true, name, offer.Size}
	if err := sink.Check(); err != nil {
		if transfer.Refusal(err).Code == inner.FileExists && f.open.GetAgain() && f.h.shelf.hasKept(a) {
			if err = transfer.Again(f.s, sink); err != nil {
				return f.broken(err)
			}
			return nil
		}
		return err
	}
	what := fmt.Sprintf("send you the file %s (%s)", chat.FileName(path.Base(name)), transfer.Bytes(offer.Size))
	detail := "it is saved as " + f.full(name)
	if _, err := f.root.Lstat(name); err == nil {
		detail += "\nthe file that is there now is replaced"
	}
	if err := f.ask(ctx, a, what, detail); err != nil {
		return err
	}
	got, err := transfer.Receive(f.s, sink, func(uint64, uint64) {})
	if err != nil && got.Digest == nil {
		return f.broken(err)
	}
	f.h.shelf.keep(a)
	f.tell("has sent the file", name, offer.Size, got.Digest)
	return nil
}

// give sends a file.
func (f *file) give(ctx context.Context, name string) error {
	_ = f.s.SetReadDeadline(time.Time{})
	if err := f.allowed(name); err != nil {
		return err
	}
	source, err := transfer.OpenSource(f.root, name)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = transfer.No(inner.FileMissing, "there is no %s in the folder for files, %s", name, f.h.folder())
		}
		return err
	}
	defer source.Close()
	a := accepted{f.by.ID, false, name, source.Size}
	what := fmt.Sprintf("take a copy of your file %s (%s)", chat.FileName(path.Base(name)), transfer.Bytes(source.Size))
	if err := f.ask(ctx, a, what, "it is "+f.full(name)); err != nil {
		return err
	}
	offer := &inner.FileOffer{Name: path.Base(name), Size: source.Size, Mode: source.Mode}
	if err := wire.WriteMsg(f.s, &inner.FileSay{Kind: &inner.FileSay_Offer{Offer: offer}}); err != nil {
		return transfer.ErrLost
	}
	sent, err := transfer.Send(f.s, source, func(uint64, uint64) {})
	if err != nil {
		if sent.Gone > 0 { // what has left is told, whether or not its receiver says so
			f.tell("has taken "+transfer.Bytes(sent.Gone)+" of the file", name, source.Size, nil)
		}
		return f.broken(err)
	}
	f.h.shelf.remove(a)
	f.tell("has taken a copy of the file", name, source.Size, sent.Digest)
	return nil
}

// allowed refuses hidden files: who may change those, or read them, may do as much as who may run commands.
func (f *file) allowed(name string) error {
	if transfer.Hidden(name) && !f.by.Grants.Has(session.Run) {
		return transfer.No(inner.FileNotGiven, "hidden files such as %s are only for agents who may run commands here", chat.FileName(name))
	}
	return nil
}

func (f *file) most() uint64 {
	if f.h.cfg.MaxFile > 0 {
		return f.h.cfg.MaxFile
	}
	return maxFile
}

// full is the whole path as the customer reads it.
func (f *file) full(name string) string {
	return chat.Line(filepath.Join(f.h.folder(), filepath.FromSlash(name)))
}

// ask asks the customer, once for each file.
func (f *file) ask(ctx context.Context, a accepted, what, detail string) error {
	if f.h.shelf.has(a) {
		return nil
	}
	if err := wire.WriteMsg(f.s, &inner.FileSay{Kind: &inner.FileSay_Waiting{Waiting: &inner.FileWaiting{}}}); err != nil {
		return transfer.ErrLost
	}
	if err := f.h.request(ctx, f.c, session.File, what, detail); err != nil {
		return err
	}
	f.h.shelf.add(a)
	return nil
}

// broken is what became of a transfer that both ends know of already.
func (f *file) broken(err error) error {
	f.h.log.Info("file not moved", "path", f.open.GetPath(), "err", err)
	if errors.Is(err, transfer.ErrLost) {
		f.s.CancelWrite(0)
	} else { // the refusal has to arrive
		_ = f.s.Close()
	}
	return nil
}

// refuse says why a file is neither taken nor given.
func (f *file) refuse(err error) error {
	no := transfer.Refusal(err)
	switch {
	case errors.Is(err, transfer.ErrLost):
		f.s.CancelWrite(0)
		return nil
	case errors.Is(err, session.ErrNotGiven):
		no.Code = inner.FileNotGiven
	case errors.Is(err, errRefused), errors.Is(err, errTakenBack), errors.Is(err, session.ErrAskedOnce):
		no.Code = inner.FileSaidNo
	}
	m := &inner.FileSay{Kind: &inner.FileSay_Refused{Refused: &inner.FileRefused{Code: no.Code, Text: no.Text}}}
	if wire.WriteMsg(f.s, m) == nil {
		_ = f.s.Close()
	}
	return nil
}

// tell writes a file into the log, and tells scripts.
func (f *file) tell(deed, name string, size uint64, digest []byte) {
	text := fmt.Sprintf("%s %s (%s)", deed, chat.FileName(path.Base(name)), transfer.Bytes(size))
	f.h.loop.post(func(l *loop) {
		l.note(chat.Everyone, f.by, chat.Line(text))
		l.event("file", f.by, Event{Text: f.full(name), Why: fmt.Sprintf("%s, %d bytes, sha256 %x", deed, size, digest)})
	})
}
