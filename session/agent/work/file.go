package work

import (
	"context"
	"io"
	"path/filepath"

	"assist/session/inner"
	"assist/session/transfer"
	"assist/transport/wire"
)

// Moved is a file that was sent or received.
type Moved struct {
	Path   string // at the host, for Put
	Size   uint64
	From   uint64 // bytes that were there already
	Digest []byte // SHA-256 of the whole
}

// Place is where at the host a file is put.
type Place struct {
	Path  string // of the file, or of the folder
	Force bool   // an older file of that name may be replaced
	Again bool   // an earlier Put was lost: the file may have been kept, and that is no reason to refuse it
}

// Put sends a file to the host. The host's no is *inner.FileRefusedError; a stream that ends too early is transfer.ErrLost, and another Put goes
// on where it stopped.
func Put(ctx context.Context, s io.ReadWriteCloser, f transfer.Source, to Place, progress transfer.Progress) (Moved, error) {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	open := &inner.FileOpen{Put: true, Path: to.Path, Force: to.Force, Again: to.Again}
	offer := &inner.FileOffer{Name: filepath.Base(f.Name()), Size: f.Size, Mode: f.Mode}
	for _, m := range []*inner.FileSay{{Kind: &inner.FileSay_Open{Open: open}}, {Kind: &inner.FileSay_Offer{Offer: offer}}} {
		if wire.WriteMsg(s, m) != nil {
			return Moved{}, refusedOrLost(s)
		}
	}
	sent, err := transfer.Send(s, f, progress)
	return Moved{Path: sent.Path, Size: f.Size, From: sent.From, Digest: sent.Digest}, err
}

// Get receives the file at a path of the host. Where says, by what the host offers, where it is kept.
func Get(ctx context.Context, s io.ReadWriteCloser, path string, where func(*inner.FileOffer) (transfer.Sink, error), progress transfer.Progress) (Moved, error) {
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if wire.WriteMsg(s, &inner.FileSay{Kind: &inner.FileSay_Open{Open: &inner.FileOpen{Path: path}}}) != nil {
		return Moved{}, refusedOrLost(s)
	}
	m, err := answer(s)
	if err != nil {
		return Moved{}, err
	}
	offer, err := inner.ParseFileOffer(m.GetOffer())
	if err != nil {
		return Moved{}, err
	}
	sink, err := where(offer)
	if err != nil {
		return Moved{}, err
	}
	got, err := transfer.Receive(s, sink, progress)
	if got.Digest != nil { // it is here, whether or not the host hears so
		err = nil
	}
	return Moved{Size: offer.Size, From: got.From, Digest: got.Digest}, err
}

// answer is the host's first word after it has asked its customer.
func answer(s io.Reader) (*inner.FileSay, error) {
	for {
		m, err := inner.ReadFileSay(s)
		switch {
		case err != nil:
			return nil, transfer.ErrLost
		case m.GetRefused() != nil:
			return nil, inner.ParseFileRefused(m.GetRefused())
		case m.GetWaiting() == nil:
			return m, nil
		}
	}
}

// refusedOrLost is why a stream takes nothing more.
func refusedOrLost(s io.Reader) error {
	if _, err := answer(s); err != nil {
		return err
	}
	return transfer.ErrLost
}
